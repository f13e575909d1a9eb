// G.711 µ-law (PCMU), for a user that has nothing else.

const BIAS = 0x84;

/** One sample, -32768..32767, as a byte. */
export function encode(sample) {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32635) + BIAS;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

/** A byte as a sample, -1..1. */
export function decode(byte) {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + BIAS) << ((code & 0x70) >> 4)) - BIAS;
  return ((code & 0x80) ? -magnitude : magnitude) / 32768;
}

export const RATE = 8000;

/** Frame `number` of 20 ms of a tone. */
export function frame(hz, number) {
  const bytes = Buffer.alloc(RATE / 50);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = encode(Math.round(16000 * Math.sin((2 * Math.PI * hz * (number * bytes.length + i)) / RATE)));
  return bytes;
}
