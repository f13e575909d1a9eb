// bench/compare: the order of the measurements, and what comes of them.
//
// In each round every number of calls is measured with all servers, in an order that turns from
// round to round: a neighbour on the machine, or its clock, meets them all alike.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { CARRIED, duration, isDisturbed, measureCalls, measureFloor } from './measure.mjs';
import { help, parseOptions } from './options.mjs';
import { plot } from './plot.mjs';
import { output, setPriority } from './process.mjs';
import { root, serverNames, versionOf, withServer } from './servers.mjs';
import { callsTable, memoryTable, ratioTable, summarise } from './table.mjs';

const MEMORY_CALLS = 100;
const FLOOR_SECONDS = 10;
const FLOOR_FROM = 20; // calls: with fewer Duet sleeps until a packet comes; the floor knows ticks only
const TRIES = 3;
const DOCS_BEGIN = '<!-- bench/compare begins -->';
const DOCS_END = '<!-- bench/compare ends -->';

const say = (words) => process.stderr.write(`compare: ${words}\n`);

function turned(list, by) {
  return list.map((_, i) => list[(i + by) % list.length]);
}

/** What is measured, in order: { kind, server, calls, hold, run } */
function plan(options) {
  const steps = [];
  for (let run = 0; run < options.runs; run++) {
    for (const calls of [...options.calls, ...options.alone]) {
      const all = options.calls.includes(calls) ? options.servers : options.servers.filter((s) => s === 'duet');
      for (const server of turned(all, run)) steps.push({ kind: 'calls', server, calls, hold: options.hold, run });
      if (all.includes('duet') && calls >= FLOOR_FROM) steps.push({ kind: 'floor', server: 'floor', calls, run });
    }
  }
  for (const server of options.servers) {
    steps.push({ kind: 'memory', server, calls: MEMORY_CALLS, hold: options['memory-hold'], run: 0 });
  }
  return steps;
}

const secondsOf = (step) => (step.kind === 'floor' ? FLOOR_SECONDS : duration(step.calls, step.hold) + 2);

function wordsOf(step, result) {
  if (result.error) return `FAILED: ${result.error}`;
  if (step.kind === 'floor') return `${result.another.toFixed(2)} µs a packet`;
  if (step.kind === 'memory') return `${result.kb_per_call.toFixed(0)} KB a call`;
  return `${result.us_per_packet.toFixed(2)} µs a packet, set-up ${result.setup_p50_ms.toFixed(1)} ms` +
    (result.calls_failed ? `, ${result.calls_failed} calls FAILED` : '') +
    (result.carried_percent < CARRIED ? `, only ${result.carried_percent.toFixed(0)} % of the load` : '') +
    (result.lost_percent ? `, ${result.lost_percent.toFixed(2)} % lost` : '') +
    (result.damaged ? `, DAMAGED packets: ${JSON.stringify(result.damage)}` : '');
}

async function measureOnce(step, { dir, address }) {
  if (step.kind === 'floor') return measureFloor({ dir, calls: step.calls });
  try {
    return await withServer(step.server, { dir, address }, (server) => measureCalls(server, { dir, ...step }));
  } catch (error) {
    return { error: error.message };
  }
}

/** Again when it was disturbed; if it always is, the least bad one counts. */
async function measure(step, place) {
  let best;
  for (let tries = 1; tries <= TRIES; tries++) {
    const result = { ...(await measureOnce(step, place)), tries };
    if (step.kind !== 'calls' || result.error || !isDisturbed(result)) return result;
    say(`   disturbed: ${wordsOf(step, result)}`);
    if (!best || result.carried_percent > best.carried_percent) best = result;
  }
  return best;
}

function aboutThisRun(options) {
  const cpus = os.cpus();
  return {
    at: new Date().toISOString(),
    commit: output('git', ['-C', root, 'describe', '--always', '--dirty']),
    machine: `${cpus.length} × ${cpus[0].model}, Linux ${os.release()}`,
    versions: Object.fromEntries(options.servers.map((s) => [s, versionOf(s)])),
    options: { runs: options.runs, hold: options.hold, 'memory-hold': options['memory-hold'], realtime: options.realtime },
  };
}

async function measureAll(options) {
  const steps = plan(options);
  setPriority(options.realtime);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'compare-'));
  const report = { ...aboutThisRun(options), results: [] };
  say(`${steps.length} measurements, about ${Math.ceil(steps.reduce((sum, s) => sum + secondsOf(s), 0) / 60)} minutes; media at ${options.address}`);
  try {
    for (const [i, step] of steps.entries()) {
      const result = await measure(step, { dir, address: options.address });
      say(`${i + 1}/${steps.length}  ${step.server}, ${step.calls} calls: ${wordsOf(step, result)}`);
      report.results.push({ ...step, ...result });
      if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
    }
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
  return report;
}

function textOf(report, summary) {
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version.replace(/^duet /, '')}`);
  return [
    `Commit ${report.commit}, ${report.at.slice(0, 10)}; ${versions.join(', ')}; ${report.machine}; medians of ${report.options.runs}.`,
    'How many times the cost of Duet, and how far Duet is from the floor:', ratioTable(summary),
    'All figures:', callsTable(summary),
    `Memory of a call (100 calls, held for ${report.options['memory-hold']} s):`, memoryTable(summary),
  ].join('\n\n');
}

function putIntoDocs(file, text) {
  const old = fs.readFileSync(file, 'utf8');
  const [begin, end] = [old.indexOf(DOCS_BEGIN), old.indexOf(DOCS_END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has no lines ${DOCS_BEGIN} and ${DOCS_END}`);
  fs.writeFileSync(file, `${old.slice(0, begin + DOCS_BEGIN.length)}\n${text}\n${old.slice(end)}`);
}

function check(options) {
  const unknown = options.servers.find((s) => !serverNames.includes(s));
  if (unknown) throw new Error(`there is no server ${unknown}: ${serverNames.join(', ')}`);
  if (!options.from && !options.address) {
    throw new Error('this machine has no address but the loopback; Janus (libnice) is not reached there. As root: ip link add dummy0 type dummy; ip addr add 192.0.2.1/24 dev dummy0; ip link set dummy0 up');
  }
}

async function main(argv) {
  if (argv.includes('--help')) {
    process.stdout.write(help);
    return 0;
  }
  const options = parseOptions(argv);
  check(options);
  const report = options.from ? JSON.parse(fs.readFileSync(options.from, 'utf8')) : await measureAll(options);
  const summary = summarise(report.results);
  const text = textOf(report, summary);
  if (options.svg) fs.writeFileSync(options.svg, plot(summary));
  if (options.docs) putIntoDocs(options.docs, text);
  console.log(text);
  return report.results.some((r) => r.error) ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(error.message);
  process.exitCode = 2;
}
