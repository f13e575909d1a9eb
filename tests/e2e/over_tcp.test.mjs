// A network that lets no UDP through: Chromium connects to the media port with TCP (RFC 6544).
// No flag of Chromium does that, so the page keeps every UDP candidate from either side.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageUser, talk } from './lib/browser.mjs';
import { SLOW } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';
import { pause } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;

const stage = useStage();

async function users(...transports) {
  const pair = [
    await PageUser.open(stage.browsers[0], 'alice', stage.server.socket()),
    await PageUser.open(stage.browsers[1], 'bob', stage.server.socket()),
  ];
  for (const [i, user] of pair.entries()) {
    await user.user.evaluate((u, only) => (u.client.only = only), transports[i]);
    await user.register();
  }
  return pair;
}

function assertTcp({ local, remote_candidate: remote, inbound }) {
  assert.equal(local.protocol, 'tcp');
  assert.equal(local.tcpType, 'active');
  assert.equal(remote.protocol, 'tcp');
  assert.equal(remote.tcpType, 'passive');
  assert.equal(inbound.packetsLost, 0);
  assert.ok(inbound.packetsReceived > 100);
}

test('both without UDP: they hear each other over TCP', { timeout }, async () => {
  const [alice, bob] = await users('tcp', 'tcp');
  await talk(alice, bob);
  await pause(3000);
  await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  for (const user of [alice, bob]) assertTcp(await user.statistics());
  await alice.client('stop');
  await bob.expect('stopCommunication');
  await alice.close();
  await bob.close();
});

test('one without UDP: TCP on one side, UDP on the other', { timeout }, async () => {
  const [alice, bob] = await users('tcp', undefined);
  await talk(alice, bob);
  await pause(3000);
  assertTcp(await alice.statistics());
  const { local } = await bob.statistics();
  assert.equal(local.protocol, 'udp', 'UDP is preferred where it works');
  await alice.close();
  await bob.close();
});
