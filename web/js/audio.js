/**
 * The page's one AudioContext, for ringing and for level meters. Browsers let it sound only after the
 * user has touched the page: unlockAudio() belongs into a click.
 */
let context = null;

/** @returns {AudioContext} */
export function audioContext() {
    context ??= new AudioContext();
    return context;
}

export function unlockAudio() {
    if (audioContext().state === 'suspended') {
        /* Refused when nobody has clicked yet; the next click tries again. */
        context.resume().catch(() => {});
    }
}
