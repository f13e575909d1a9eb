// What is heard: how much of a signal's power lies at one frequency. Here and in pages.

/** A tone is there when this share of the power is in it: Opus leaves 0.98 and more. */
export const HEARD = 0.8;

/**
 * Share of the signal's power that lies at `hz` (Goertzel, Hann window): near 1 for that tone alone,
 * near 0 when it is missing. Silence gives 0.
 */
export function shareAt(samples, rate, hz) {
  const n = samples.length;
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let s1 = 0;
  let s2 = 0;
  let power = 0;
  for (let i = 0; i < n; i++) {
    const x = samples[i] * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
    const s0 = x + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
    power += x * x;
  }
  if (power < n * 1e-8) return 0; // quieter than -80 dB: what silence leaves behind
  const atTone = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  // A tone of amplitude a: |X|^2 = (a n/4)^2, windowed power = a^2/2 * 3n/8.
  return Math.min(1, (atTone * 3) / (n * power));
}

/**
 * Is the tone there, whole and alone, in a quarter of the sound at least? A browser that gets no time
 * leaves holes in what it sends and plays, but makes no tone that nobody sent.
 */
export function isHeard({ rate, samples }, hz) {
  const n = Math.floor(samples.length / 4);
  return [0, 1, 2, 3].some((i) => shareAt(samples.slice(i * n, (i + 1) * n), rate, hz) > HEARD);
}

/** Root mean square, 0..1. */
export function level(samples) {
  let power = 0;
  for (const x of samples) power += x * x;
  return Math.sqrt(power / samples.length);
}

/** The loudest of `candidates`, with its share. */
export function loudest(samples, rate, candidates) {
  return candidates
    .map((hz) => ({ hz, share: shareAt(samples, rate, hz) }))
    .reduce((a, b) => (b.share > a.share ? b : a));
}
