/**
 * When the way of the audio is looked for anew (an ICE restart). Decisions only: what is seen goes in,
 * restart() and giveUp() come out.
 *
 * The browser calls a connection disconnected after some seconds without an answer; many of these
 * heal by themselves, so a moment is waited. A change of network is certain: there the restart is
 * made at once, while the old way may still carry the audio.
 */

/** How long a disconnected connection may heal by itself [ms]. */
export const PATIENCE_MS = 2000;

/** A restart that has not helped is followed by the next [ms]. */
export const AGAIN_MS = 4000;

/** Changes of the network come in bursts; one restart is for all within this time [ms]. */
export const BURST_MS = 1000;

/** The server, too, gives a silent side up after 30 s; then there is nothing to come back to [ms]. */
export const GIVE_UP_MS = 30000;

const CLOCK = {
    now: () => performance.now(),
    set: (run, ms) => setTimeout(run, ms),
    clear: timer => clearTimeout(timer),
};

export class Reconnect {
    #on;
    #clock;
    #wasUp = false;
    #isUp = false;
    #timer = 0;
    #limit = 0;
    #restartedAt = -Infinity;

    /**
     * @param {{restart: () => void, giveUp: () => void}} on
     * @param {typeof CLOCK} clock  replaced by tests
     */
    constructor(on, clock = CLOCK) {
        this.#on = on;
        this.#clock = clock;
    }

    /** @param {RTCPeerConnectionState} state */
    state(state) {
        if (state === 'connected') {
            this.#wasUp = true;
            this.#isUp = true;
            this.close();
        } else if (state === 'disconnected') {
            this.#down(PATIENCE_MS);
        } else if (state === 'failed') {
            this.#down(0);
        }
    }

    /** The device has another network, or one again. */
    networkChanged() {
        if (this.#wasUp && this.#clock.now() - this.#restartedAt >= BURST_MS) {
            this.#restart();
        }
    }

    /** Nothing comes out any more, until something goes in. */
    close() {
        this.#clock.clear(this.#timer);
        this.#clock.clear(this.#limit);
        this.#timer = 0;
        this.#limit = 0;
    }

    #down(patience) {
        this.#isUp = false;
        if (!this.#wasUp) {
            if (patience === 0) {
                this.#on.giveUp();
            }
            return;
        }
        if (!this.#limit) {
            this.#limit = this.#clock.set(() => {
                this.close();
                this.#on.giveUp();
            }, GIVE_UP_MS);
        }
        const since = this.#clock.now() - this.#restartedAt;
        this.#later(since < AGAIN_MS ? AGAIN_MS - since : patience);
    }

    #later(ms) {
        this.#clock.clear(this.#timer);
        this.#timer = this.#clock.set(() => this.#restart(), ms);
    }

    #restart() {
        this.#restartedAt = this.#clock.now();
        this.#on.restart();
        if (!this.#isUp) {
            this.#later(AGAIN_MS);
        }
    }
}
