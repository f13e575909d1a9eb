/** Durations as people read them, and a beat for what changes every second. */

/**
 * @param {number} ms  0 or more
 * @returns {string} "0:07", "12:30", "1:02:09"
 */
export function formatDuration(ms) {
    const seconds = Math.floor(ms / 1000);
    const two = value => String(value).padStart(2, '0');
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    return hours > 0
        ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
        : `${minutes}:${two(seconds % 60)}`;
}

/** Calls `beat` now and every `period_ms` until stop(). start() twice is one beat. */
export class Ticker {
    #timer = 0;

    start(beat, period_ms) {
        this.stop();
        beat();
        this.#timer = setInterval(beat, period_ms);
    }

    stop() {
        clearInterval(this.#timer);
        this.#timer = 0;
    }
}
