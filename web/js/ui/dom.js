/** The few words that every view needs. An id that index.html lacks is a bug, and says so. */

/** @returns {HTMLElement} */
export function byId(id) {
    const element = document.getElementById(id);
    if (!element) {
        throw new Error(`index.html has no #${id}`);
    }
    return element;
}

/** Only writes what changes: a live region that is written again speaks again. */
export function setText(element, text) {
    if (element.textContent !== text) {
        element.textContent = text;
    }
}

/** A text that is not there takes no room. */
export function setOptionalText(element, text) {
    setText(element, text);
    element.hidden = text === '';
}

/** On devices with a keyboard and a mouse the next field may take the focus; on a phone that would raise the keyboard. */
export const prefersTyping = () => matchMedia('(hover: hover) and (pointer: fine)').matches;
