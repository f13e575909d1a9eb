/**
 * Why a call ended, as the page says it: one row a reason. The texts are ended.<reason>.title and
 * ended.<reason>.hint in i18n/; `again` offers the call once more, `symbol` is an icon of icons.svg.
 *
 * Adding a reason = one row here, two texts in each language.
 */

/** @type {Readonly<Record<string, {symbol: string, again: boolean, calm?: boolean}>>} */
export const ENDINGS = Object.freeze({
    'hung-up': { symbol: 'hang-up', again: true, calm: true },
    'peer-hung-up': { symbol: 'hang-up', again: true, calm: true },
    'declined': { symbol: 'hang-up', again: true, calm: true },
    'busy': { symbol: 'clock', again: true, calm: true },
    'no-answer': { symbol: 'clock', again: true, calm: true },
    'missed': { symbol: 'phone', again: true, calm: true },
    'not-online': { symbol: 'away', again: true, calm: true },
    'microphone-refused': { symbol: 'mic-off', again: true },
    'microphone-none': { symbol: 'mic-off', again: true },
    'microphone-in-use': { symbol: 'mic-off', again: true },
    'microphone-failed': { symbol: 'mic-off', again: true },
    'media-failed': { symbol: 'warning', again: true },
    'media-lost': { symbol: 'warning', again: true },
    'peer-lost': { symbol: 'warning', again: true },
    'server-lost': { symbol: 'warning', again: true },
    'server-stopped': { symbol: 'warning', again: true },
    'server-full': { symbol: 'clock', again: true },
    'server-error': { symbol: 'warning', again: true },
    'no-common-codec': { symbol: 'warning', again: false },
    'refused': { symbol: 'warning', again: true },
});

/** The server's `reason` (docs/protocol.md#reasons) to ours; what is not here becomes `refused`. */
const FROM_SERVER = Object.freeze({
    'hang-up': 'peer-hung-up',
    'declined': 'declined',
    'busy': 'busy',
    'cancelled': 'missed',
    'not-ringing': 'missed',
    'unknown-from': 'missed',
    'no-answer': 'no-answer',
    'peer-lost': 'peer-lost',
    'not-registered': 'not-online',
    'media-failed': 'media-failed',
    'media-lost': 'media-lost',
    'no-common-codec': 'no-common-codec',
    'server-shutdown': 'server-stopped',
    'server-full': 'server-full',
    'server-error': 'server-error',
});

/** The same for servers that send no `reason`: the sentences of the Kurento tutorials. */
const FROM_SENTENCE = [
    [/is not registered$/, 'not-online'],
    [/^user declined$/, 'declined'],
    [/^remote user hanged out$/, 'peer-hung-up'],
];

/**
 * The reason of a callResponse that is no "accepted", or of a stopCommunication.
 *
 * @param {{reason?: string, message?: unknown, response?: string}} message
 * @param {'caller'|'callee'} role  what this page is in the call
 * @param {boolean} accepted        whether the call had been accepted here
 * @returns {string} a key of ENDINGS
 */
export function endingOf(message, role, accepted) {
    const sentence = [message.message, message.response].filter(text => typeof text === 'string');
    const found = message.reason !== undefined
        ? FROM_SERVER[message.reason]
        : FROM_SENTENCE.find(([pattern]) => sentence.some(text => pattern.test(text)))?.[1];
    /* Whatever stops the ringing before somebody answered it, to the one who was called it is a missed call. */
    const stillRinging = role === 'callee' && !accepted;
    if (stillRinging && ['peer-hung-up', 'no-answer', 'missed', 'peer-lost', undefined].includes(found)) {
        return 'missed';
    }
    return found ?? 'refused';
}
