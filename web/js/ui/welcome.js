/** "Your name". */
import { t } from '../i18n.js';
import { byId, setOptionalText, setText } from './dom.js';

/** A text under a field, tied to it for those who do not see it. */
export function showProblem(field, problem, element) {
    setOptionalText(element, problem ? t(problem.key, problem.params) : '');
    field.toggleAttribute('aria-invalid', false);
    if (problem) {
        field.setAttribute('aria-invalid', 'true');
    }
}

export class WelcomeView {
    #name = byId('name');
    #peerWanted;

    /**
     * @param {(event: object) => void} dispatch
     * @param {{name: string, peer: string}} wishes  what to write into the field; whom to promise
     */
    constructor(dispatch, wishes) {
        this.#name.value = wishes.name;
        this.#peerWanted = wishes.peer;
        byId('welcome-form').addEventListener('submit', event => {
            event.preventDefault();
            dispatch({ type: 'JOIN', name: this.#name.value });
        });
    }

    render(state) {
        const isJoining = state.phase === 'joining';
        const lead = document.querySelector('[data-view="welcome"] .lead');
        setText(lead, this.#peerWanted
            ? t('welcome.lead-call', { peer: this.#peerWanted })
            : t('welcome.lead'));
        setText(byId('register'), t(isJoining ? 'welcome.joining' : 'welcome.go'));
        byId('register').setAttribute('aria-disabled', String(isJoining && state.link !== 'waiting'));
        showProblem(this.#name, state.nameProblem, byId('name-problem'));
    }

    /** The focus goes where something has to be done. */
    focusProblem() {
        this.#name.focus();
        this.#name.select();
    }
}
