/**
 * What tells somebody who looks elsewhere that a call comes in: the title blinks, a notification
 * stands in the corner of the screen (when allowed), a phone shakes.
 */

const BLINK_MS = 1000;
const VIBRATION_MS = [400, 200, 400, 1200];

const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export const canNotify = () => 'Notification' in globalThis;
export const mayAskToNotify = () => canNotify() && Notification.permission === 'default';

/** Belongs into a click. @returns {Promise<boolean>} allowed */
export async function askToNotify() {
    return (await Notification.requestPermission()) === 'granted';
}

export class Attention {
    #timer = 0;
    #shaking = 0;
    #notification = null;

    /** @param {string} title  @param {string} body  @param {string} idle  the title that it alternates with */
    start(title, body, idle) {
        this.stop(title);
        if (!calm()) {
            let on = true;
            this.#timer = setInterval(() => {
                on = !on;
                document.title = on ? title : idle;
            }, BLINK_MS);
        }
        this.#shake();
        this.#show(title, body);
    }

    /** @param {string} title  the one to leave behind */
    stop(title) {
        clearInterval(this.#timer);
        clearInterval(this.#shaking);
        this.#notification?.close();
        this.#notification = null;
        document.title = title;
        if (this.#shaking) {
            navigator.vibrate(0);
            this.#shaking = 0;
        }
    }

    #shake() {
        if ('vibrate' in navigator && navigator.userActivation?.hasBeenActive !== false) {
            const shake = () => navigator.vibrate(VIBRATION_MS);
            shake();
            this.#shaking = setInterval(shake, VIBRATION_MS.reduce((sum, ms) => sum + ms));
        }
    }

    #show(title, body) {
        if (!document.hidden || !canNotify() || Notification.permission !== 'granted') {
            return;
        }
        try {
            this.#notification = new Notification(title, { body, tag: 'duet-call', requireInteraction: true });
            this.#notification.addEventListener('click', event => {
                focus();
                event.target.close();
            });
        } catch {
            /* Chrome on Android has the constructor, but only service workers may use it: sound and title do. */
        }
    }
}
