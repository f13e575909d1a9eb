/**
 * Languages. t('key', {peer}) gives a text; elements with data-i18n (text), data-i18n-label
 * (aria-label) and data-i18n-hint (placeholder) are filled by translate().
 *
 * Texts are set as text, never as HTML: a name with angle brackets stays a name.
 */
import en from '../i18n/en.js';
import id from '../i18n/id.js';
import { recall, remember } from './storage.js';

/** A language = one row here and one file in i18n/. `in` is a former code of Indonesian. */
const LANGUAGES = Object.freeze({
    en: { texts: en, matches: ['en'] },
    id: { texts: id, matches: ['id', 'in', 'ms'] },
});

const FALLBACK = 'en';
const listeners = new Set();
let current = FALLBACK;

/**
 * @param {readonly string[]} wanted  language tags, best first, as in navigator.languages
 * @param {string} remembered         what was chosen by hand; '' = never
 * @returns {string} a key of LANGUAGES
 */
export function pickLanguage(wanted, remembered) {
    if (Object.hasOwn(LANGUAGES, remembered)) {
        return remembered;
    }
    for (const tag of wanted) {
        const primary = tag.toLowerCase().split('-')[0];
        const found = Object.keys(LANGUAGES).find(code => LANGUAGES[code].matches.includes(primary));
        if (found) {
            return found;
        }
    }
    return FALLBACK;
}

/** The text of a key; a key that is missing shows itself, which tests/web/i18n.test.mjs rules out. */
export function t(key, params = {}) {
    const text = LANGUAGES[current].texts[key] ?? LANGUAGES[FALLBACK].texts[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (hole, name) => (Object.hasOwn(params, name) ? String(params[name]) : hole));
}

export const language = () => current;

/** Called with each change of the language; the page is translated already. */
export function onLanguage(listener) {
    listeners.add(listener);
}

function translate(root) {
    for (const element of root.querySelectorAll('[data-i18n]')) {
        element.textContent = t(element.dataset.i18n);
    }
    for (const element of root.querySelectorAll('[data-i18n-label]')) {
        element.setAttribute('aria-label', t(element.dataset.i18nLabel));
    }
    for (const element of root.querySelectorAll('[data-i18n-hint]')) {
        element.setAttribute('placeholder', t(element.dataset.i18nHint));
    }
}

function use(code) {
    current = code;
    document.documentElement.lang = code;
    translate(document);
    for (const listener of listeners) {
        listener(code);
    }
}

/** By hand: remembered. */
export function chooseLanguage(code) {
    remember('language', code);
    use(code);
}

export function initLanguage() {
    use(pickLanguage(navigator.languages ?? [navigator.language], recall('language')));
}
