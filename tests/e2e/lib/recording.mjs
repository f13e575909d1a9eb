// Recordings as a test sees them: decoded by programs that others wrote.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { shareAt } from './hearing.mjs';

const RATE = 48000;

/** Every file below a folder, in order of its name. */
export const files = (folder) => readdirSync(folder).sort().map((name) => join(folder, name));

/** What ffprobe says of a file: it fails on a broken one. */
export function probe(file) {
  const out = execFileSync('ffprobe', [
    '-v', 'error', '-show_format', '-show_streams', '-of', 'json', file]);
  const { format, streams } = JSON.parse(out);
  return { format: format.format_name, seconds: Number(format.duration), streams };
}

/**
 * A file as sound, 48 kHz: of a mono one all, of a stereo one one side.
 * @param {{ channel?: number, isCut?: boolean }} o  isCut: it was never ended, decode what there is
 */
export function decode(file, { channel = 0, isCut = false } = {}) {
  const out = execFileSync('ffmpeg', [
    '-v', 'error', ...(isCut ? [] : ['-xerror']), '-i', file, '-af', `pan=mono|c0=c${channel}`,
    '-f', 'f32le', '-ar', `${RATE}`, '-'], { maxBuffer: 1 << 28 });
  const samples = new Float32Array(out.buffer.slice(out.byteOffset, out.byteOffset + out.length));
  return { rate: RATE, samples, seconds: samples.length / RATE };
}

/** How many of a sound's tenths of a second are that tone: 0..1. */
export function tenthsAt({ rate, samples }, hz) {
  const n = rate / 10;
  const count = Math.floor(samples.length / n);
  let found = 0;
  for (let i = 0; i < count; i++)
    if (shareAt(samples.subarray(i * n, (i + 1) * n), rate, hz) > 0.8) found++;
  return found / count;
}

/** A part of a sound. */
export const part = ({ rate, samples }, from, to) =>
  samples.slice(Math.round(from * rate), Math.round(to * rate));
