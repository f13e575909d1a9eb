// call.record: each call leaves two files that anybody can decode, and both pages know of it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { PageUser, startBrowser, talk } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { decode, files, probe, tenthsAt } from './lib/recording.mjs';
import { binary, SLOW, startServer } from './lib/server.mjs';
import { mayMount, withSmallDisk } from './lib/small_disk.mjs';
import { pause, until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const TALK_MS = 3000;
const HZ = { alice: 440, bob: 1000 };

let fixture;
let browsers;
let folder;
let server;
const opened = [];

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

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'duet-recordings-'))));

afterEach(async () => {
  for (const user of opened.splice(0)) await user.close().catch(() => {});
  await end();
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings = {}, program) {
  server = await startServer(
    { 'call.record': 'on', 'recording.dir': folder, ...settings }, program);
}

async function end() {
  const ending = server;
  server = null;
  await ending?.stop();
}

async function users(path = '/one2one') {
  for (const name of ['alice', 'bob']) {
    const user = await PageUser.open(browsers[name], name, server.socket(path));
    opened.push(user);
    await user.register();
  }
  return opened;
}

/** A whole file with one tone, in most of it, and nothing of the other. On a busy machine browsers leave holes. */
function assertTone(file, name, atLeast) {
  const sound = decode(file);
  for (const [who, hz] of Object.entries(HZ)) {
    const share = tenthsAt(sound, hz);
    assert.ok(who === name ? share > 0.5 : share === 0, `${file}: ${who}'s tone in ${share}`);
  }
  assert.ok(sound.seconds >= atLeast, `${file}: ${sound.seconds} s`);
  return sound.seconds;
}

/** The files of the only call: callee's and caller's. */
function bothFiles() {
  const all = files(folder);
  assert.equal(all.length, 2, all.join());
  return all;
}

test('two files, what each one said; and mixed, both', { timeout }, async () => {
  await start();
  const [alice, bob] = await users();
  const { callId, recorded } = await talk(alice, bob);
  assert.equal(recorded, true);
  for (const [user, id] of [[bob, 'incomingCall'], [bob, 'startCommunication'], [alice, 'ringing']])
    assert.equal((await user.received()).find((m) => m.id === id).recorded, true, id);
  for (const user of [alice, bob])
    assert.deepEqual(await user.expect('recording'), { id: 'recording', you: true, them: true, callId });
  await pause(TALK_MS);
  await alice.client('stop');
  await bob.expect('stopCommunication');
  await end();
  const [callee, caller] = bothFiles();
  const date = '\\d{4}-\\d\\d-\\d\\d_\\d\\d-\\d\\d-\\d\\d-\\d{3}';
  assert.match(caller, new RegExp(`/${date}-${callId}-caller-alice\\.webm$`));
  assert.match(callee, new RegExp(`/${date}-${callId}-callee-bob\\.webm$`));
  const [a, b] = [
    assertTone(caller, 'alice', TALK_MS / 1000),
    assertTone(callee, 'bob', TALK_MS / 1000),
  ];
  // Not less: a busy browser is held up (recorder_endpoint.test.mjs), and the file with it.
  assert.ok(Math.abs(a - b) < 0.5, `the two lie side by side: ${a} s and ${b} s`);
  const { format, streams } = probe(caller);
  assert.match(format, /webm/);
  assert.deepEqual(streams.map((s) => s.codec_name), ['opus']);

  const both = join(folder, 'both.ogg');
  execFileSync(binary, ['mix', caller, callee, '-o', both]);
  for (const [channel, hz] of [[0, HZ.alice], [1, HZ.bob]]) {
    const sound = decode(both, { channel });
    assert.ok(Math.abs(sound.seconds - Math.max(a, b)) < 0.04, `${sound.seconds} s of ${a} s and ${b} s`);
    assert.ok(tenthsAt(sound, hz) > 0.5, `channel ${channel} is ${hz} Hz`);
  }
});

test('the server ends in a call: the files are whole', { timeout }, async () => {
  await start();
  const [alice, bob] = await users('/call');
  await talk(alice, bob);
  await pause(TALK_MS);
  await end();
  const [callee, caller] = bothFiles();
  assertTone(caller, 'alice', TALK_MS / 1000);
  assertTone(callee, 'bob', TALK_MS / 1000);
  // Whole: the length is in the header, which is written last.
  assert.ok(probe(caller).seconds > TALK_MS / 1000);
});

test('more files than are allowed: each side is told what is recorded', { timeout }, async () => {
  await start({ 'recording.max_files': '1' });
  const [alice, bob] = await users('/call');
  const { callId } = await talk(alice, bob);
  const told = { id: 'recording', callId };
  assert.deepEqual(await alice.expect('recording'), { ...told, you: true, them: false });
  assert.deepEqual(await bob.expect('recording'), { ...told, you: false, them: true });
  rmSync(files(folder)[0]);
  const nothing = { ...told, you: false, them: false };
  for (const user of [alice, bob]) assert.deepEqual(await user.expect('recording'), nothing);
  await Promise.all([alice.hears(HZ.bob), bob.hears(HZ.alice)]);
});

test('names are not paths', { timeout }, async () => {
  await start();
  const [alice, bob] = await users();
  for (const [user, name] of [[alice, '../../alice'], [bob, 'bob/\u{1f600} & "co"']]) {
    user.name = name;
    await user.register();
  }
  await talk(alice, bob);
  await alice.client('stop');
  await bob.expect('stopCommunication');
  await end();
  const [callee, caller] = bothFiles();
  assert.match(caller, /-caller-______alice\.webm$/);
  assert.match(callee, /-callee-bob______co_\.webm$/);
});

test('a call without an answer leaves nothing', { timeout }, async () => {
  await start();
  const [alice, bob] = await users();
  await alice.call('bob');
  await bob.expect('incomingCall');
  await bob.client('reject');
  await alice.expect('callResponse');
  await end();
  assert.deepEqual(files(folder), []);
});

test('off: nothing is recorded, and nobody is told that it is', { timeout }, async () => {
  await start({ 'call.record': 'off' });
  const [alice, bob] = await users();
  await talk(alice, bob);
  await alice.client('stop');
  await bob.expect('stopCommunication');
  for (const user of [alice, bob])
    assert.deepEqual((await user.received()).filter((m) => 'recorded' in m), []);
  await end();
  assert.deepEqual(files(folder), []);
});

test('a folder that is needed', { timeout }, async () => {
  await assert.rejects(
    startServer({ 'call.record': 'on', 'recording.dir': '' }),
    /call\.record: recordings need a folder: set recording\.dir/);
});

test('the disk is full: the call goes on', { timeout, skip: !mayMount() && 'no right to mount a disk' }, async () => {
  await start({}, withSmallDisk(folder));
  const [alice, bob] = await users();
  const { callId } = await talk(alice, bob);
  const said = (line) => line.includes(callId) && line.includes('the call goes on');
  await until('the log says so', () => server.log.filter(said).length === 2, 30_000 * SLOW);
  for (const user of [alice, bob])
    await until('its page knows', async () => {
      const told = (await user.received()).filter((m) => m.id === 'recording').at(-1);
      return told && !told.you && !told.them;
    });
  await pause(TALK_MS);
  await Promise.all([alice.hears(HZ.bob), bob.hears(HZ.alice)]);
  await alice.client('stop');
  await bob.expect('stopCommunication');
  const written = files(`/proc/${server.pid}/root${folder}`);
  assert.equal(written.length, 2);
  // What came before the disk was full can be heard.
  for (const file of written)
    if (statSync(file).size > 4096) assert.ok(decode(file).seconds > 0.5, file);
});
