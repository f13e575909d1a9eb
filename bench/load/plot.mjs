// CPU a packet over calls, both on logarithmic axes, as SVG.

import { titleOf } from './servers.mjs';

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 110;
const TOP = 40;
const BOTTOM = 56;

const styles = {
  janus: '#b3542c', rtpengine: '#2c6fb3', duet: '#1f8a4c', floor: '#888888',
};
const nameOf = (server) => (server === 'floor' ? 'floor' : titleOf(server));

function axis(values, from, to) {
  const low = Math.log10(Math.min(...values) * 0.8);
  const high = Math.log10(Math.max(...values) * 1.25);
  return {
    at: (v) => from + ((Math.log10(v) - low) / (high - low)) * (to - from),
    holds: (v) => Math.log10(v) >= low && Math.log10(v) <= high,
  };
}

const text = (x, y, words, more = '') => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${words}</text>`;
const line = (x1, y1, x2, y2, more) => `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" ${more}/>`;

function seriesOf(summary) {
  const series = new Map();
  for (const s of summary) {
    const cost = s.kind === 'calls' ? s.us_per_packet : s.kind === 'floor' ? s.another : NaN;
    if (!(cost > 0)) continue;
    if (!series.has(s.server)) series.set(s.server, []);
    series.get(s.server).push({ calls: s.calls, cost });
  }
  for (const points of series.values()) points.sort((a, b) => a.calls - b.calls);
  return series;
}

/** @param summary  of table.mjs */
export function plot(summary) {
  const series = seriesOf(summary);
  const points = [...series.values()].flat();
  const x = axis(points.map((p) => p.calls), LEFT, WIDTH - RIGHT);
  const y = axis(points.map((p) => p.cost), HEIGHT - BOTTOM, TOP);
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT, 22, 'CPU time of the whole server for a relayed packet [µs]', 'font-weight="bold"'),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, 'calls at the same time', 'text-anchor="middle"'),
  ];
  for (const v of [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].filter(y.holds)) {
    out.push(line(LEFT, y.at(v), WIDTH - RIGHT, y.at(v), 'stroke="#dddddd"'));
    out.push(text(LEFT - 8, y.at(v) + 4, v, 'text-anchor="end"'));
  }
  for (const v of new Set(points.map((p) => p.calls))) {
    out.push(line(x.at(v), TOP, x.at(v), HEIGHT - BOTTOM, 'stroke="#eeeeee"'));
    out.push(text(x.at(v), HEIGHT - BOTTOM + 18, v, 'text-anchor="middle"'));
  }
  for (const [server, list] of series) {
    const color = styles[server];
    const dash = server === 'floor' ? ' stroke-dasharray="5 4"' : '';
    out.push(`<polyline fill="none" stroke="${color}" stroke-width="2"${dash} points="${list.map((p) => `${x.at(p.calls).toFixed(1)},${y.at(p.cost).toFixed(1)}`).join(' ')}"/>`);
    for (const p of list) out.push(`<circle cx="${x.at(p.calls).toFixed(1)}" cy="${y.at(p.cost).toFixed(1)}" r="3.5" fill="${color}"/>`);
    const last = list.at(-1);
    out.push(text(x.at(last.calls) + 8, y.at(last.cost) + 4, nameOf(server), `fill="${color}"`));
  }
  out.push('</svg>');
  return `${out.join('\n')}\n`;
}
