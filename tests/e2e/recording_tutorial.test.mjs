// The recording tutorial at /call: an unmodified page calls, hangs up, and hears the call again.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { startBrowser } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { hears, kurentoPage, message, messages, openTutorial, share } from './lib/kurento_page.mjs';
import { files, probe } from './lib/recording.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { pause, until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const TALK_MS = 4000;
const HZ = { alice: 440, bob: 1000 };
const NONE = (user) => ({
  id: 'playResponse',
  response: 'rejected',
  error: `No recording for user '${user}'. Please type a correct user in the 'Peer' field.`,
  reason: 'no-recording',
});

let fixture;
let folder;
let server;
let browsers;
let tabs;

before(async () => {
  fixture = await startFixture(await kurentoPage());
  browsers = {
    alice: await startBrowser({ hz: HZ.alice, page: fixture.url }),
    bob: await startBrowser({ hz: HZ.bob, page: fixture.url }),
  };
});

after(async () => {
  for (const browser of Object.values(browsers ?? {})) await browser.stop();
  await fixture?.stop();
});

beforeEach(async () => {
  tabs = [];
  folder = mkdtempSync(join(tmpdir(), 'duet-recordings-'));
  server = await startServer({ 'call.record': 'on', 'recording.dir': folder });
});

afterEach(async () => {
  for (const tab of tabs) await tab.context().close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function open(name, browser = browsers[name]) {
  const tab = await openTutorial(browser, name, server.socket('/call'));
  tabs.push(tab);
  return tab;
}

/** alice and bob talk for a while, alice hangs up; what they were told is forgotten. */
async function talked(ms = TALK_MS) {
  const [alice, bob] = [await open('alice'), await open('bob')];
  await alice.evaluate(() => call('bob'));
  await Promise.all([hears(alice, HZ.bob), hears(bob, HZ.alice)]);
  await pause(ms);
  await alice.evaluate(() => stop());
  await message(bob, 'stopCommunication');
  for (const tab of [alice, bob]) await tab.evaluate(() => void log.splice(0));
  return [alice, bob];
}

test('what the other one said, to its end', { timeout }, async () => {
  const [alice, bob] = await talked();
  // At once: the file is still being closed.
  await alice.evaluate(() => play('bob'));
  const answer = await message(alice, 'playResponse');
  const began = Date.now();
  assert.equal(answer.response, 'accepted', JSON.stringify(answer));
  assert.match(answer.sdpAnswer, /^m=audio [1-9]/m);
  assert.match(answer.sdpAnswer, /^a=sendonly/m);
  await hears(alice, HZ.bob);
  assert.ok((await share(alice, HZ.alice)) < 0.05, 'alice hears herself, too');

  await bob.evaluate(() => play('alice'));
  await hears(bob, HZ.alice);
  assert.deepEqual(await message(alice, 'playEnd'), { id: 'playEnd', reason: 'played' });
  const seconds = (Date.now() - began) / 1000;
  const length = probe(files(folder).find((file) => file.includes('-callee-'))).seconds;
  assert.ok(Math.abs(seconds - length) < 2 * SLOW, `${length} s were over after ${seconds} s`);
  await message(bob, 'playEnd');

  // Oneself, and again.
  await alice.evaluate(() => (log.splice(0), play('alice')));
  await hears(alice, HZ.alice);
  const known = ['playResponse', 'playEnd', 'iceCandidate'];
  for (const tab of [alice, bob])
    assert.deepEqual((await messages(tab)).filter((m) => !known.includes(m.id)), []);
});

test('stopPlay: no playEnd comes, and calls do again', { timeout }, async () => {
  const [alice, bob] = await talked();
  await alice.evaluate(() => play('bob'));
  await hears(alice, HZ.bob);

  await bob.evaluate(() => call('alice'));
  const busy = await message(bob, 'callResponse');
  assert.equal(busy.message, 'User alice is busy');

  await alice.evaluate(() => stopPlay());
  await bob.evaluate(() => (log.splice(0), call('alice')));
  await Promise.all([hears(alice, HZ.bob), hears(bob, HZ.alice)]);
  assert.equal((await messages(alice)).find((m) => m.id === 'playEnd'), undefined);
});

test('nobody else hears it, whatever the name', { timeout }, async () => {
  const [alice, bob] = await talked(0);
  const carol = await open('carol', browsers.alice);
  await carol.evaluate(() => play('bob'));
  assert.deepEqual(await message(carol, 'playResponse'), NONE('bob'));
  await alice.evaluate(() => play('carol'));
  assert.deepEqual(await message(alice, 'playResponse'), NONE('carol'));
  await bob.context().close();
  tabs.splice(tabs.indexOf(bob), 1);
  const other = await open('bob', browsers.alice);
  await other.evaluate(() => play('alice'));
  assert.deepEqual(await message(other, 'playResponse'), NONE('alice'));
});

test('a file that is gone', { timeout }, async () => {
  const [alice] = await talked(0);
  for (const file of files(folder)) unlinkSync(file);
  await alice.evaluate(() => play('bob'));
  const isOver = (m) => m.id === 'playEnd' || m.response === 'rejected';
  const end = await until('the end', async () => (await messages(alice)).find(isOver), 15_000 * SLOW);
  assert.equal(end.reason, 'no-recording');
});

test('who leaves while it plays', { timeout }, async () => {
  const [alice, bob] = await talked();
  const before = server.descriptors();
  await alice.evaluate(() => play('bob'));
  await hears(alice, HZ.bob);
  await alice.context().close();
  tabs.splice(tabs.indexOf(alice), 1);
  await until('everything is given back', () => server.descriptors() < before);
  await bob.evaluate(() => play('alice'));
  await hears(bob, HZ.alice); // and the server ends meanwhile
});

test('no page had a script error', () => {
  assert.deepEqual(Object.values(browsers).flatMap((browser) => browser.errors), []);
});
