/**
 * Whose connection is the bad one. The page alone cannot know: what is missing of the other side may
 * have got lost on either line. The server stands between the two and says of each how it is
 * (docs/protocol.md, quality); here both views become one sentence.
 */

/** How often the server is asked, and the first time [s after the call began]. */
export const ASK_EVERY_S = 5;
export const ASK_FIRST_S = 3;

/** What the server said longer ago is not true any more [ms]. */
const TRUE_FOR_MS = 15000;

const ORDER = ['measuring', 'good', 'fair', 'poor'];
const worse = (a, b) => (ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b);
const isBad = ({ line }) => line === 'fair' || line === 'poor';

/** Trouble of our own line → hint (after quality.hint.), as a fair and as a poor one. */
const OURS = Object.freeze({
    'silent': ['silent-out', 'silent-out'],
    'loss-up': ['loss-out', 'loss-out-poor'],
    'loss-down': ['loss-in', 'loss-in-poor'],
    'concealed': ['loss-in', 'loss-in-poor'],
    'jitter': ['jitter', 'jitter-poor'],
    'delay': ['delay', 'delay-poor'],
});

/** Of the other's line: there is nothing to do here but to know, and to be patient. */
const THEIRS = Object.freeze({
    'silent': ['nothing-in', 'nothing-in'],
    'delay': ['delay', 'delay-poor'],
});

/** A trouble that this page does not know yet still has its word. */
const hintOf = (table, { trouble }, level, otherwise) => (table[trouble] ?? otherwise)[level === 'poor' ? 1 : 0];

/** What the server says of both lines. One object a call. */
export class Lines {
    #said = null;
    #at = 0;

    /** @param {object} message  `quality` of the server  @param {number} now [ms] */
    told({ you, them }, now) {
        if (typeof you?.line === 'string' && typeof them?.line === 'string') {
            this.#said = { you, them };
            this.#at = now;
        }
    }

    /**
     * @param {{level: string, hint: string}} own  what this page finds by itself (quality.js)
     * @param {number} now [ms]
     * @returns {{level: string, hint: string, whose: ''|'you'|'them'|'both'}} '' = the word alone
     */
    word(own, now) {
        const said = this.#said && now - this.#at < TRUE_FOR_MS ? this.#said : null;
        if (!said || (!isBad(said.you) && !isBad(said.them))) {
            return { ...own, whose: '' };
        }
        const { you, them } = said;
        /* That nothing comes is seen here first; whose line it is only the server can know. */
        if (own.hint === 'nothing-in') {
            return { ...own, whose: isBad(them) && !isBad(you) ? 'them' : '' };
        }
        const level = worse(own.level, worse(you.line, them.line));
        if (isBad(you) && you.line === them.line) {
            return { level, whose: 'both', hint: 'both' };
        }
        return worse(you.line, them.line) === you.line && isBad(you)
            ? { level, whose: 'you', hint: hintOf(OURS, you, level, ['jitter', 'jitter-poor']) }
            : { level, whose: 'them', hint: hintOf(THEIRS, them, level, ['theirs', 'theirs']) };
    }
}

/** What a second of hearing was like, from two samples (quality.js) of which `before` is older. */
export function hearingOf(before, now) {
    const samples = now.samples - before.samples;
    const emitted = now.emitted - before.emitted;
    const share = samples > 0 ? (now.concealed - before.concealed) / samples : null;
    return {
        concealed: share === null ? null : Math.round(Math.min(Math.max(share, 0), 1) * 1000),
        jitterBuffer: emitted > 0
            ? Math.min(Math.max(Math.round((now.bufferedSeconds - before.bufferedSeconds) / emitted * 1000), 0), 10000)
            : null,
    };
}
