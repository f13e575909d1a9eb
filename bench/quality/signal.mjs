// Something like speech, made of arithmetic: no recording of anybody, and the same everywhere.
//
//   breath group ── syllable ── syllable ── syllable ── pause ── …
//                     │  voiced: a glottal pulse train with a moving pitch through three formants
//                     └─ begins with a burst of noise, one in three times
//
// What matters for the figure: most frames carry sound (concealing silence is counted apart), level
// and spectrum change all the time (so a codec and a concealer have work), and there are pauses.

import { RATE } from '../../tests/e2e/lib/tones.mjs';

const SECONDS = 12; // then it begins anew
const PEAK = 0.5;

/** Formants [Hz] of five vowels, as textbooks have them. */
const VOWELS = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [530, 1840, 2480],
  [570, 840, 2410],
  [300, 870, 2240],
];

/** Uniform in 0..1, always the same series (mulberry32). */
function series(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A two-pole resonator, as one formant. */
function resonator(hz, width) {
  const radius = Math.exp((-Math.PI * width) / RATE);
  const a1 = 2 * radius * Math.cos((2 * Math.PI * hz) / RATE);
  const a2 = -radius * radius;
  const gain = 1 - radius;
  let y1 = 0;
  let y2 = 0;
  return (x) => {
    const y = gain * x + a1 * y1 + a2 * y2;
    y2 = y1;
    y1 = y;
    return y;
  };
}

/** Rises and falls without an edge. */
const envelope = (t, length) => Math.sin(Math.PI * Math.min(1, t / length)) ** 0.5;

function consonant(out, at, random) {
  const length = Math.round(RATE * (0.04 + 0.04 * random()));
  const hiss = resonator(3500 + 3000 * random(), 1500);
  for (let i = 0; i < length; i++) out[at + i] += 1.5 * envelope(i, length) * hiss(2 * random() - 1);
  return length;
}

function vowel(out, at, random, pitch) {
  const length = Math.round(RATE * (0.12 + 0.14 * random()));
  const formants = VOWELS[Math.floor(random() * VOWELS.length)].map((hz, i) => resonator(hz, 80 + 40 * i));
  const glide = 0.9 + 0.2 * random();
  let phase = 0;
  for (let i = 0; i < length; i++) {
    const step = (pitch * (1 + ((glide - 1) * i) / length)) / RATE;
    phase += step;
    const pulse = phase >= 1 ? 1 / step : 0; // the same power at every pitch
    phase %= 1;
    const [f1, f2, f3] = formants.map((formant) => formant(pulse));
    out[at + i] += envelope(i, length) * (f1 + 0.6 * f2 + 0.3 * f3);
  }
  return length;
}

/** Signed 16-bit samples at 48 kHz. */
export function speechLike(seed = 1) {
  const random = series(seed);
  const out = new Float64Array(RATE * SECONDS);
  const room = RATE * 0.4; // the longest syllable and more
  let at = 0;
  while (at < out.length - room) {
    const pitch = 100 + 60 * random();
    for (let n = 4 + Math.floor(6 * random()); n > 0 && at < out.length - room; n--) {
      if (random() < 0.33) at += consonant(out, at, random);
      at += vowel(out, at, random, pitch * (0.9 + 0.2 * random()));
      at -= Math.round(RATE * 0.02); // one runs into the next
    }
    at += Math.round(RATE * (0.1 + 0.2 * random()));
  }
  const loudest = out.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  // Never digital silence: a microphone hears a room.
  return Int16Array.from(out, (x) => 32767 * ((PEAK * x) / loudest + 0.0005 * (2 * random() - 1)));
}
