/** How the microphone is sent: web/js/media.js. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendMicrophone } from '../../web/js/media.js';

const track = { kind: 'audio' };
const stream = { getAudioTracks: () => [track] };

test('Opus may adapt to a thin line', () => {
    const sender = {};
    const connection = {
        addTransceiver(added, init) {
            assert.equal(added, track);
            assert.deepEqual(init, { streams: [stream], sendEncodings: [{ adaptivePtime: true }] });
            return { sender };
        },
    };
    assert.equal(sendMicrophone(connection, stream), sender);
});

test('a browser that refuses encodings still sends', t => {
    const warned = t.mock.method(console, 'warn', () => {});
    const sender = {};
    const connection = {
        addTransceiver() {
            throw new TypeError('sendEncodings');
        },
        addTrack(added, of) {
            assert.deepEqual([added, of], [track, stream]);
            return sender;
        },
    };
    assert.equal(sendMicrophone(connection, stream), sender);
    assert.equal(warned.mock.callCount(), 1);
});
