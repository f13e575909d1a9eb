// From the single results to what is read: one row for each cell and system, as a table.

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const sum = (values) => values.reduce((a, b) => a + b, 0);

const share = (r) => (100 * r.concealedSamples) / r.totalSamplesReceived;

/** All repetitions and both people of one cell and system. */
function summarise(results, cell) {
  const total = sum(results.map((r) => r.totalSamplesReceived));
  const of = (key) => sum(results.map((r) => r[key]));
  const percent = (n) => (100 * n) / total;
  const lost = of('packetsLost');
  return {
    cell: cell.name,
    title: cell.title,
    system: results[0].system,
    listeners: results.length,
    concealed: percent(of('concealedSamples')),
    concealedMedian: median(results.map(share)),
    concealedMin: Math.min(...results.map(share)),
    concealedMax: Math.max(...results.map(share)),
    silentConcealed: percent(of('silentConcealedSamples')),
    inserted: percent(of('insertedSamplesForDeceleration')),
    removed: percent(of('removedSamplesForAcceleration')),
    bufferMs: (1000 * of('jitterBufferDelay')) / of('jitterBufferEmittedCount'),
    sent: of('sent'),
    kbps: (8 * of('sentBytes') * 48) / total,
    lostOnLines: of('lostOnLines'),
    packetsLost: lost,
    recovered: Math.max(0, of('lostOnLines') - lost),
    discarded: of('packetsDiscarded'),
    fec: of('fecPacketsReceived'),
    gapMs: Math.max(...results.map((r) => r.longestGapMs)),
  };
}

/** @return {object[]} in the order of cells and systems */
export function summaries(results, cells, systems) {
  return cells.flatMap((cell) => systems.flatMap((system) => {
    const mine = results.filter((r) => r.cell === cell.name && r.system === system);
    return mine.length ? [summarise(mine, cell)] : [];
  }));
}

const fixed = (digits) => (x) => x.toFixed(digits);

/** key, heading, how it is written. */
const COLUMNS = [
  ['title', 'each hop', String],
  ['system', 'system', String],
  ['concealed', 'concealed %', fixed(2)],
  ['concealedMin', 'min', fixed(2)],
  ['concealedMax', 'max', fixed(2)],
  ['silentConcealed', 'of it silent %', fixed(2)],
  ['inserted', 'stretched %', fixed(2)],
  ['removed', 'shortened %', fixed(2)],
  ['bufferMs', 'buffer ms', fixed(0)],
  ['kbps', 'sent kbit/s', fixed(0)],
  ['sent', 'packets', String],
  ['lostOnLines', 'lost on lines', String],
  ['packetsLost', 'never came', String],
  ['discarded', 'too late', String],
  ['fec', 'from FEC', String],
  ['gapMs', 'longest gap ms', fixed(0)],
];

/** A table that reads as text and as Markdown. */
export function table(rows) {
  const lines = [
    COLUMNS.map(([, heading]) => heading),
    ...rows.map((row) => COLUMNS.map(([key, , write]) => write(row[key]))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const isText = (i) => i < 2;
  const text = (line) => `| ${line.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((w, i) => (isText(i) ? '-'.repeat(w + 2) : `${'-'.repeat(w + 1)}:`)).join('|')}|`;
  return [text(lines[0]), rule, ...lines.slice(1).map(text)].join('\n');
}
