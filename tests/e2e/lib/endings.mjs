// Every way a call ends, or does not begin: who is told what, and that both can call again. The same
// whoever carries the audio, so that each media backend has a test file of two lines.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { PageUser, startBrowser, talk } from './browser.mjs';
import { startFixture } from './fixture.mjs';
import { SLOW } from './server.mjs';

const timeout = 60_000 * SLOW;
const RING_S = 3;

// A page that goes away closes DTLS and WebSocket in either order; a leg that closes in order counts as
// having sent stop (docs/protocol.md, Rules).
const GONE = /^(peer-lost|hang-up)$/;

/** @param start  as startServer */
export function endings(start) {
  let fixture;
  let server;
  let browsers;
  let opened = [];

  before(async () => {
    fixture = await startFixture();
    server = await start({ 'call.ring_timeout': `${RING_S}s` });
    browsers = [];
    for (const hz of [440, 1000, 2000]) browsers.push(await startBrowser({ hz, page: fixture.url }));
  });

  after(async () => {
    for (const browser of browsers ?? []) await browser.stop();
    await fixture?.stop();
    await server?.stop();
  });

  /** Registered users in fresh pages; every ending also shows that names are free again. */
  async function users(...names) {
    const made = [];
    for (const [i, name] of names.entries()) {
      const user = await PageUser.open(browsers[i], name, server.socket());
      await user.register();
      made.push(user);
    }
    opened.push(...made);
    return made;
  }

  function ending(name, body) {
    test(name, { timeout }, async () => {
      try {
        await body();
      } finally {
        for (const user of opened.splice(0)) await user.close().catch(() => {});
      }
    });
  }

  async function ring(caller, callee) {
    await caller.call(callee.name);
    await callee.expect('incomingCall');
    await caller.expect('ringing');
  }

  const ids = async (user) => (await user.received()).map((m) => m.id);

  /** No message but candidates may have come. */
  async function assertUndisturbed(user, before) {
    const extra = (await ids(user)).slice(before.length).filter((id) => id !== 'iceCandidate');
    assert.deepEqual(extra, [], `${user.name} was told`);
  }

  for (const [who, index] of [['caller', 0], ['callee', 1]])
    ending(`the ${who} hangs up`, async () => {
      const pair = await users('alice', 'bob');
      await talk(...pair);
      const [leaver, other] = [pair[index], pair[1 - index]];
      await leaver.client('stop');
      assert.equal((await other.expect('stopCommunication')).reason, 'hang-up');
      assert.equal((await ids(leaver)).includes('stopCommunication'), false);
      await talk(other, leaver);
    });

  ending('the callee declines', async () => {
    const [alice, bob] = await users('alice', 'bob');
    await ring(alice, bob);
    await bob.client('reject');
    const answer = await alice.expect('callResponse');
    assert.equal(answer.response, 'rejected');
    assert.equal(answer.message, 'user declined');
    assert.equal(answer.reason, 'declined');
    await talk(alice, bob);
  });

  ending('the caller cancels while it rings', async () => {
    const [alice, bob] = await users('alice', 'bob');
    await ring(alice, bob);
    await alice.client('stop');
    assert.equal((await bob.expect('stopCommunication')).reason, 'cancelled');
    await talk(bob, alice);
  });

  ending('nobody answers', async () => {
    const [alice, bob] = await users('alice', 'bob');
    const begin = Date.now();
    await ring(alice, bob);
    const answer = await alice.expect('callResponse', (RING_S + 3) * 1000 * SLOW);
    assert.equal(answer.reason, 'no-answer');
    assert.ok(Date.now() - begin >= RING_S * 1000 - 50);
    assert.equal((await bob.expect('stopCommunication')).reason, 'no-answer');
    await talk(alice, bob);
  });

  ending('a third one calls: busy, and the two notice nothing', async () => {
    const [alice, bob, carol] = await users('alice', 'bob', 'carol');
    await talk(alice, bob);
    const before = [await ids(alice), await ids(bob)];
    await carol.call('bob');
    const answer = await carol.expect('callResponse');
    assert.equal(answer.response, 'rejected');
    assert.equal(answer.reason, 'busy');
    await assertUndisturbed(alice, before[0]);
    await assertUndisturbed(bob, before[1]);
    await alice.hears(bob.hz);
    await bob.client('stop');
    assert.equal((await alice.expect('stopCommunication')).reason, 'hang-up');
    assert.equal((await ids(carol)).includes('stopCommunication'), false);
  });

  ending('nobody has that name', async () => {
    const [alice] = await users('alice');
    await alice.call('nobody');
    const answer = await alice.expect('callResponse');
    assert.equal(answer.response, 'rejected: ');
    assert.equal(answer.message, 'User nobody is not registered');
  });

  ending("the callee's tab is closed", async () => {
    const [alice, bob] = await users('alice', 'bob');
    await talk(alice, bob);
    await bob.page.close();
    assert.match((await alice.expect('stopCommunication', 3000 * SLOW)).reason, GONE);
  });

  ending('the caller reloads, and calls again', async () => {
    const [alice, bob] = await users('alice', 'bob');
    await talk(alice, bob);
    await alice.page.reload();
    assert.match((await bob.expect('stopCommunication', 3000 * SLOW)).reason, GONE);
    const again = await PageUser.open(browsers[0], 'alice', server.socket());
    opened.push(again);
    await again.register();
    await talk(again, bob);
  });

  ending('both call each other at the same moment', async () => {
    const [alice, bob] = await users('alice', 'bob');
    await Promise.all([alice.call('bob'), bob.call('alice')]);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  });

  ending('the server ends: both are told before it is gone', async () => {
    const [alice, bob] = await users('alice', 'bob');
    await talk(alice, bob);
    await server.stop();
    assert.equal((await alice.expect('stopCommunication')).reason, 'server-shutdown');
    assert.equal((await bob.expect('stopCommunication')).reason, 'server-shutdown');
    server = null;
  });
}
