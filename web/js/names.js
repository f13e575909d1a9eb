/**
 * What a user may be called: the server's rule (docs/protocol.md), checked here so that the answer is
 * there before a round trip. 1 to 64 characters, no control characters; case matters.
 */

export const NAME_MAX = 64;

/**
 * @param {string} text  as typed; spaces around it do not count
 * @returns {{name: string, problem: null|'empty'|'long'|'control'}}
 */
export function checkName(text) {
    const name = text.trim();
    if (name === '') {
        return { name, problem: 'empty' };
    }
    if ([...name].length > NAME_MAX) {
        return { name, problem: 'long' };
    }
    /* eslint-disable-next-line no-control-regex */
    if (/[\u0000-\u001f\u007f-\u009f]/.test(name) || !name.isWellFormed?.() && /[\ud800-\udfff]/u.test(name)) {
        return { name, problem: 'control' };
    }
    return { name, problem: null };
}

/** The letter on somebody's disc: the first character that a reader would call one. */
export function initialOf(name) {
    const first = typeof Intl.Segmenter === 'function'
        ? new Intl.Segmenter().segment(name)[Symbol.iterator]().next().value?.segment
        : [...name][0];
    return (first ?? '').toLocaleUpperCase();
}
