/** Where the page runs: can it call at all, what did its address ask for, what address to give away. */

/** The address where a server with default settings speaks https (https.listen). */
const DEFAULT_HTTPS_PORT = 8443;

const LOCAL_NAMES = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;

/** @returns {null|'insecure'|'browser'} what keeps this page from calling */
export function obstacle(global = globalThis) {
    if (!global.isSecureContext) {
        return 'insecure';
    }
    const complete = global.navigator?.mediaDevices?.getUserMedia && global.RTCPeerConnection
        && global.WebSocket && global.AudioContext;
    return complete ? null : 'browser';
}

export const httpsAddress = location => `https://${location.hostname}:${DEFAULT_HTTPS_PORT}${location.pathname}`;

export const isLocalAddress = location => LOCAL_NAMES.test(location.hostname);

/** The WebSocket lives beside the page: also behind a proxy that puts both into a folder. */
export function signalingUrl(location) {
    const url = new URL('one2one', `${location.origin}${location.pathname}`);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    return url.href;
}

/** @returns {string} opened by somebody else, it proposes to call `name` */
export function inviteUrl(location, name) {
    const url = new URL(location.pathname, location.origin);
    url.searchParams.set('call', name);
    return url.href;
}

/**
 * ?name=alice&call=bob fills the two fields; ?processing=off leaves the microphone's sound as it is
 * (music, measurements).
 */
export function wishes(location) {
    const query = new URLSearchParams(location.search);
    return {
        name: query.get('name') ?? '',
        peer: query.get('call') ?? '',
        processed: query.get('processing') !== 'off',
    };
}
