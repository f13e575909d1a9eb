/** What a screen reader says by itself. Sighted people read the same elsewhere on the page. */
import { byId } from './dom.js';

function speak(id, text) {
    const region = byId(id);
    /* Emptied first, so that the same sentence twice is spoken twice. */
    region.textContent = '';
    requestAnimationFrame(() => (region.textContent = text));
}

/** After what is being read now. */
export const say = text => speak('say', text);

/** At once: somebody is calling. */
export const sayNow = text => speak('say-now', text);
