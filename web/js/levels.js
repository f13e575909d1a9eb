/** How loud a stream is, for the eye. */
import { audioContext } from './audio.js';

/** What counts as silence and as full, in dB under full scale: quiet room to close speech. */
const FLOOR_DB = -55;
const CEILING_DB = -12;

/**
 * @param {Float32Array} samples  -1..1
 * @returns {number} 0 (quiet) .. 1 (loud); exactly digital silence is -1
 */
export function levelOf(samples) {
    let sum = 0;
    for (const sample of samples) {
        sum += sample * sample;
    }
    if (sum === 0) {
        return -1;
    }
    const db = 10 * Math.log10(sum / samples.length);
    return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}

export class LevelMeter {
    #source;
    #analyser;
    #samples;

    /** @param {MediaStream} stream  borrowed: closing the meter does not stop it */
    constructor(stream) {
        const context = audioContext();
        this.#source = context.createMediaStreamSource(stream);
        this.#analyser = context.createAnalyser();
        this.#analyser.fftSize = 1024;
        this.#samples = new Float32Array(this.#analyser.fftSize);
        this.#source.connect(this.#analyser);
    }

    /** @returns {number} 0..1, or -1 = digital silence */
    read() {
        this.#analyser.getFloatTimeDomainData(this.#samples);
        return levelOf(this.#samples);
    }

    close() {
        this.#source.disconnect();
    }
}
