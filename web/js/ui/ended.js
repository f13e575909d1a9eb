/** Why it is over, and what to do now. */
import { t } from '../i18n.js';
import { ENDINGS } from '../reasons.js';
import { formatDuration } from '../timer.js';
import { byId, setOptionalText, setText } from './dom.js';

/** The button's text: a missed call is called back, what failed is tried again. */
function againText(state, ending) {
    if (state.ending.reason === 'missed') {
        return t('ended.call-back');
    }
    return t(ending.calm ? 'ended.again' : 'ended.try-again');
}

export class EndedView {
    #peer = '';

    constructor(dispatch) {
        byId('call-again').addEventListener('click', () => dispatch({ type: 'CALL', peer: this.#peer }));
        byId('back').addEventListener('click', () => dispatch({ type: 'DISMISS' }));
    }

    render(state) {
        if (state.phase !== 'ended') {
            return;
        }
        const { reason, detail, talkedMs } = state.ending;
        const { peer } = state;
        const ending = ENDINGS[reason];
        this.#peer = peer;
        byId('ended-symbol').querySelector('use').setAttribute('href', `icons.svg#${ending.symbol}`);
        byId('ended-symbol').classList.toggle('warn', !ending.calm);
        setText(byId('ended-title'), t(`ended.${reason}.title`, { peer }));
        setText(byId('ended-hint'), t(`ended.${reason}.hint`, { peer }));
        setOptionalText(byId('ended-talked'), talkedMs > 0 ? t('ended.talked', { time: formatDuration(talkedMs) }) : '');
        /* The server's or the browser's own words help whoever is asked for help, only where ours are vague. */
        setOptionalText(byId('ended-detail'), ['refused', 'microphone-failed'].includes(reason) ? detail : '');
        byId('call-again').hidden = !ending.again;
        byId('call-again').setAttribute('aria-disabled', String(!state.registered));
        setText(byId('call-again-text'), againText(state, ending));
    }
}
