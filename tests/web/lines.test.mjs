/** What the server says of both lines, and what the page finds itself, become one sentence: web/js/lines.js. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import en from '../../web/i18n/en.js';
import { Lines, hearingOf } from '../../web/js/lines.js';

const GOOD = { level: 'good', hint: '' };
const good = { line: 'good' };
const fair = trouble => ({ line: 'fair', trouble });
const poor = trouble => ({ line: 'poor', trouble });

function word(you, them, own = GOOD, age = 0) {
    const lines = new Lines();
    if (you) {
        lines.told({ id: 'quality', you, them }, 1000);
    }
    return lines.word(own, 1000 + age);
}

test('each pair of lines has its sentence', () => {
    const cases = [
        [good, good, 'good', '', ''],
        [{ line: 'unknown' }, good, 'good', '', ''],
        [poor('loss-up'), good, 'poor', 'you', 'loss-out-poor'],
        [fair('loss-up'), good, 'fair', 'you', 'loss-out'],
        [fair('loss-down'), good, 'fair', 'you', 'loss-in'],
        [poor('concealed'), good, 'poor', 'you', 'loss-in-poor'],
        [poor('jitter'), fair('delay'), 'poor', 'you', 'jitter-poor'],
        [fair('delay'), { line: 'unknown' }, 'fair', 'you', 'delay'],
        [poor('silent'), good, 'poor', 'you', 'silent-out'],
        [poor('of next year'), good, 'poor', 'you', 'jitter-poor'],
        [good, poor('loss-up'), 'poor', 'them', 'theirs'],
        [good, fair('jitter'), 'fair', 'them', 'theirs'],
        [fair('delay'), poor('delay'), 'poor', 'them', 'delay-poor'],
        [good, poor('silent'), 'poor', 'them', 'nothing-in'],
        [poor('loss-up'), poor('delay'), 'poor', 'both', 'both'],
        [fair('loss-up'), fair('loss-up'), 'fair', 'both', 'both'],
    ];
    for (const [you, them, level, whose, hint] of cases) {
        assert.deepEqual(word(you, them), { level, whose, hint }, `${JSON.stringify(you)} ${JSON.stringify(them)}`);
    }
});

test('every sentence and every hint has its text', () => {
    const troubles = ['silent', 'loss-up', 'loss-down', 'concealed', 'jitter', 'delay', 'else'];
    for (const a of [good, ...troubles.map(fair), ...troubles.map(poor)]) {
        for (const b of [good, ...troubles.map(fair), ...troubles.map(poor)]) {
            const { level, hint, whose } = word(a, b);
            assert.ok(whose === '' || en[`quality.${whose}.${level}`], `${whose} ${level}`);
            assert.ok(hint === '' || en[`quality.hint.${hint}`], hint);
        }
    }
});

test('without the server, or long after its word, the page speaks for itself', () => {
    const own = { level: 'fair', hint: 'loss-in' };
    assert.deepEqual(word(null, null, own), { ...own, whose: '' });
    assert.deepEqual(word(good, poor('loss-up'), own, 20000), { ...own, whose: '' });
    assert.deepEqual(word(good, good, own), { ...own, whose: '' }, 'both lines are good, but it is heard otherwise');
});

test('what is heard here may be worse than what the server saw', () => {
    assert.deepEqual(word(good, fair('loss-up'), { level: 'poor', hint: 'loss-in-poor' }),
        { level: 'poor', whose: 'them', hint: 'theirs' });
    assert.deepEqual(word(fair('loss-up'), good, { level: 'poor', hint: 'loss-in-poor' }),
        { level: 'poor', whose: 'you', hint: 'loss-out-poor' });
    const nothing = { level: 'poor', hint: 'nothing-in' };
    assert.deepEqual(word(good, poor('silent'), nothing), { ...nothing, whose: 'them' });
    assert.deepEqual(word(poor('loss-down'), poor('silent'), nothing), { ...nothing, whose: '' });
    assert.deepEqual(word(good, good, nothing), { ...nothing, whose: '' });
    assert.equal(word(good, poor('loss-up'), { level: 'measuring', hint: '' }).whose, 'them');
});

test('a message without the two lines is nothing', () => {
    const lines = new Lines();
    for (const message of [{}, { you: 1, them: null }, { you: { line: 'poor' } }, { you: { line: 1 }, them: good }]) {
        lines.told(message, 0);
        assert.deepEqual(lines.word(GOOD, 0), { ...GOOD, whose: '' });
    }
});

test('hearing is what happened between two samples', () => {
    const before = { samples: 48000, concealed: 100, emitted: 48000, bufferedSeconds: 100 };
    const now = { samples: 288000, concealed: 2500, emitted: 288000, bufferedSeconds: 14500 };
    assert.deepEqual(hearingOf(before, now), { concealed: 10, jitterBuffer: 60 });
    assert.deepEqual(hearingOf(now, now), { concealed: null, jitterBuffer: null });
    assert.deepEqual(hearingOf(now, before), { concealed: null, jitterBuffer: null });
    assert.equal(hearingOf(before, { ...now, concealed: 999999 }).concealed, 1000);
    assert.equal(hearingOf(before, { ...now, concealed: 0 }).concealed, 0);
});
