/** The line at the top about the connection to the server. No line is good news. */
import { t } from '../i18n.js';
import { isInCall } from '../state.js';
import { byId, setText } from './dom.js';

/** A connection that comes quickly needs no line [ms]. */
const PATIENCE_MS = 1200;

export class Banner {
    #patience = 0;

    constructor(retry) {
        byId('banner-retry').addEventListener('click', retry);
    }

    render(state) {
        const key = bannerKey(state);
        clearTimeout(this.#patience);
        if (key === 'link.opening') {
            this.#patience = setTimeout(() => this.#show(key), PATIENCE_MS);
            return;
        }
        this.#show(key);
    }

    #show(key) {
        byId('banner').hidden = key === '';
        byId('banner-retry').hidden = key !== 'link.waiting' && key !== 'link.waiting-call';
        setText(byId('banner-text'), key ? t(key) : '');
    }
}

/** @returns {string} a text's key, '' = no banner */
export function bannerKey(state) {
    if (state.phase === 'welcome' || state.phase === 'blocked') {
        return '';
    }
    if (state.link === 'waiting') {
        return isInCall(state) ? 'link.waiting-call' : 'link.waiting';
    }
    if (state.link === 'opening') {
        return 'link.opening';
    }
    return state.refusals > 0 && !state.registered ? 'link.taken' : '';
}
