// Medians of the runs, and the tables of docs/PERFORMANCE.md.

import { titleOf } from './servers.mjs';

export function median(values) {
  const sorted = values.filter((v) => Number.isFinite(v)).sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One object of medians for each server and number of calls, in the order they were measured. */
export function summarise(results) {
  const groups = new Map();
  for (const r of results.filter((r) => !r.error)) {
    const key = `${r.server} ${r.calls} ${r.kind}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(r);
  }
  return [...groups.values()].map((group) => {
    const summary = { server: group[0].server, calls: group[0].calls, kind: group[0].kind, runs: group.length };
    for (const [name, value] of Object.entries(group[0])) {
      if (typeof value === 'number' && name !== 'calls' && name !== 'run') {
        summary[name] = median(group.map((r) => r[name]));
      }
    }
    return summary;
  });
}

const fixed = (n, digits) => (Number.isFinite(n) ? n.toFixed(digits) : '–');
// Three significant digits are more than the measurement is worth.
const short = (n) => (Number.isFinite(n) ? n.toFixed(n < 9.95 ? 2 : n < 99.5 ? 1 : 0) : '–');

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i ? '--:' : '---'))), ...rows.map(line)].join('\n');
}

const carried = (s) => (s.calls_failed > 0 ? `${s.calls_up} of ${s.calls}` : String(s.calls));

export function callsTable(summary) {
  const rows = summary.filter((s) => s.kind === 'calls')
    .sort((a, b) => a.calls - b.calls)
    .map((s) => [titleOf(s.server), carried(s), short(s.us_per_packet), short(s.cores * 100), String(s.threads),
      `${short(s.setup_p50_ms)} / ${short(s.setup_p99_ms)}`, `${short(s.latency_p50_ms)} / ${short(s.latency_p99_ms)}`,
      fixed(s.lost_percent, 2), fixed(s.carried_percent, 0)]);
  return table(['server', 'calls', 'CPU µs a packet', 'CPU % of a core', 'threads', 'set-up p50 / p99 ms',
    'latency p50 / p99 ms', 'lost %', 'carried %'], rows);
}

export function memoryTable(summary) {
  return table(['server', 'KB a call', 'threads', 'descriptors'], summary.filter((s) => s.kind === 'memory')
    .map((s) => [titleOf(s.server), fixed(s.kb_per_call, 0), String(s.threads), String(s.descriptors)]));
}

const find = (summary, server, calls, kind = 'calls') =>
  summary.find((s) => s.server === server && s.calls === calls && s.kind === kind);

/** How many times Duet's cost the others have, and how many times the floor Duet has. */
export function ratioTable(summary) {
  const rows = summary.filter((s) => s.kind === 'calls' && s.server === 'duet').sort((a, b) => a.calls - b.calls)
    .map((duet) => {
      const times = (name) => short(find(summary, name, duet.calls)?.us_per_packet / duet.us_per_packet);
      const floor = find(summary, 'floor', duet.calls, 'floor');
      return [String(duet.calls), short(duet.us_per_packet), times('janus'), times('rtpengine'),
        short(floor?.another), short(duet.us_per_packet / floor?.another)];
    });
  return table(['calls', 'Duet µs', 'Janus ÷ Duet', 'rtpengine ÷ Duet', 'floor µs', 'Duet ÷ floor'], rows);
}
