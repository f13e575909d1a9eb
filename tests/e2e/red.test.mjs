// Redundant audio (RFC 2198): Chromium sends it because the answer puts it first, gets it from who
// sends it, and somebody without it gets plain Opus, with what the line lost already in its place.
//
// getStats() of Chromium 156 names Opus as codec all the same. RED shows in the size of what is sent
// (two frames a packet instead of one of 80 bytes), and in the frames that are discarded because
// they were there already.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageUser, talk } from './lib/browser.mjs';
import { startLine } from './lib/impair.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';
import { pause, until } from './lib/wait.mjs';
import { WeriftUser } from './lib/werift.mjs';

const timeout = 90_000 * SLOW;
const TALK_MS = 5000;
const LOSS_PERCENT = 10;
const PACKETS = 1000;

const stage = useStage({ settings: { 'media.workers': '1' } });

/** Bytes of payload in a packet, on average: 80 of Opus at 32 kbit/s, or twice as many. */
const payload = (outbound) => outbound.bytesSent / outbound.packetsSent;
const isRed = (outbound) => payload(outbound) > 120;

test('Chromium and Chromium: RED both ways', { timeout }, async () => {
  const people = [
    await PageUser.open(stage.browsers[0], 'alice', stage.server.socket()),
    await PageUser.open(stage.browsers[1], 'bob', stage.server.socket()),
  ];
  for (const person of people) await person.register();
  await talk(...people);
  await pause(TALK_MS);
  for (const person of people) {
    const { inbound, outbound } = await person.statistics();
    assert.ok(isRed(outbound), `${person.name} sends ${payload(outbound)} bytes a packet`);
    assert.ok(inbound.packetsDiscarded > 0.8 * inbound.packetsReceived,
      `${person.name}: ${inbound.packetsDiscarded} repetitions in ${inbound.packetsReceived} packets`);
  }
  await people[0].client('stop');
  for (const person of people) await person.close();
});

/** Chromium behind a line with loss calls werift, which knows nothing of RED. */
async function callWerift() {
  const line = await startLine(stage.server, { seed: 3 });
  const alice = await PageUser.open(stage.browsers[0], 'carol', line.socket());
  const bob = new WeriftUser('dave', stage.server.socket());
  assert.equal((await bob.client.register('dave')).response, 'accepted');
  await alice.register();
  await alice.call('dave');
  await bob.client.expect('incomingCall');
  await bob.client.accept();
  await alice.expect('callResponse');
  await bob.connected();
  return { line, alice, bob };
}

test('Chromium and werift: plain Opus, and losses are filled', { timeout }, async () => {
  const { line, alice, bob } = await callWerift();
  bob.speak();
  await until('a first packet', () => bob.heard.length > 50);
  await line.impair.command(`up loss ${LOSS_PERCENT}`);
  const from = bob.headers.length;
  await until(`${PACKETS} packets`, () => bob.headers.length > from + PACKETS, 40_000 * SLOW);
  bob.silence();
  const headers = bob.headers.slice(from, from + PACKETS);
  const { outbound } = await alice.statistics();
  assert.ok(isRed(outbound), `${payload(outbound)} bytes a packet`);
  assert.ok(headers.every(({ type }) => type === 96), 'a payload type that was not agreed on');
  const numbers = new Set(headers.map(({ sequence }) => sequence));
  assert.equal(numbers.size, headers.length, 'a number came twice');
  const span = ((headers.at(-1).sequence - headers[0].sequence) & 0xffff) + 1;
  const missing = span - numbers.size;
  const lost = (await line.impair.stats()).up.lost_single;
  assert.ok(lost > 0.05 * PACKETS, `the line lost ${lost}`);
  assert.ok(missing < 0.01 * PACKETS, `${missing} of ${span} are missing`);
  // What redundancy brought was not asked for: without it, it would be as many as were lost.
  const asked = outbound.retransmittedPacketsSent;
  assert.ok(asked < 0.4 * lost, `${asked} were sent again, ${lost} lost`);
  bob.close();
  await alice.close();
  await line.stop();
});

test('media.red: false is obeyed', { timeout }, async () => {
  const without = await startServer({ 'media.red': 'false' });
  const people = [
    await PageUser.open(stage.browsers[0], 'alice', without.socket()),
    await PageUser.open(stage.browsers[1], 'bob', without.socket()),
  ];
  for (const person of people) await person.register();
  await talk(...people);
  for (const person of people) assert.ok(!isRed((await person.statistics()).outbound));
  await people[0].client('stop');
  for (const person of people) await person.close();
  await without.stop();
});

test('no page had a script error', () => {
  assert.deepEqual(stage.browsers.flatMap((browser) => browser.errors), []);
});
