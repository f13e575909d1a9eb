// The table as a picture: concealment over loss as lines, the other networks as bars.

const WIDTH = 1000;
const HEIGHT = 460;
const TOP = 64;
const BOTTOM = 400;
const LINES = { left: 60, right: 470 };
const BARS = { left: 700, right: 960 };
const COLOURS = ['#0b6e4f', '#c8553d', '#3a6ea5', '#8d6a9f', '#b08900'];

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const text = (x, y, what, more = '') => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escape(what)}</text>`;
const line = (x1, y1, x2, y2, colour) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}"/>`;

/** The next round number, for the end of an axis. */
function roundUp(x) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(x, 0.1)));
  return [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= x);
}

/** Where on the axis of loss a cell lies: 'loss5' at 5; null for other networks. */
const lossOf = (cell) => (/^loss(\d+)$/.exec(cell) ? Number(cell.slice(4)) : null);

function lossLines(rows, names) {
  const points = rows.map((row) => ({ ...row, loss: lossOf(row.cell) })).filter(({ loss }) => loss !== null);
  if (!points.length) return [];
  const xMax = Math.max(...points.map(({ loss }) => loss), 1);
  const yMax = roundUp(Math.max(...points.map(({ concealed }) => concealed)));
  const x = (loss) => LINES.left + ((LINES.right - LINES.left) * loss) / xMax;
  const y = (share) => BOTTOM - ((BOTTOM - TOP) * share) / yMax;
  const out = [text(LINES.left, TOP - 14, 'concealed samples [%] over loss on each hop [%], 20 ms a hop', 'class="b"')];
  for (let i = 0; i <= 5; i++) {
    const share = (yMax * i) / 5;
    out.push(line(LINES.left, y(share), LINES.right, y(share), '#ddd'));
    out.push(text(LINES.left - 8, y(share) + 4, `${Number(share.toFixed(2))}`, 'text-anchor="end"'));
  }
  for (const loss of new Set(points.map((p) => p.loss)))
    out.push(text(x(loss), BOTTOM + 18, `${loss}`, 'text-anchor="middle"'));
  names.forEach((name, i) => {
    const mine = points.filter((p) => p.system === name).sort((a, b) => a.loss - b.loss);
    const path = mine.map((p) => `${x(p.loss).toFixed(1)},${y(p.concealed).toFixed(1)}`).join(' ');
    out.push(`<polyline points="${path}" fill="none" stroke="${COLOURS[i]}" stroke-width="2.5"/>`);
    for (const p of mine) out.push(`<circle cx="${x(p.loss).toFixed(1)}" cy="${y(p.concealed).toFixed(1)}" r="4" fill="${COLOURS[i]}"/>`);
  });
  return out;
}

function otherBars(rows, names) {
  const others = rows.filter((row) => lossOf(row.cell) === null);
  if (!others.length) return [];
  const cells = [...new Map(others.map((row) => [row.cell, row.title]))];
  const max = roundUp(Math.max(...others.map(({ concealed }) => concealed)));
  const slot = (BOTTOM - TOP) / cells.length;
  const bar = Math.min(14, (slot - 6) / names.length);
  const out = [text(BARS.left, TOP - 14, 'concealed samples [%], other networks', 'class="b"')];
  cells.forEach(([cell, title], c) => {
    const top = TOP + c * slot;
    out.push(text(BARS.left - 10, top + (bar * names.length) / 2 + 4, title, 'text-anchor="end"'));
    names.forEach((name, i) => {
      const row = others.find((one) => one.cell === cell && one.system === name);
      if (!row) return;
      const width = Math.max(1, ((BARS.right - BARS.left) * row.concealed) / max);
      out.push(`<rect x="${BARS.left}" y="${(top + i * bar).toFixed(1)}" width="${width.toFixed(1)}" height="${(bar - 1).toFixed(1)}" fill="${COLOURS[i]}"/>`);
      out.push(text(BARS.left + width + 4, top + (i + 1) * bar - 3, row.concealed.toFixed(2), 'class="s"'));
    });
  });
  return out;
}

/**
 * @param {object[]} rows  of report.mjs
 * @param {string[]} names of systems, five at most
 * @return {string} SVG
 */
export function plot(rows, names) {
  const legend = names.flatMap((name, i) => [
    `<rect x="${LINES.left + i * 110}" y="${HEIGHT - 26}" width="14" height="14" fill="${COLOURS[i]}"/>`,
    text(LINES.left + i * 110 + 20, HEIGHT - 14, name),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">`,
    '<style>.b{font-weight:bold}.s{font-size:10px}</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...lossLines(rows, names), ...otherBars(rows, names), ...legend,
    '</svg>', '',
  ].join('\n');
}
