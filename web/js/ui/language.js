/** The two buttons at the top. */
import { chooseLanguage, language, onLanguage } from '../i18n.js';

export function initLanguageButtons() {
    const buttons = document.querySelectorAll('[data-language]');
    const mark = () => {
        for (const button of buttons) {
            button.setAttribute('aria-pressed', String(button.dataset.language === language()));
        }
    };
    for (const button of buttons) {
        button.addEventListener('click', () => chooseLanguage(button.dataset.language));
    }
    onLanguage(mark);
    mark();
}
