// Ten calls at once, twenty tones: everybody hears the right one and no other.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageUser } from './lib/browser.mjs';
import { SLOW } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';

const CALLS = 10;

// Far enough apart for the ear, none a multiple of another that distortion could produce.
const hz = (i) => 310 + 70 * i;

const stage = useStage({ hz: [null, null] });

test('ten calls at once', { timeout: 180_000 * SLOW }, async () => {
  // A page for all callers and one for all callees: twenty would be twenty processes with a sound card each.
  const pages = await Promise.all(stage.browsers.map((browser) => browser.open()));
  const open = (browser, name, i) =>
    PageUser.open(stage.browsers[browser], name, stage.server.socket(), { hz: hz(i), page: pages[browser] });
  const callers = [];
  const callees = [];
  for (let i = 0; i < CALLS; i++) {
    callers.push(await open(0, `caller ${i}`, 2 * i));
    callees.push(await open(1, `callee ${i}`, 2 * i + 1));
  }
  await Promise.all([...callers, ...callees].map((user) => user.register()));
  await Promise.all(
    callers.map(async (caller, i) => {
      await caller.call(callees[i].name);
      await callees[i].expect('incomingCall', 30_000);
      await callees[i].client('accept');
      assert.equal((await caller.expect('callResponse', 30_000)).response, 'accepted');
    }));
  // Twenty encoders and decoders share two cores with the test: ask one after the other.
  for (let i = 0; i < CALLS; i++)
    for (const [user, other] of [[callers[i], callees[i]], [callees[i], callers[i]]])
      await user.hears(other.hz, 60_000);
  for (const caller of callers) await caller.client('stop');
  for (const callee of callees)
    assert.equal((await callee.expect('stopCommunication', 30_000)).reason, 'hang-up');
});
