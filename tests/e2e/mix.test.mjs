// duet mix: a recorded call of two real pages becomes one file, heard by a decoder of others.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { PageUser, startBrowser, talk } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { shareAt } from './lib/hearing.mjs';
import { decode, files } from './lib/recording.mjs';
import { binary, SLOW, startServer } from './lib/server.mjs';
import { pause } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const TALK_MS = 3000;
const HZ = { alice: 440, bob: 1000 };

let fixture;
let browsers;
let folder;
let server;
let users;

before(async () => {
  fixture = await startFixture();
  browsers = {
    alice: await startBrowser({ hz: HZ.alice, page: fixture.url }),
    bob: await startBrowser({ hz: HZ.bob, page: fixture.url }),
  };
});

after(async () => {
  for (const browser of Object.values(browsers ?? {})) await browser.stop();
  await fixture?.stop();
});

// A call that goes on.
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'duet-mix-'));
  server = await startServer({ 'call.record': 'on', 'recording.dir': folder });
  users = [];
  for (const name of ['alice', 'bob']) {
    const user = await PageUser.open(browsers[name], name, server.socket('/one2one'));
    users.push(user);
    await user.register();
  }
  await talk(...users);
  await pause(TALK_MS);
});

afterEach(async () => {
  for (const user of users) await user.close().catch(() => {});
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function mix(...args) {
  const [callee, caller] = files(folder);
  const out = join(folder, 'call.ogg');
  const { status, stderr } = spawnSync(binary, ['mix', caller, callee, '-o', out, ...args],
    { encoding: 'utf8' });
  return { status, stderr, out, caller, callee };
}

/** One side of a stereo file as opusdec gives it. */
function side(file, channel) {
  const out = execFileSync('opusdec', ['--quiet', '--rate', '48000', '--float', file, '-'],
    { maxBuffer: 1 << 28 });
  const both = new Float32Array(out.buffer.slice(out.byteOffset, out.byteOffset + out.length - out.length % 8));
  return both.filter((_, i) => i % 2 === channel);
}

function assertSides(out) {
  const [left, right] = [side(out, 0), side(out, 1)];
  const middle = (samples) => samples.slice(samples.length / 2 - 24000, samples.length / 2 + 24000);
  for (const [name, samples, mine, other] of [['left', left, HZ.alice, HZ.bob], ['right', right, HZ.bob, HZ.alice]]) {
    assert.ok(shareAt(middle(samples), 48000, mine) > 0.8, `${name}: its own tone`);
    assert.ok(shareAt(middle(samples), 48000, other) < 0.01, `${name}: the other's tone`);
  }
  return left.length / 48000;
}

test('the caller is left, the callee right', { timeout }, async () => {
  await users[0].client('stop');
  await users[1].expect('stopCommunication');
  await server.stop();
  server = null;
  const { status, stderr, out, caller, callee } = mix();
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const seconds = assertSides(out);
  const longest = Math.max(decode(caller).seconds, decode(callee).seconds);
  assert.ok(Math.abs(seconds - longest) < 0.02, `${seconds} s of ${longest} s`);
});

test('killed in the call: what there is', { timeout }, async () => {
  server.child.kill('SIGKILL');
  await server.ended;
  server = null;
  const { status, stderr, out } = mix();
  assert.equal(status, 0, stderr);
  assert.equal(stderr.match(/it was cut off, and is mixed as far as it goes/g)?.length, 2, stderr);
  assert.ok(assertSides(out) > TALK_MS / 1000 - 1.5);
  assert.equal(mix().status, 1);
  assert.equal(mix('--force').status, 0);
  assert.equal(files(folder).length, 3);
});
