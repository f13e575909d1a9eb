// One measurement: duet-load against a server that runs, or the floor.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { finish, start } from './process.mjs';
import { program } from './servers.mjs';

// Placed a second: ten, or all in 20 s.
const rateFor = (calls) => Math.max(10, calls / 20);

/** Seconds that a measurement takes. */
export const duration = (calls, hold) => calls / rateFor(calls) + hold + 5;

const PACKETS_PER_CALL = 100; // a second, both directions
/** Percent of the packets that the calls are; a measurement with less says little. */
export const CARRIED = 97;

const DAMAGE = ['corrupted', 'misrouted', 'duplicates', 'bad_headers', 'undecryptable'];

const ms = (us) => us / 1000;

function figuresOf(result, calls) {
  const { figures, counts, times, server } = result;
  const steady = server.steady ?? {};
  return {
    us_per_packet: figures.server_us_per_packet,
    cores: figures.server_cores,
    generator_cores: figures.own_cores,
    kb_per_call: figures.rss_kb_per_call,
    threads: steady.threads,
    descriptors: steady.descriptors,
    setup_p50_ms: ms(times.setup.p50_us),
    setup_p99_ms: ms(times.setup.p99_us),
    latency_p50_ms: ms(times.latency.p50_us),
    latency_p99_ms: ms(times.latency.p99_us),
    latency_max_ms: ms(times.latency.max_us),
    generator_late_p99_ms: ms(times.lateness.p99_us),
    calls_up: counts.calls_up,
    calls_failed: calls - counts.calls_up,
    carried_percent: (100 * figures.packets_per_s) / (calls * PACKETS_PER_CALL),
    lost_percent: counts.packets_sent ? (100 * counts.packets_lost) / counts.packets_sent : 0,
    late_percent: counts.packets_received ? (100 * counts.late) / counts.packets_received : 0,
    ticks_skipped: counts.ticks_skipped,
    damaged: DAMAGE.reduce((sum, name) => sum + counts[name], 0),
    damage: Object.fromEntries(DAMAGE.map((name) => [name, counts[name]])),
    gcm: counts.heard_gcm > 0 && counts.heard_sha1 === 0,
    errors: result.errors,
  };
}

/** @returns figures, or { error } */
export async function measureCalls(server, { dir, calls, hold }) {
  const json = path.join(dir, 'load.json');
  fs.rmSync(json, { force: true });
  const load = start(program('duet-load'), [
    '--driver', server.driver, '--url', server.url, '--server-pid', server.pid,
    '--calls', calls, '--rate', rateFor(calls), '--hold', hold, '--json', json, '--quiet',
  ].map(String));
  const status = await finish(load, (duration(calls, hold) + 90) * 1000);
  if (!fs.existsSync(json)) return { error: `duet-load ended with ${status} and without results` };
  return figuresOf(JSON.parse(fs.readFileSync(json, 'utf8')), calls);
}

/**
 * Others used the machine: the load was not played in time, though the two programs left a tenth of
 * the cores to them. Says nothing of the server.
 */
export const isDisturbed = (figures) =>
  figures.ticks_skipped > 0 && figures.carried_percent < CARRIED &&
  figures.cores + figures.generator_cores < 0.9 * os.cpus().length;

/** CPU of the bare loop in µs a packet: { thread, core, another }, see bench/floor.c. */
export async function measureFloor({ dir, calls }) {
  const file = path.join(dir, 'floor.txt');
  const child = start(program('bench/bench_floor'), ['2', '1', String(2 * calls)], { stdout: fs.openSync(file, 'w') });
  const status = await finish(child, 30_000);
  if (status !== 0) return { error: `bench_floor ended with ${status}` };
  const rows = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.trim().split(/\s+/));
  return Object.fromEntries(rows.filter((r) => Number(r[0]) === 2 * calls).map((r) => [r[1], Number(r[3]) / 1000]));
}
