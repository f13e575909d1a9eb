// A network without IPv4: two Chromium and the server in a network namespace of their own, where the only
// address besides loopback is a unique local one. The file runs itself again in there.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { PageUser, startBrowser, talk } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { SLOW, startServer } from './lib/server.mjs';

const timeout = 120_000 * SLOW;
const INSIDE = 'E2E_INSIDE_NAMESPACE';
const ADDRESS = 'fd00:d0e7::1';

const SET_UP = [
  'ip link set lo up',
  'ip link add v0 type veth peer name v1',
  'ip link set v1 up',
  'ip link set v0 up',
  `ip -6 addr add ${ADDRESS}/64 dev v0 nodad`,
].join(' && ');

const mayUnshare = () =>
  spawnSync('unshare', ['-n', 'sh', '-c', SET_UP], { encoding: 'utf8' }).status === 0;

async function call() {
  const fixture = await startFixture();
  const server = await startServer();
  const browsers = [
    await startBrowser({ hz: 440, page: fixture.url }),
    await startBrowser({ hz: 1000, page: fixture.url }),
  ];
  try {
    const alice = await PageUser.open(browsers[0], 'alice', server.socket());
    const bob = await PageUser.open(browsers[1], 'bob', server.socket());
    await alice.register();
    await bob.register();
    await talk(alice, bob);
    for (const user of [alice, bob]) {
      const { local, remote_candidate: remote } = await user.statistics();
      assert.equal(remote.address ?? remote.ip, ADDRESS);
      assert.equal(local.protocol, 'udp');
    }
    await alice.client('stop');
    await bob.expect('stopCommunication');
  } finally {
    for (const browser of browsers) await browser.stop();
    await fixture.stop();
    await server.stop();
  }
}

if (process.env[INSIDE]) {
  test('two Chromium hear each other over IPv6 alone', { timeout }, call);
} else {
  test('without IPv4', { timeout }, (t) => {
    if (!mayUnshare()) return t.skip('no right to make a network namespace');
    const script = `${SET_UP} && exec "$0" --test "$1"`;
    const run = spawnSync('unshare', ['-n', 'sh', '-c', script, process.execPath, fileURLToPath(import.meta.url)],
      { encoding: 'utf8', env: { ...process.env, [INSIDE]: '1', NODE_TEST_CONTEXT: undefined }, timeout });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /# pass 1/);
  });
}
