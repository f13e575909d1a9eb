/** The languages say the same things, and the page asks for nothing that they do not say. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import en from '../../web/i18n/en.js';
import id from '../../web/i18n/id.js';
import { pickLanguage } from '../../web/js/i18n.js';
import { ENDINGS } from '../../web/js/reasons.js';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const holes = text => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort();

function sources(folder) {
    return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
        const path = join(folder, entry.name);
        return entry.isDirectory() ? sources(path) : /\.(js|html)$/.test(path) && !path.includes('i18n/') ? [path] : [];
    });
}

const code = sources(WEB).map(path => readFileSync(path, 'utf8')).join('\n');

test('both languages have the same keys, in the same order', () => {
    assert.deepEqual(Object.keys(id), Object.keys(en));
});

test('no text is empty, and each fills the same holes', () => {
    for (const key of Object.keys(en)) {
        assert.ok(en[key].trim() && id[key].trim(), key);
        assert.deepEqual(holes(id[key]), holes(en[key]), key);
    }
});

test('the page asks for no key that is missing', () => {
    const asked = new Set([...code.matchAll(/'((?:[a-z]+)(?:\.[a-z-]+)+)'|data-i18n(?:-\w+)?="([^"]+)"/g)]
        .map(match => match[1] ?? match[2])
        .filter(key => Object.keys(en).some(known => known.split('.')[0] === key.split('.')[0])));
    assert.ok(asked.size > 60, 'the search still finds them');
    for (const key of asked) {
        assert.ok(Object.hasOwn(en, key), key);
    }
});

test('no text is left over', () => {
    const built = /^(ended\.[a-z-]+\.(title|hint)|quality\.hint\.[a-z-]+|quality\.(you|them|both)\.(fair|poor)|blocked\.\w+\.(title|hint)|problem\.name-\w+)$/;
    for (const key of Object.keys(en)) {
        assert.ok(built.test(key) || code.includes(`'${key}'`) || code.includes(`"${key}"`), key);
    }
});

test('every ending has its title and its advice, and no others are written', () => {
    for (const reason of Object.keys(ENDINGS)) {
        assert.ok(en[`ended.${reason}.title`], reason);
        assert.ok(en[`ended.${reason}.hint`], reason);
    }
    for (const key of Object.keys(en).filter(key => /^ended\..*\.title$/.test(key))) {
        assert.ok(Object.hasOwn(ENDINGS, key.split('.')[1]), key);
    }
});

test('every hint of the quality judge has words', () => {
    for (const measure of ['loss-in', 'loss-out', 'jitter', 'delay']) {
        assert.ok(en[`quality.hint.${measure}`] && en[`quality.hint.${measure}-poor`], measure);
    }
});

test('the language: by hand, else the first one that is known, else English', () => {
    assert.equal(pickLanguage(['en-US'], 'id'), 'id');
    assert.equal(pickLanguage(['id-ID', 'en'], ''), 'id');
    assert.equal(pickLanguage(['in'], ''), 'id', 'the former code of Indonesian');
    assert.equal(pickLanguage(['de-DE', 'id'], ''), 'id');
    assert.equal(pickLanguage(['de-DE'], ''), 'en');
    assert.equal(pickLanguage([], 'xx'), 'en');
});
