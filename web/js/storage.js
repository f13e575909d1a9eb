/**
 * What the page remembers on this device. Never anything of a conversation. Storage can be switched
 * off or full: then nothing is remembered and everything else works.
 */

const PREFIX = 'duet.';
const RECENT_MAX = 6;

/** @returns {string} '' when there is nothing */
export function recall(key) {
    try {
        return localStorage.getItem(PREFIX + key) ?? '';
    } catch {
        return '';
    }
}

export function remember(key, value) {
    try {
        if (value === '') {
            localStorage.removeItem(PREFIX + key);
        } else {
            localStorage.setItem(PREFIX + key, value);
        }
    } catch {
        /* private window or quota: see above */
    }
}

/** @returns {string[]} names called or answered before, the last one first */
export function recallPeers() {
    try {
        const list = JSON.parse(recall('recent') || '[]');
        return Array.isArray(list) ? list.filter(name => typeof name === 'string').slice(0, RECENT_MAX) : [];
    } catch {
        return [];
    }
}

export function rememberPeer(peer) {
    const list = [peer, ...recallPeers().filter(name => name !== peer)].slice(0, RECENT_MAX);
    remember('recent', JSON.stringify(list));
}
