/** The call from the first ring to the hang-up: one view, its parts come and go with the phase. */
import { t } from '../i18n.js';
import { initialOf } from '../names.js';
import { formatDuration } from '../timer.js';
import { byId, setOptionalText, setText } from './dom.js';

/** Phase → the text under the name. talking shows the time. */
const STATUS = Object.freeze({
    preparing: 'call.preparing',
    calling: 'call.calling',
    incoming: 'call.incoming',
    connecting: 'call.connecting',
});

const RECORDED = Object.freeze({
    soon: 'call.recorded-soon',
    both: 'call.recorded-both',
    you: 'call.recorded-you',
    them: 'call.recorded-them',
    none: 'call.recorded-none',
    stopped: 'call.recorded-stopped',
});

/** What is recorded of the call, in words; '' when that never was the question. */
export const recordingNotice = state =>
    (state.recorded ? t(RECORDED[state.recorded]) : '');

const KEYS = Object.freeze({
    preparing: 'keys-outgoing',
    calling: 'keys-outgoing',
    connecting: 'keys-outgoing',
    incoming: 'keys-incoming',
    talking: 'keys-talking',
});

/** What a level (quality.js) is called, and the interruption that only the connection knows of. */
const QUALITY_WORDS = Object.freeze({
    measuring: 'quality.measuring',
    good: 'quality.good',
    fair: 'quality.fair',
    poor: 'quality.poor',
    lost: 'quality.lost',
});

export class CallView {
    #notice = null;

    constructor(dispatch) {
        const clicks = {
            'cancel': () => ({ type: 'HANG_UP' }),
            'hang-up': () => ({ type: 'HANG_UP' }),
            'answer': () => ({ type: 'ANSWER' }),
            'decline': () => ({ type: 'DECLINE' }),
            'mute': () => ({ type: 'MUTE', muted: byId('mute').dataset.on !== 'true' }),
        };
        for (const [id, event] of Object.entries(clicks)) {
            byId(id).addEventListener('click', () => dispatch(event()));
        }
    }

    render(state) {
        const keys = KEYS[state.phase];
        if (!keys) {
            this.#notice = null;
            return;
        }
        const { peer } = state;
        document.querySelector('[data-view="call"]').dataset.phase = state.phase;
        setText(byId('call-title'), peer);
        if (state.phase !== 'talking') {
            const isRinging = state.phase === 'calling' && state.ringing;
            setText(byId('call-status'), t(isRinging ? 'call.ringing' : STATUS[state.phase]));
        }
        setText(byId('call-recorded-text'), recordingNotice(state));
        byId('call-recorded').hidden = !state.recorded;
        byId('call-recorded').dataset.recorded = state.recorded;
        setOptionalText(byId('call-hint'), this.#hint(state));
        setText(byId('disc-you'), initialOf(state.name));
        setText(byId('disc-them'), initialOf(peer));
        setText(byId('label-them'), peer);
        for (const id of new Set(Object.values(KEYS))) {
            byId(id).hidden = id !== keys;
        }
        byId('muted-mark').toggleAttribute('hidden', !state.muted);
        byId('mute').dataset.on = String(state.muted);
        setText(byId('mute-text'), t(state.muted ? 'call.muted' : 'call.mute'));
    }

    /** Something about the devices, shown until the call ends or the next notice. */
    notice(key, params, state) {
        this.#notice = key ? { key, params } : null;
        this.render(state);
    }

    showTime(ms) {
        setText(byId('call-status'), formatDuration(ms));
    }

    /** @param {number} you  @param {number} them  0..1 */
    showLevels(you, them) {
        /* Through the object model: style attributes are closed by the Content-Security-Policy. */
        byId('level-you').style.transform = `scaleX(${you.toFixed(3)})`;
        byId('level-them').style.transform = `scaleX(${them.toFixed(3)})`;
        byId('halo-you').style.transform = `scale(${(1 + you * .22).toFixed(3)})`;
        byId('halo-them').style.transform = `scale(${(1 + them * .22).toFixed(3)})`;
    }

    clearLevels() {
        for (const id of ['level-you', 'level-them', 'halo-you', 'halo-them']) {
            byId(id).style.removeProperty('transform');
        }
    }

    /**
     * @param {{level: string, hint: string, whose: string}} word  of lines.js
     * @returns {string} what is shown, for who listens to the page
     */
    showQuality({ level, hint, whose }, peer) {
        const word = whose ? t(`quality.${whose}.${level}`, { peer }) : t(QUALITY_WORDS[level]);
        const advice = hint ? t(`quality.hint.${hint}`, { peer }) : '';
        byId('quality').dataset.level = level;
        setText(byId('quality-word'), word);
        setText(byId('quality-hint'), advice);
        return `${word}. ${advice}`;
    }

    #hint(state) {
        if (state.phase === 'preparing') {
            return t('call.preparing-hint');
        }
        if (state.phase !== 'talking') {
            return '';
        }
        if (this.#notice) {
            return t(this.#notice.key, this.#notice.params);
        }
        return state.muted ? t('call.muted-hint', { peer: state.peer }) : '';
    }
}
