// duet mix, when the server was killed in a recorded call: what there is, as far as it goes.
// (A call that ended in order is mixed in recorded_calls.test.mjs.)

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { PageUser, startBrowser, talk } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { decode, files, part, tenthsAt } from './lib/recording.mjs';
import { binary, SLOW, startServer } from './lib/server.mjs';
import { pause } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const TALK_MS = 3000;
const HZ = [440, 1000];

let fixture;
let browsers;
let folder;

before(async () => {
  fixture = await startFixture();
  browsers = await Promise.all(HZ.map((hz) => startBrowser({ hz, page: fixture.url })));
  folder = mkdtempSync(join(tmpdir(), 'duet-mix-'));
});

after(async () => {
  for (const browser of browsers ?? []) await browser.stop();
  await fixture?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function killInCall() {
  const server = await startServer({ 'call.record': 'on', 'recording.dir': folder });
  const users = [];
  for (const [i, name] of ['alice', 'bob'].entries()) {
    users.push(await PageUser.open(browsers[i], name, server.socket('/one2one')));
    await users[i].register();
  }
  await talk(...users);
  await pause(TALK_MS);
  server.child.kill('SIGKILL');
  await server.ended;
  rmSync(server.folder, { recursive: true, force: true });
  for (const user of users) await user.close().catch(() => {});
}

function mix(...more) {
  const [callee, caller] = files(folder).filter((name) => name.endsWith('.webm'));
  const out = join(folder, 'call.ogg');
  const { status, stderr } = spawnSync(binary, ['mix', caller, callee, '-o', out, ...more],
    { encoding: 'utf8' });
  return { status, stderr, out };
}

test('killed in the call: what there is', { timeout }, async () => {
  await killInCall();
  const { status, stderr, out } = mix();
  assert.equal(status, 0, stderr);
  assert.equal(stderr.match(/it was cut off, and is mixed as far as it goes/g)?.length, 2, stderr);
  for (const channel of [0, 1]) {
    const sound = decode(out, { channel });
    const middle = { ...sound, samples: part(sound, sound.seconds / 2 - 0.5, sound.seconds / 2 + 0.5) };
    assert.ok(sound.seconds > TALK_MS / 1000 - 1.5, `${sound.seconds} s`);
    // In most of its tenths: a busy machine's browser leaves holes.
    assert.ok(tenthsAt(middle, HZ[channel]) >= 0.5, `side ${channel}: its own tone`);
    assert.equal(tenthsAt(middle, HZ[1 - channel]), 0, `side ${channel}: the other's`);
  }
  assert.equal(mix().status, 1);
  assert.equal(mix('--force').status, 0);
  assert.equal(files(folder).length, 3);
});
