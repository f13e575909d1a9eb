/** Numbers to words: web/js/quality.js. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QualityJudge, sampleOf } from '../../web/js/quality.js';

/** A call of n seconds at 50 packets a second; `second(i)` may change a sample. */
function judge(n, second = () => ({}), judge = new QualityJudge(), start = { received: 0, lost: 0 }) {
    let { received, lost } = start;
    let verdict = null;
    for (let i = 0; i < n; i++) {
        const { lostNow = 0, receivedNow = 50 - lostNow, silentMs = 0, ...rest } = second(i);
        received += receivedNow;
        lost += lostNow;
        verdict = judge.push({ received, lost, jitter: 3, delay: 20, ...rest }, silentMs);
    }
    return { verdict, judge, end: { received, lost } };
}

const word = (...args) => judge(...args).verdict;

test('a clean line is good, without advice', () => {
    assert.deepEqual(word(10), { level: 'good', hint: '' });
});

test('nothing is claimed before there is something to judge', () => {
    assert.equal(word(1).level, 'measuring');
    assert.equal(word(2).level, 'measuring');
    assert.equal(word(3).level, 'good');
});

test('one lost packet is no news', () => {
    assert.equal(word(10, i => ({ lostNow: i === 5 ? 1 : 0 })).level, 'good');
});

test('each measure has its level and its words', () => {
    const cases = [
        [{ lostNow: 2 }, 'fair', 'loss-in'], [{ lostNow: 6 }, 'poor', 'loss-in-poor'],
        [{ jitter: 40 }, 'fair', 'jitter'], [{ jitter: 120 }, 'poor', 'jitter-poor'],
        [{ delay: 300 }, 'fair', 'delay'], [{ delay: 800 }, 'poor', 'delay-poor'],
    ];
    for (const [sample, level, hint] of cases) {
        assert.deepEqual(word(8, () => sample), { level, hint });
    }
});

test('the worst measure speaks', () => {
    assert.deepEqual(word(8, () => ({ lostNow: 2, delay: 900 })), { level: 'poor', hint: 'delay-poor' });
});

test('no packet for three seconds is more than a bad line', () => {
    assert.deepEqual(word(8, i => ({ receivedNow: i < 4 ? 50 : 0 })), { level: 'poor', hint: 'nothing-in' });
    assert.equal(word(8, i => ({ receivedNow: i < 4 ? 50 : 2 })).hint, '', 'DTX: two packets a second are a pause');
});

test('worse at once, better only after three seconds', () => {
    const bad = judge(8, () => ({ delay: 800 }));
    const after = n => judge(n, undefined, bad.judge, bad.end);
    assert.equal(after(3).verdict.level, 'poor', 'the window still remembers');
    assert.equal(after(6).verdict.level, 'good');
});

test('a microphone of exact zeros is mentioned, when the line itself is good', () => {
    assert.deepEqual(word(8, () => ({ silentMs: 11000 })), { level: 'good', hint: 'silent-microphone' });
    assert.equal(word(8, () => ({ silentMs: 9000 })).hint, '');
    assert.equal(word(8, () => ({ silentMs: 11000, delay: 900 })).hint, 'delay-poor');
});

test('packets that were counted lost and come late do not make it negative', () => {
    assert.equal(word(8, i => ({ lostNow: i === 4 ? -2 : 0, receivedNow: 50 })).level, 'good');
});

test('what the server reports of both lines blames neither', () => {
    const report = new Map([
        ['a', { type: 'inbound-rtp', kind: 'audio', packetsReceived: 10, packetsLost: 0 }],
        ['b', { type: 'remote-inbound-rtp', kind: 'audio', fractionLost: .25, roundTripTime: .05 }],
    ]);
    const judge = new QualityJudge();
    let verdict;
    for (let i = 0; i < 8; i++) {
        verdict = judge.push({ ...sampleOf(report), received: i * 50 });
    }
    assert.deepEqual(verdict, { level: 'good', hint: '' });
});

test('a report becomes a sample', () => {
    const report = new Map([
        ['a', { type: 'inbound-rtp', kind: 'audio', packetsReceived: 10, packetsLost: 1, jitter: .004,
            totalSamplesReceived: 48000, concealedSamples: 4800, silentConcealedSamples: 800,
            jitterBufferDelay: 2880, jitterBufferEmittedCount: 48000 }],
        ['b', { type: 'remote-inbound-rtp', kind: 'audio', fractionLost: .25, roundTripTime: .05 }],
        ['c', { type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: .9 }],
    ]);
    assert.deepEqual(sampleOf(report), {
        received: 10, lost: 1, jitter: 4, delay: 50,
        samples: 48000, concealed: 4000, emitted: 48000, bufferedSeconds: 2880,
    });
    report.delete('b');
    assert.equal(sampleOf(report).delay, 900);
    assert.equal(sampleOf(new Map()), null);
});
