#!/usr/bin/env node
// How much of a call is heard as it was spoken, on bad networks: see --help.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { startBrowser } from '../../tests/e2e/lib/browser.mjs';
import { startFixture } from '../../tests/e2e/lib/fixture.mjs';
import { CELLS, chooseCells } from './cells.mjs';
import { runCell } from './measure.mjs';
import { plot } from './plot.mjs';
import { summaries, table } from './report.mjs';
import { speechLike } from './signal.mjs';
import { startSystem } from './systems.mjs';

const HELP = `quality.mjs: what real browsers must conceal on bad networks

usage: bench/quality/quality.mjs [OPTION]...

  --cells NAMES     which networks, with commas between (all)
                    ${CELLS.map((cell) => cell.name).join(' ')}
  --systems NAMES   what carries the calls, all of them at the same time (duet,janus,direct);
                    NAME=PROGRAM is another build of Duet
  --rounds N        repetitions, each with other luck (1)
  --seconds N       measured, after 5 s of start (30; 12 at least)
  --target MS       the pages set RTCRtpReceiver.jitterBufferTarget (they do not)
  --out FOLDER      results.json, table.md and concealed.svg (build/quality)
  --again           draw table and plot from FOLDER/results.json, measure nothing
  --help

On a machine with other work: chrt -r 1 bench/quality/quality.mjs …, else what is heard is that work.
One Chromium, a page for each person; duet-impair is every hop. A cell takes the seconds and about
ten more. Needs: ./run --build-only, ./test npm, chromium; for Janus the package janus.
Everything that is started is ended again, by its process id, also after an error or Ctrl-C.
`;

const OPTIONS = {
  cells: { type: 'string', default: 'all' },
  systems: { type: 'string', default: 'duet,janus,direct' },
  rounds: { type: 'string', default: '1' },
  seconds: { type: 'string', default: '30' },
  target: { type: 'string' },
  out: { type: 'string', default: 'build/quality' },
  again: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

const here = fileURLToPath(new URL('.', import.meta.url));

function commit() {
  try {
    return execFileSync('git', ['-C', here, 'describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function number(text, name, min) {
  const value = Number(text);
  if (!Number.isFinite(value) || value < min) throw new Error(`--${name} ${text}: a number from ${min}`);
  return value;
}

/** Ctrl-C is an error like any other: what was started is stopped on the way out. */
function interruption() {
  return new Promise((_, fail) => {
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.once(signal, () => fail(new Error(`ended by ${signal}`)));
  });
}

async function measureAll(o, running) {
  const fixture = await startFixture({ '/quality.mjs': readFileSync(join(here, 'page.mjs'), 'utf8') });
  running.push(fixture);
  const browser = await startBrowser({ sound: speechLike(), page: fixture.url });
  running.push(browser);
  const systems = [];
  for (const name of o.systems) {
    systems.push(await startSystem(name));
    running.push(systems.at(-1));
  }
  const results = [];
  for (let round = 1; round <= o.rounds; round++) {
    for (const cell of o.cells) {
      const found = await runCell(browser, systems, cell, round, o);
      results.push(...found);
      console.log(`${cell.title}, round ${round} (load ${loadavg()[0].toFixed(1)})`);
      console.log(table(summaries(found, [cell], systems.map(({ name }) => name))));
      if (browser.errors.length) throw new Error(`in a page: ${browser.errors.join('; ')}`);
      o.save(results);
    }
  }
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return process.stdout.write(HELP);
  const file = join(values.out, 'results.json');
  mkdirSync(values.out, { recursive: true });
  if (!values.again) await measured(values, file);
  if (!existsSync(file)) throw new Error(`${file}: not there`);
  const { results } = JSON.parse(readFileSync(file, 'utf8'));
  const names = [...new Set(results.map((r) => r.system))];
  const rows = summaries(results, CELLS, names);
  writeFileSync(join(values.out, 'table.md'), `${table(rows)}\n`);
  writeFileSync(join(values.out, 'concealed.svg'), plot(rows, names));
  console.log(`\nall rounds:\n${table(rows)}\n\n${values.out}: results.json table.md concealed.svg`);
}

async function measured(values, file) {
  const o = {
    cells: chooseCells(values.cells),
    systems: values.systems.split(','),
    rounds: number(values.rounds, 'rounds', 1),
    seconds: number(values.seconds, 'seconds', 12),
    ...(values.target && { target: number(values.target, 'target', 0) }),
    save: (results) => writeFileSync(file, `${JSON.stringify({ about, results }, null, 1)}\n`),
  };
  const about = { commit: commit(), date: new Date().toISOString(), seconds: o.seconds, target: o.target ?? null };
  const running = [];
  const interrupted = interruption();
  try {
    await Promise.race([measureAll(o, running), interrupted]);
  } finally {
    interrupted.catch(() => {});
    for (const one of running.reverse()) await one.stop();
  }
}

main().then(() => process.exit(0), (error) => {
  console.error(error.message);
  process.exit(1);
});
