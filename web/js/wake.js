/** Keeps the screen on during a call: several phones cut the microphone when it goes dark. */
let lock = null;
let wanted = false;

async function acquire() {
    if (!wanted || lock || document.hidden || !navigator.wakeLock) {
        return;
    }
    try {
        lock = await navigator.wakeLock.request('screen');
        lock.addEventListener('release', () => (lock = null));
        if (!wanted) {
            await lock?.release();
        }
    } catch {
        /* low battery: the system knows better */
    }
}

/** The system drops the lock when the page is hidden; looked at again, it is taken again. */
document.addEventListener('visibilitychange', acquire);

export function keepAwake(on) {
    wanted = on;
    if (on) {
        acquire();
    } else {
        lock?.release();
    }
}
