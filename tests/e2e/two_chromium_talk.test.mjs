// Two people, two browsers: each hears the other's tone and nothing else, and nothing is lost.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { PageUser, talk } from './lib/browser.mjs';
import { SLOW } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';
import { pause, until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const TALK_MS = 10_000;

// Closing a page closes DTLS and WebSocket in either order (docs/protocol.md, Rules).
const GONE = /^(peer-lost|hang-up)$/;

const stage = useStage();

// A test that fails leaves nobody behind who holds the next one's names.
const opened = [];
afterEach(async () => {
  for (const user of opened.splice(0)) await user.close().catch(() => {});
});

async function open(browser, name, url) {
  const user = await PageUser.open(browser, name, url);
  opened.push(user);
  return user;
}

async function users(url = stage.server.socket()) {
  const pair = [
    await open(stage.browsers[0], 'alice', url),
    await open(stage.browsers[1], 'bob', url),
  ];
  for (const user of pair) await user.register();
  return pair;
}

/** What getStats() must say about a connection that works. */
function assertHealthy(name, stats) {
  const { inbound, outbound, remote, transport } = stats;
  assert.equal(inbound.packetsLost, 0, `${name}: packets lost`);
  assert.ok(inbound.packetsReceived > 50 * (TALK_MS / 1000) * 0.9, `${name}: ${inbound.packetsReceived}`);
  assert.ok(inbound.jitter >= 0 && inbound.jitter < 0.03 * SLOW, `${name}: jitter ${inbound.jitter}`);
  assert.ok(outbound.packetsSent > 50 * (TALK_MS / 1000) * 0.9, `${name}: sent`);
  // Only there when the server's receiver reports came (RFC 3550 §6.4).
  assert.ok(remote, `${name}: no receiver report`);
  assert.equal(remote.packetsLost, 0, `${name}: lost on the way to the server`);
  assert.ok(remote.roundTripTime >= 0 && remote.roundTripTime < 0.2 * SLOW, `${name}: RTT`);
  assert.ok(remote.jitter >= 0 && remote.jitter < 0.03 * SLOW, `${name}: remote jitter`);
  assert.equal(transport.dtlsState, 'connected');
  assert.match(transport.srtpCipher, /GCM|AES/);
}

test('both hear each other for ten seconds, nothing is lost', { timeout }, async () => {
  const [alice, bob] = await users();
  const answer = await talk(alice, bob);
  assert.match(answer.callId, /^[0-9a-f]{16}$/);
  await pause(TALK_MS);
  assert.ok((await alice.share(alice.hz)) < 0.01, 'alice hears herself');
  assert.ok((await bob.share(bob.hz)) < 0.01, 'bob hears himself');
  // Still, after all that time: as patiently as at the beginning, since the browsers share two cores.
  await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  await until('receiver reports', async () => (await alice.statistics()).remote && (await bob.statistics()).remote);
  assertHealthy('alice', await alice.statistics());
  assertHealthy('bob', await bob.statistics());
  await alice.client('stop');
  const end = await bob.expect('stopCommunication');
  assert.equal(end.message, 'remote user hanged out');
  assert.equal(end.reason, 'hang-up');

  // The same two again, the other way round, on the same sockets.
  await talk(bob, alice);
  await bob.client('stop');
  await alice.expect('stopCommunication');
  await alice.close();
  await bob.close();
});

test('the Java dialect at /call, one page of each kind', { timeout }, async () => {
  const alice = await open(stage.browsers[0], 'alice', stage.server.socket('/call'));
  const bob = await open(stage.browsers[1], 'bob', stage.server.socket('/one2one'));
  await alice.register();
  await bob.register();
  await talk(alice, bob);
  await bob.client('stop');
  const end = await alice.expect('stopCommunication');
  assert.equal(end.message, undefined);
  await alice.close();
  await bob.close();
});

test('over TLS, with the certificate that the server made', { timeout }, async () => {
  const url = `${stage.server.ready.https.replace(/^https/, 'wss')}/one2one`;
  const [alice, bob] = await users(url);
  await talk(alice, bob);
  await alice.close();
  assert.match((await bob.expect('stopCommunication')).reason, GONE);
  await bob.close();
});

test('no page had a script error', () => {
  assert.deepEqual(stage.browsers.flatMap((browser) => browser.errors), []);
});
