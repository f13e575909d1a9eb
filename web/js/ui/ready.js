/** "Who do you want to call?", and how others can call. */
import { inviteUrl, isLocalAddress } from '../environment.js';
import { t } from '../i18n.js';
import { initialOf } from '../names.js';
import { askToNotify, mayAskToNotify } from '../notify.js';
import { recallPeers } from '../storage.js';
import { byId, setText } from './dom.js';
import { say } from './say.js';
import { showProblem } from './welcome.js';

const COPIED_MS = 2500;

export class ReadyView {
    #dispatch;
    #peer = byId('peer');
    #link = '';
    #copied = 0;

    constructor(dispatch, wishes) {
        this.#dispatch = dispatch;
        this.#peer.value = wishes.peer;
        byId('call-form').addEventListener('submit', event => {
            event.preventDefault();
            dispatch({ type: 'CALL', peer: this.#peer.value });
        });
        byId('change-name').addEventListener('click', () => dispatch({ type: 'CHANGE_NAME' }));
        byId('invite-copy').addEventListener('click', () => this.#copy());
        byId('invite-share').addEventListener('click', () => this.#share());
        byId('notify').addEventListener('click', () => this.#notify());
        byId('invite-share').hidden = !('share' in navigator);
        byId('invite-local').hidden = !isLocalAddress(location);
        byId('notify').hidden = !mayAskToNotify();
    }

    render(state, previous) {
        if (state.phase !== 'ready') {
            return;
        }
        this.#link = inviteUrl(location, state.name);
        setText(byId('ready-title'), t('ready.title', { name: state.name }));
        setText(byId('ready-disc'), initialOf(state.name));
        setText(byId('ready-status'), t(state.registered ? 'ready.online' : 'ready.offline'));
        byId('ready-status').dataset.online = String(state.registered);
        setText(byId('invite-text'), t('ready.invite', { name: state.name }));
        setText(byId('invite-link'), this.#link);
        byId('call').setAttribute('aria-disabled', String(!state.registered));
        showProblem(this.#peer, state.peerProblem, byId('peer-problem'));
        /* The same state again: the language has changed. */
        if (previous.phase !== 'ready' || previous === state) {
            this.#showRecent(state.name);
        }
    }

    focusProblem() {
        this.#peer.focus();
    }

    /** One touch calls: these names were typed right before. */
    #showRecent(ownName) {
        const peers = recallPeers().filter(peer => peer !== ownName);
        byId('recent').hidden = peers.length === 0;
        byId('recent-list').replaceChildren(...peers.map(peer => {
            const button = document.createElement('button');
            button.type = 'button';
            button.className = 'chip';
            button.dir = 'auto';
            button.textContent = peer;
            button.setAttribute('aria-label', t('ready.recent-call', { peer }));
            button.addEventListener('click', () => {
                this.#peer.value = peer;
                this.#dispatch({ type: 'CALL', peer });
            });
            const item = document.createElement('li');
            item.append(button);
            return item;
        }));
    }

    async #copy() {
        try {
            await navigator.clipboard.writeText(this.#link);
        } catch {
            /* Not allowed: mark the address, so that copying by hand is one key. */
            getSelection().selectAllChildren(byId('invite-link'));
            return;
        }
        const text = byId('invite-copy-text');
        const icon = byId('invite-copy').querySelector('use');
        text.textContent = t('ready.copied');
        icon.setAttribute('href', 'icons.svg#check');
        say(t('ready.copied'));
        clearTimeout(this.#copied);
        this.#copied = setTimeout(() => {
            text.textContent = t('ready.copy');
            icon.setAttribute('href', 'icons.svg#copy');
        }, COPIED_MS);
    }

    async #share() {
        try {
            await navigator.share({ title: 'Duet', url: this.#link });
        } catch {
            /* closed without sending */
        }
    }

    async #notify() {
        const allowed = await askToNotify();
        byId('notify').hidden = !mayAskToNotify();
        say(t(allowed ? 'ready.notify-on' : 'ready.notify-off'));
        byId('peer').focus();
    }
}
