// Sine tones as WAV files, for Chromium's --use-file-for-fake-audio-capture.
//
// Chromium plays the file in a loop. The length is a whole number of seconds and the frequency a
// whole number of hertz, so the loop has no click and the tone stays one line in the spectrum.

import { writeFileSync } from 'node:fs';

export const RATE = 48000;
const AMPLITUDE = 0.5;

/** The tone as signed 16-bit samples. */
export function tone(hz, seconds = 2) {
  if (!Number.isInteger(hz) || !Number.isInteger(seconds))
    throw new RangeError('whole hertz and seconds only: else the loop clicks');
  const samples = new Int16Array(RATE * seconds);
  for (let i = 0; i < samples.length; i++)
    samples[i] = Math.round(32767 * AMPLITUDE * Math.sin((2 * Math.PI * hz * i) / RATE));
  return samples;
}

/** Write a mono 48 kHz PCM file (RIFF, WAVE_FORMAT_PCM). */
export function writeSound(path, samples) {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16); // size of the format part
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // channels
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28); // bytes a second
  header.writeUInt16LE(2, 32); // bytes a sample
  header.writeUInt16LE(16, 34); // bits a sample
  header.write('data', 36);
  header.writeUInt32LE(samples.byteLength, 40);
  writeFileSync(path, Buffer.concat([header, Buffer.from(samples.buffer)]));
}
