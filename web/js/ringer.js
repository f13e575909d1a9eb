/**
 * The sounds of the page, made note by note: no files to load, none to license.
 */
import { audioContext } from './audio.js';

/**
 * A sound: notes ({ at [s], hz, length [s], gain 0..1 }), and how often it comes again [s]; 0 = once.
 * The ring-back tone is the 425 Hz of ITU-T E.180, as most of the world hears it.
 */
const SOUNDS = Object.freeze({
    incoming: {
        every: 3.2,
        notes: [
            { at: 0, hz: 659.3, length: .5, gain: .5 }, { at: .18, hz: 880, length: .6, gain: .5 },
            { at: .36, hz: 1108.7, length: .9, gain: .45 },
            { at: 1.1, hz: 659.3, length: .5, gain: .5 }, { at: 1.28, hz: 880, length: .6, gain: .5 },
            { at: 1.46, hz: 1108.7, length: 1, gain: .45 },
        ],
    },
    ringback: { every: 4, notes: [{ at: 0, hz: 425, length: 1, gain: .12 }] },
    connected: { every: 0, notes: [{ at: 0, hz: 659.3, length: .16, gain: .18 }, { at: .11, hz: 880, length: .26, gain: .18 }] },
    ended: { every: 0, notes: [{ at: 0, hz: 659.3, length: .16, gain: .18 }, { at: .13, hz: 493.9, length: .3, gain: .18 }] },
    test: { every: 0, notes: [{ at: 0, hz: 523.3, length: .35, gain: .4 }, { at: .22, hz: 659.3, length: .35, gain: .4 }, { at: .44, hz: 784, length: .7, gain: .4 }] },
});

function playNote(context, out, { at, hz, length, gain }) {
    const begin = context.currentTime + at;
    const oscillator = context.createOscillator();
    const envelope = context.createGain();
    oscillator.frequency.value = hz;
    /* Soft at both ends: a tone that is switched on clicks. */
    envelope.gain.setValueAtTime(0, begin);
    envelope.gain.linearRampToValueAtTime(gain, begin + .03);
    envelope.gain.setValueAtTime(gain, begin + length * .4);
    envelope.gain.exponentialRampToValueAtTime(.0001, begin + length);
    oscillator.connect(envelope).connect(out);
    oscillator.start(begin);
    oscillator.stop(begin + length + .05);
}

/** Plays one sound once. `out` = another destination than the speaker. */
export function playOnce(name, out = audioContext().destination) {
    for (const note of SOUNDS[name].notes) {
        playNote(audioContext(), out, note);
    }
}

/** Plays a repeated sound until stop(). One at a time. */
export class Ringer {
    #timer = 0;
    #out = null;
    #name = '';

    /** @param {''|'incoming'|'ringback'} name  '' = silence; the same name goes on as it is */
    play(name) {
        if (name === this.#name) {
            return;
        }
        this.stop();
        if (name === '') {
            return;
        }
        this.#name = name;
        this.#out = audioContext().createGain();
        this.#out.connect(audioContext().destination);
        const round = () => playOnce(name, this.#out);
        round();
        this.#timer = setInterval(round, SOUNDS[name].every * 1000);
    }

    stop() {
        clearInterval(this.#timer);
        this.#out?.disconnect();
        this.#out = null;
        this.#name = '';
    }

    /** For tests and for the curious. */
    get playing() {
        return this.#name;
    }
}
