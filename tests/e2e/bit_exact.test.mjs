// The payload is relayed untouched: what one side's encoder made is what the other side's decoder
// gets, byte for byte, in order, once.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageUser } from './lib/browser.mjs';
import { SLOW } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';
import { until } from './lib/wait.mjs';
import { compare, WeriftUser, weriftTalk } from './lib/werift.mjs';

const timeout = 90_000 * SLOW;
const PACKETS = 700; // 14 s: sequence numbers and timestamps of lib/werift.mjs wrap on the way

// Both ends of Chromium's codec: every encoded frame goes to the page as hex, and on unchanged.
const tap = `
  onrtctransform = ({ transformer: { readable, writable, options } }) => {
    readable.pipeThrough(new TransformStream({
      transform(frame, controller) {
        const bytes = new Uint8Array(frame.data);
        let hex = '';
        for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
        postMessage({ side: options.side, hex });
        controller.enqueue(frame);
      },
    })).pipeTo(writable);
  };`;

// RED is taken apart: red.test.mjs
const stage = useStage({ settings: { 'media.red': 'false' }, files: { '/tap.js': tap }, hz: [440] });

async function werift(...names) {
  const users = names.map((name) => new WeriftUser(name, stage.server.socket()));
  for (const user of users) assert.equal((await user.client.register(user.name)).response, 'accepted');
  return users;
}

/** A user in Chromium whose encoded frames are kept in `frames` of the page. */
async function tapped(name) {
  const user = await PageUser.open(stage.browser, name, stage.server.socket());
  await user.user.evaluate((u) => {
    globalThis.frames_ = { sent: [], heard: [] };
    const worker = new Worker('/tap.js');
    worker.onmessage = ({ data }) => frames_[data.side].push(data.hex);
    const make = u.client.makePeer;
    u.client.makePeer = async () => {
      const pc = await make();
      pc.getSenders()[0].transform = new RTCRtpScriptTransform(worker, { side: 'sent' });
      pc.getReceivers()[0].transform = new RTCRtpScriptTransform(worker, { side: 'heard' });
      return pc;
    };
  });
  await user.register();
  return user;
}

const frames = async (user) => {
  const { sent, heard } = await user.page.evaluate(() => frames_);
  const bytes = (list) => list.map((hex) => Buffer.from(hex, 'hex'));
  return { sent: bytes(sent), heard: bytes(heard) };
};

function assertSame(what, sent, heard, atLeast) {
  const result = compare(sent, heard);
  assert.equal(result.error, undefined, `${what}: ${result.error}`);
  assert.ok(result.count >= atLeast, `${what}: ${JSON.stringify(result)}`);
}

/** One run of sequence numbers and timestamps, one SSRC, whatever the sender's wrapped through. */
function assertContinuous(what, headers) {
  for (let i = 1; i < headers.length; i++) {
    const [a, b] = [headers[i - 1], headers[i]];
    assert.equal((b.sequence - a.sequence) & 0xffff, 1, `${what}: sequence at ${i}`);
    assert.equal((b.timestamp - a.timestamp) >>> 0, 960, `${what}: timestamp at ${i}`);
    assert.equal(b.ssrc, a.ssrc, `${what}: SSRC at ${i}`);
    assert.equal(b.type, 96, `${what}: payload type at ${i}`);
  }
}

test('werift to werift, both ways', { timeout }, async () => {
  const [alice, bob] = await werift('alice', 'bob');
  await weriftTalk(alice, bob);
  await until('enough packets', () => alice.heard.length > PACKETS && bob.heard.length > PACKETS, 40_000 * SLOW);
  alice.silence();
  bob.silence();
  assertSame('alice to bob', alice.sent, bob.heard, PACKETS);
  assertSame('bob to alice', bob.sent, alice.heard, PACKETS);
  assertContinuous('bob', bob.headers);
  assertContinuous('alice', alice.headers);
  alice.close();
  bob.close();
});

test('werift calls Chromium', { timeout }, async () => {
  const [alice] = await werift('carol');
  const bob = await tapped('dave');
  await alice.client.call('dave');
  await bob.expect('incomingCall');
  await bob.client('accept');
  await alice.client.expect('callResponse');
  await alice.connected();
  alice.speak();
  await exchange(alice, bob);
  alice.close();
  await bob.close();
});

test('Chromium calls werift', { timeout }, async () => {
  const alice = await tapped('erin');
  const [bob] = await werift('frank');
  await alice.call('frank');
  await bob.client.expect('incomingCall');
  await bob.client.accept();
  await alice.expect('callResponse');
  await bob.connected();
  bob.speak();
  await exchange(bob, alice);
  bob.close();
  await alice.close();
});

async function exchange(user, inPage) {
  await until('250 packets both ways', async () =>
    user.heard.length > 250 && (await frames(inPage)).heard.length > 250, 30_000 * SLOW);
  user.silence();
  await until('the last packets', async () => {
    const count = (await frames(inPage)).heard.length;
    return count === user.sent.length || count === (await frames(inPage)).heard.length;
  });
  const heardByUser = user.heard.slice();
  const isTold = ({ sent }) => sent.length >= sent.findIndex((frame) => frame.equals(heardByUser[0])) + heardByUser.length;
  await until('the page tells of all that was heard', async () => isTold(await frames(inPage)));
  const page = await frames(inPage);
  assertSame('to Chromium', user.sent, page.heard, 250);
  assertSame('from Chromium', page.sent, heardByUser, 250);
}
