/** The small pure parts: names, addresses, durations, back-off, levels, reasons of the microphone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microphoneReason } from '../../web/js/devices.js';
import { httpsAddress, inviteUrl, isLocalAddress, obstacle, signalingUrl, wishes } from '../../web/js/environment.js';
import { levelOf } from '../../web/js/levels.js';
import { checkName, initialOf } from '../../web/js/names.js';
import { ENDINGS } from '../../web/js/reasons.js';
import { backoffMs } from '../../web/js/signaling.js';
import { formatDuration } from '../../web/js/timer.js';

test('names are trimmed, counted in characters and free of control characters', () => {
    assert.deepEqual(checkName(' bob '), { name: 'bob', problem: null });
    assert.equal(checkName('é'.repeat(64)).problem, null);
    assert.equal(checkName('é'.repeat(65)).problem, 'long');
    assert.equal(checkName('a\u0085b').problem, 'control');
    assert.equal(checkName('\ud800').problem, 'control', 'half a character cannot be sent');
    assert.equal(checkName('😀').problem, null);
});

test('the letter on a disc is a whole one', () => {
    assert.equal(initialOf('alice'), 'A');
    assert.equal(initialOf('👩‍👧 mum'), '👩‍👧');
    assert.equal(initialOf(''), '');
});

test('durations', () => {
    assert.equal(formatDuration(0), '0:00');
    assert.equal(formatDuration(7999), '0:07');
    assert.equal(formatDuration(750_000), '12:30');
    assert.equal(formatDuration(3_729_000), '1:02:09');
});

test('pauses grow, stay bounded and are spread', () => {
    assert.equal(backoffMs(0, .5), 500);
    assert.equal(backoffMs(2, .5), 2000);
    assert.equal(backoffMs(99, 1), 18750);
    assert.ok(backoffMs(3, 0) < backoffMs(3, 1));
});

test('addresses', () => {
    assert.equal(signalingUrl(new URL('https://h:8443/?call=bob')), 'wss://h:8443/one2one');
    assert.equal(signalingUrl(new URL('http://localhost:8080/')), 'ws://localhost:8080/one2one');
    assert.equal(signalingUrl(new URL('https://h/phone/')), 'wss://h/phone/one2one', 'behind a proxy, in a folder');
    assert.equal(inviteUrl(new URL('https://h:8443/?name=x'), 'a&b c'), 'https://h:8443/?call=a%26b+c');
    assert.equal(httpsAddress(new URL('http://192.0.2.7:8080/')), 'https://192.0.2.7:8443/');
    for (const [url, local] of [['http://localhost:1/', true], ['http://127.0.0.1/', true], ['http://[::1]:1/', true],
        ['https://duet.example/', false], ['http://localhost.example/', false]]) {
        assert.equal(isLocalAddress(new URL(url)), local, url);
    }
    assert.deepEqual(wishes(new URL('http://h/?name=alice&call=bob&processing=off')), { name: 'alice', peer: 'bob', processed: false });
});

test('what keeps a page from calling', () => {
    const able = { isSecureContext: true, navigator: { mediaDevices: { getUserMedia() {} } },
        RTCPeerConnection: 1, WebSocket: 1, AudioContext: 1 };
    assert.equal(obstacle(able), null);
    assert.equal(obstacle({ ...able, isSecureContext: false }), 'insecure');
    assert.equal(obstacle({ ...able, RTCPeerConnection: undefined }), 'browser');
});

test('levels: silence, quiet, loud', () => {
    const tone = gain => Float32Array.from({ length: 1024 }, (_, i) => gain * Math.sin(i / 5));
    assert.equal(levelOf(new Float32Array(64)), -1);
    assert.equal(levelOf(tone(.0005)), 0);
    assert.equal(levelOf(tone(1)), 1);
    assert.ok(levelOf(tone(.02)) < levelOf(tone(.1)));
});

test('each way a microphone fails has an ending', () => {
    for (const name of ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'OverconstrainedError', 'TypeError']) {
        assert.ok(Object.hasOwn(ENDINGS, microphoneReason({ name })), name);
    }
});
