// A network that lets no UDP through: Chromium connects to the media port with TCP (RFC 6544).
// No flag of Chromium does that, so the page keeps every UDP candidate from either side.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { PageUser, startBrowser, talk } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { pause } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;

let fixture;
let server;
let browsers;

before(async () => {
  fixture = await startFixture();
  server = await startServer();
  browsers = [
    await startBrowser({ hz: 440, page: fixture.url }),
    await startBrowser({ hz: 1000, page: fixture.url }),
  ];
});

after(async () => {
  for (const browser of browsers ?? []) await browser.stop();
  await fixture?.stop();
  await server?.stop();
});

async function users(...transports) {
  const pair = [
    await PageUser.open(browsers[0], 'alice', server.socket()),
    await PageUser.open(browsers[1], 'bob', server.socket()),
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
