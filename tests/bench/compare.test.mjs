// The parts of bench/compare that do not measure: options, medians and tables, the plot, and that
// what is started ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { help, parseOptions } from '../../bench/load/options.mjs';
import { plot } from '../../bench/load/plot.mjs';
import { finish, freePort, listening, start, stop } from '../../bench/load/process.mjs';
import { callsTable, median, memoryTable, ratioTable, summarise } from '../../bench/load/table.mjs';

const measured = (server, calls, run, cost, more = {}) => ({
  kind: 'calls', server, calls, run, us_per_packet: cost, cores: 0.1, threads: 2, setup_p50_ms: 5, setup_p99_ms: 9,
  latency_p50_ms: 0.2, latency_p99_ms: 0.9, lost_percent: 0, carried_percent: 100, calls_failed: 0, calls_up: calls, ...more,
});

const results = [
  measured('duet', 100, 0, 3), measured('duet', 100, 1, 2), measured('duet', 100, 2, 9),
  measured('janus', 100, 0, 45), measured('rtpengine', 100, 0, 9),
  measured('janus', 400, 0, 60, { calls_failed: 30, calls_up: 370 }),
  { kind: 'floor', server: 'floor', calls: 100, run: 0, thread: 1, core: 1.5, another: 2 },
  { kind: 'memory', server: 'duet', calls: 100, run: 0, kb_per_call: 21.4, threads: 2, descriptors: 215 },
  { kind: 'calls', server: 'rtpengine', calls: 400, run: 0, error: 'it fell over' },
];

test('options: defaults, both spellings, refusals that name the option', () => {
  assert.deepEqual(parseOptions([]).calls, [1, 10, 100, 400]);
  assert.deepEqual(parseOptions(['--calls', '5,6', '--alone=', '--runs=2']).calls, [5, 6]);
  assert.deepEqual(parseOptions(['--alone=']).alone, []);
  assert.equal(parseOptions(['--realtime', '2']).realtime, 2);
  for (const bad of [['--calls', '0'], ['--calls', '1.5'], ['--runs', '1,2'], ['--realtime=100'], ['--runs'], ['--walls', '1'], ['x']]) {
    assert.throws(() => parseOptions(bad), (error) => error.message.includes(bad[0].split('=')[0]));
  }
  assert.match(help, /--memory-hold SECONDS .*\(60\)/);
});

test('the medians are of equal measurements, failed ones are left out', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([1, 2, NaN]), 1.5);
  assert.ok(Number.isNaN(median([])));
  const summary = summarise(results);
  const duet = summary.find((s) => s.server === 'duet' && s.kind === 'calls');
  assert.deepEqual([duet.us_per_packet, duet.runs], [3, 3]);
  assert.ok(!summary.some((s) => s.server === 'rtpengine' && s.calls === 400));
});

test('tables say how many times, and what was not carried', () => {
  const summary = summarise(results);
  assert.match(ratioTable(summary), /^\| 100 \| 3\.00 \| 15\.0 \| 3\.00 \| 2\.00 \| 1\.50 \|$/m);
  assert.match(callsTable(summary), /^\| Janus \| 370 of 400 \| 60\.0 \|/m);
  assert.match(memoryTable(summary), /^\| Duet \| 21 \| 2 \| 215 \|$/m);
});

test('the plot has a line for each server and the floor', () => {
  const svg = plot(summarise(results));
  assert.equal(svg.match(/<polyline/g).length, 4);
  for (const name of ['Duet', 'Janus', 'rtpengine', 'floor']) assert.ok(svg.includes(`>${name}</text>`));
  assert.ok(!/NaN|undefined/.test(svg));
});

test('what is started ends: asked to, at its limit, and when it never begins', async () => {
  const asked = start('sleep', ['60']);
  await stop(asked);
  assert.throws(() => process.kill(asked.pid, 0));
  const slow = start('sleep', ['60']);
  assert.equal(await finish(slow, 20), 'timeout');
  assert.throws(() => process.kill(slow.pid, 0));
  assert.equal(await finish(start('bash', ['-c', 'exit 3']), 10_000), 3);
  await assert.rejects(listening(start('false', []), await freePort()), /does not begin/);
});
