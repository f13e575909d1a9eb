/**
 * The WebSocket to the server: kept open from open() to close(), whatever happens to it in between.
 * Frames are the JSON objects of docs/protocol.md; what they mean is not known here.
 *
 * Lost, it comes back by itself, each time after a longer pause, at once when the device says that
 * it is online again or the page is looked at again.
 */

/** Pauses before the next try [ms]. The last one repeats. */
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15000];

/** A connection that is not there after this time is given up [ms]. */
const OPEN_TIMEOUT_MS = 10000;

/** RFC 6455 §7.4.1: the server is going away. */
const CLOSE_GOING_AWAY = 1001;

/**
 * @param {number} n      how many tries failed, from 0
 * @param {number} chance 0..1; spreads the return of many pages after a restart of the server
 * @returns {number} pause before the next try [ms]
 */
export function backoffMs(n, chance) {
    const pause = BACKOFF_MS[Math.min(n, BACKOFF_MS.length - 1)];
    return Math.round(pause * (0.75 + 0.5 * chance));
}

export class Signaling {
    #url;
    #on;
    #socket = null;
    #wanted = false;
    #failures = 0;
    #retryTimer = 0;
    #openTimer = 0;

    /**
     * @param {string} url
     * @param {{opening: () => void, open: () => void, message: (message: object) => void,
     *          lost: (info: {stopped: boolean}) => void}} on  `lost` also after a try that failed
     */
    constructor(url, on) {
        this.#url = url;
        this.#on = on;
        addEventListener('online', () => this.retryNow());
        document.addEventListener('visibilitychange', () => {
            if (!document.hidden) {
                this.retryNow();
            }
        });
    }

    open() {
        this.#wanted = true;
        this.#failures = 0;
        this.#connect();
    }

    /** For good, until the next open(). No more events come. */
    close() {
        this.#wanted = false;
        clearTimeout(this.#retryTimer);
        clearTimeout(this.#openTimer);
        const socket = this.#socket;
        this.#socket = null;
        socket?.close(1000);
    }

    /** A frame while there is no connection is dropped: the server forgot the call with the socket. */
    send(message) {
        if (this.#socket?.readyState === WebSocket.OPEN) {
            this.#socket.send(JSON.stringify(message));
        }
    }

    /** Try at once when a pause is running. */
    retryNow() {
        if (this.#wanted && !this.#socket) {
            this.#connect();
        }
    }

    #connect() {
        clearTimeout(this.#retryTimer);
        clearTimeout(this.#openTimer);
        this.#on.opening();
        const socket = new WebSocket(this.#url);
        this.#socket = socket;
        this.#openTimer = setTimeout(() => socket.close(), OPEN_TIMEOUT_MS);
        /* An old socket may still speak after close(): only the present one is listened to. */
        const present = handler => event => {
            if (this.#socket === socket) {
                handler(event);
            }
        };
        socket.addEventListener('open', present(() => {
            clearTimeout(this.#openTimer);
            this.#failures = 0;
            this.#on.open();
        }));
        socket.addEventListener('message', present(event => this.#receive(event.data)));
        socket.addEventListener('close', present(event => this.#lost(event.code)));
    }

    #lost(code) {
        clearTimeout(this.#openTimer);
        this.#socket = null;
        this.#retryTimer = setTimeout(() => this.#connect(), backoffMs(this.#failures, Math.random()));
        this.#failures += 1;
        this.#on.lost({ stopped: code === CLOSE_GOING_AWAY });
    }

    #receive(data) {
        let message = null;
        try {
            message = JSON.parse(data);
        } catch {
            /* falls through to the check below */
        }
        if (message === null || typeof message !== 'object' || typeof message.id !== 'string') {
            console.warn('a frame that is no message was ignored');
            return;
        }
        this.#on.message(message);
    }
}
