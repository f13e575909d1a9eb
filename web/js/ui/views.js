/** Which of the views is seen, and where the focus goes when that changes. */
import { byId, prefersTyping } from './dom.js';

/** Phase → view (data-view in index.html) and the field that is typed into first, if any. */
const VIEWS = Object.freeze({
    welcome: { view: 'welcome', field: 'name' },
    joining: { view: 'welcome', field: 'name' },
    ready: { view: 'ready', field: 'peer' },
    preparing: { view: 'call' },
    calling: { view: 'call' },
    incoming: { view: 'call' },
    connecting: { view: 'call' },
    talking: { view: 'call' },
    ended: { view: 'ended' },
    blocked: { view: 'blocked' },
});

let shown = '';

/**
 * Show the view of a phase. When it is another one, or when what had the focus is gone, the focus
 * goes to its first field (with a keyboard at hand) or its heading: reading and tabbing start there,
 * and a key that was meant for the view before does nothing.
 *
 * @param {string} phase
 * @param {boolean} fresh  a new thing to deal with, even in the same view: somebody calls
 */
export function showView(phase, fresh = false) {
    const { view, field } = VIEWS[phase];
    document.body.dataset.phase = phase;
    for (const section of document.querySelectorAll('[data-view]')) {
        section.hidden = section.dataset.view !== view;
    }
    const isFirst = shown === '';
    const isOther = shown !== view;
    shown = view;
    const focused = document.activeElement;
    const isLost = !focused || focused === document.body || focused.closest('[hidden]') !== null;
    if (isFirst ? !(field && prefersTyping()) : !(isOther || fresh || isLost)) {
        return;
    }
    if (document.querySelector('dialog[open]')) {
        return;
    }
    const heading = document.querySelector(`[data-view="${view}"] h1`);
    const target = field && prefersTyping() ? byId(field) : heading;
    target.focus({ preventScroll: true });
    if (isOther) {
        scrollTo(0, 0);
    }
}
