// RecorderEndpoint, asked for by kurento-client 7.3.0: what two browsers say goes into files, which
// programs of others decode.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { PageUser, startBrowser, talk } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { level, shareAt } from './lib/hearing.mjs';
import { startLine } from './lib/impair.mjs';
import { KurentoApp } from './lib/kurento_app.mjs';
import { decode, part, probe, tenthsAt } from './lib/recording.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { mayMount, withSmallDisk } from './lib/small_disk.mjs';
import { pause, until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const RECORD_MS = 10_000;
const HZ = { alice: 440, bob: 1000 };

let fixture;
let browsers;
let folder;
let server;
let app;
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

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'duet-recorder-'))));

afterEach(async () => {
  for (const user of opened.splice(0)) await user.close().catch(() => {});
  await app?.stop().catch(() => {});
  await server?.stop().catch((error) => assert.equal(server.end?.signal, 'SIGKILL', error.message));
  app = server = null;
  rmSync(folder, { recursive: true, force: true });
});

/** A server that may record, and an application that makes a recorder for each leg. */
async function start(uris, { program, create = {} } = {}) {
  server = await startServer(
    { 'kurento.listen': '127.0.0.1:0', 'media.workers': '1', 'recording.dir': folder }, program);
  app = await KurentoApp.start(server.ready.kurento);
  app.recorders = [];
  app.wire = async (pipeline, ...legs) => {
    await legs[0].connect(legs[1]);
    await legs[1].connect(legs[0]);
    for (const [i, uri] of uris.entries()) {
      const recorder = await pipeline.create('RecorderEndpoint', { uri, ...create });
      recorder.told = [];
      for (const type of ['Recording', 'Paused', 'Stopped', 'UriEndpointStateChanged', 'Error', 'MediaFlowInStateChanged'])
        recorder.on(type, (event) => recorder.told.push({ ...event, type }));
      await legs[i].connect(recorder);
      app.recorders.push(recorder);
    }
  };
}

/** Alice and Bob in a call; `url` is where their application is. */
async function people(url = app.url, users = browsers, hears = talk) {
  for (const name of ['alice', 'bob']) {
    const user = await PageUser.open(users[name], name, url);
    opened.push(user);
    await user.register();
  }
  await hears(...opened);
  return opened;
}

const told = (recorder, type) => recorder.told.filter((event) => event.type === type);
const hasTold = (recorder, type, n = 1) =>
  until(`${type} is told`, () => told(recorder, type).length >= n, 15_000 * SLOW);

/** Record for a while. @returns between how many seconds the files are long, one of [at least, at most] each */
async function record(run) {
  const began = await Promise.all(app.recorders.map(async (recorder) => {
    const asked = performance.now();
    await recorder.record();
    return [asked, performance.now()];
  }));
  await run();
  return Promise.all(app.recorders.map(async (recorder, i) => {
    const asked = performance.now();
    await recorder.stop();
    const answered = performance.now();
    await hasTold(recorder, 'Stopped');
    return [(asked - began[i][1]) / 1000, (answered - began[i][0]) / 1000];
  }));
}

/**
 * As long as it took: the last frame of each piece is a whole one. A browser on a busy machine is held up
 * when it sends the first ones (170 ms were seen), and its stumble is in the file; what the server could
 * do wrong is a pause or a silence of a second and more. tests/sim/recording_keeps_time allows 20 ms.
 */
const HELD_UP = 0.5;
function assertLength({ seconds }, [least, most], file, t, pieces = 1) {
  t.diagnostic(`${file}: ${seconds.toFixed(4)} s, expected ${least.toFixed(4)} to ${most.toFixed(4)}`);
  const off = 0.02 * pieces + HELD_UP;
  assert.ok(seconds > least - off && seconds < most + off, `${file}: ${seconds}, not ${least} to ${most}`);
}

/** The tone of one and nothing of the other, in most of the windows: a busy machine's browser stumbles. */
function assertTone(sound, name, from = 1, to = sound.seconds - 0.5, share = 0.5) {
  let good = 0;
  let all = 0;
  for (let at = from; at + 0.5 <= to; at += 0.5, all++) {
    const window = part(sound, at, at + 0.5);
    const other = name === 'alice' ? HZ.bob : HZ.alice;
    good += shareAt(window, sound.rate, HZ[name]) > share;
    assert.ok(shareAt(window, sound.rate, other) < 0.1, `${name}: the other one is heard at ${at}`);
  }
  assert.ok(all > 0 && good >= all / 2, `${name}: the tone is heard in ${good} of ${all} half seconds`);
}

test('a file for each leg, over lines that lose a tenth', { timeout }, async (t) => {
  await start([`file://${folder}/alice.ogg`, 'bob.webm']);
  const signaling = { ready: server.ready, socket: () => app.url };
  const lines = [await startLine(signaling, { loss: 10, seed: 1 }), await startLine(signaling, { loss: 10, seed: 2 })];
  try {
    for (const [i, name] of ['alice', 'bob'].entries()) {
      opened.push(await PageUser.open(browsers[name], name, lines[i].socket()));
      await opened[i].register();
    }
    await talk(...opened);
    const lengths = await record(() => pause(RECORD_MS));
    const { up } = await lines[0].stats();
    assert.ok(up.lost_single > 20, `${up.lost_single} packets were lost`);
    for (const [i, [name, file]] of [['alice', 'alice.ogg'], ['bob', 'bob.webm']].entries()) {
      const sound = decode(join(folder, file));
      assertLength(sound, lengths[i], file, t);
      assertTone(sound, name);
      assert.deepEqual(probe(join(folder, file)).streams.map((s) => s.codec_name), ['opus']);
    }
  } finally {
    for (const line of lines) await line.stop();
  }
  assert.deepEqual(app.errors, []);
});

// Both ways in which a page is silent: what the microphone hears is nothing, or there is none.
const silences = {
  'DTX: silence that is not sent': (on) => `u.client.pc.getSenders()[0].track.enabled = ${!on}`,
  'a track that is taken away': (on) => (on
    ? '(u.track = u.client.pc.getSenders()[0].track, u.client.pc.getSenders()[0].replaceTrack(null))'
    : 'u.client.pc.getSenders()[0].replaceTrack(u.track)'),
};
for (const [what, code] of Object.entries(silences)) {
  test(`${what} lasts as long in the file`, { timeout }, async (t) => {
    await start(['alice.ogg']);
    const [alice, bob] = await people(app.url, browsers, async (...users) => {
      await users[0].page.evaluate(() => {
        const real = RTCPeerConnection.prototype.setRemoteDescription;
        RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
          return real.call(this, { type, sdp: sdp.replace('a=fmtp:111 ', 'a=fmtp:111 usedtx=1;') });
        };
      });
      await talk(...users);
    });
    const silence = (on) => alice.user.evaluate((u, text) => new Function('u', `return ${text}`)(u), code(on));
    const packets = async () => (await bob.statistics()).inbound.packetsReceived;
    const since = {};
    let began;
    const [length] = await record(async () => {
      began = performance.now();
      await pause(2000);
      await silence(true);
      since.silent = performance.now();
      await pause(1000);
      const before = await packets();
      await pause(4000);
      const came = await packets() - before;
      t.diagnostic(`${came} packets in 4 s`);
      assert.ok(came < 40, `${came} packets: silence was sent`);
      since.loud = performance.now();
      await silence(false);
      since.done = performance.now();
      await pause(2000);
    });
    const sound = decode(join(folder, 'alice.ogg'));
    assertLength(sound, length, 'alice.ogg', t);
    const loud = [];
    for (let at = 0; at + 0.02 < sound.seconds; at += 0.01)
      loud.push(level(part(sound, at, at + 0.02)) > 0.02);
    const inFile = (time) => (time - began) / 1000;
    const from = loud.indexOf(true, Math.round(100 * (inFile(since.silent) + 2))) / 100;
    const expected = inFile(since.loud);
    t.diagnostic(`loud again at ${from.toFixed(2)} s, asked for at ${expected.toFixed(2)} s`);
    assert.ok(from > expected - HELD_UP && from < inFile(since.done) + HELD_UP, `${from}, ${expected}`);
    const again = { ...sound, samples: part(sound, expected, sound.seconds) };
    assert.ok(tenthsAt(again, HZ.alice) > 0.3, 'the tone is back'); // a browser's beginning has holes
  });
}

test('events, pause and another recording', { timeout }, async (t) => {
  await start(['alice.webm']);
  await people();
  const [recorder] = app.recorders;
  await hasTold(recorder, 'MediaFlowInStateChanged'); // applications begin to record then
  assert.equal(told(recorder, 'MediaFlowInStateChanged')[0].state, 'FLOWING');
  assert.equal(await recorder.getUri(), 'alice.webm');
  assert.equal(await recorder.getState(), 'STOP');
  const ranges = [];
  for (let i = 0; i < 2; i++) {
    const asked = performance.now();
    await recorder.record(); // the second time it goes on
    const began = performance.now();
    assert.equal(await recorder.getState(), 'START');
    await pause(2000);
    const end = performance.now();
    await recorder.pause();
    ranges.push([end - began, performance.now() - asked]);
    assert.equal(await recorder.getState(), 'PAUSE');
    await pause(1000);
  }
  await recorder.stopAndWait();
  const sound = decode(join(folder, 'alice.webm')); // whole with the answer
  assertLength(sound, [0, 1].map((k) => (ranges[0][k] + ranges[1][k]) / 1000), 'alice.webm', t, 2);
  assertTone(sound, 'alice', 0.2, sound.seconds - 0.2);
  await hasTold(recorder, 'Stopped');
  assert.deepEqual(recorder.told.map((e) => e.state ?? e.type).filter((x) => x !== 'FLOWING'), [
    'START', 'Recording', 'PAUSE', 'Paused', 'START', 'Recording', 'PAUSE', 'Paused', 'STOP', 'Stopped']);
  await recorder.record(); // anew
  await pause(1000);
  await recorder.stopAndWait();
  const again = decode(join(folder, 'alice.webm'));
  assert.ok(again.seconds < 2);
  assertTone(again, 'alice', 0.2, again.seconds);
  assert.deepEqual(app.errors, []);
});

test('the end of the stream ends the recording', { timeout }, async () => {
  await start(['alice.ogg'], { create: { stopOnEndOfStream: true } });
  const [alice] = await people();
  const [recorder] = app.recorders;
  await recorder.record();
  await hasTold(recorder, 'Recording');
  await pause(1000);
  await alice.user.evaluate((u) => u.client.pc.close()); // a DTLS close_notify
  await hasTold(recorder, 'Stopped');
  assert.equal(await recorder.getState(), 'STOP');
  assert.ok(decode(join(folder, 'alice.ogg')).seconds > 0.8);
});

test('the server is killed: what was said up to the last second is there', { timeout }, async (t) => {
  await start(['alice.ogg', 'bob.webm']);
  await people();
  const asked = performance.now();
  for (const recorder of app.recorders) await recorder.record();
  await pause(6000);
  app.client.close(); // it would connect again
  server.child.kill('SIGKILL');
  await server.ended;
  const at = (performance.now() - asked) / 1000;
  for (const [name, file] of [['alice', 'alice.ogg'], ['bob', 'bob.webm']]) {
    const sound = decode(join(folder, file), { isCut: true });
    t.diagnostic(`${file}: ${sound.seconds.toFixed(2)} s of ${at.toFixed(2)} s`);
    assert.ok(sound.seconds > at - 2.2, `${file}: ${sound.seconds} of ${at}`);
    assertTone(sound, name, 0.5, sound.seconds - 0.1);
  }
});

test('the disk is full: Error is told, the call goes on', { timeout, skip: !mayMount() && 'no right to mount a disk' }, async () => {
  await start(['alice.ogg'], { program: withSmallDisk(folder) });
  const [alice, bob] = await people();
  const [recorder] = app.recorders;
  await recorder.record();
  await until('the error is told', () => told(recorder, 'Error').length > 0, 30_000 * SLOW);
  await hasTold(recorder, 'Stopped');
  const [error] = told(recorder, 'Error');
  assert.equal(error.errorCode, 14);
  assert.match(error.description, /alice\.ogg: No space left on device/);
  assert.equal(told(recorder, 'Error').length, 1);
  await Promise.all([alice.hears(HZ.bob), bob.hears(HZ.alice)]);
  assert.ok(decode(`/proc/${server.pid}/root${folder}/alice.ogg`, { isCut: true }).seconds > 0.5);
});

test('what cannot be recorded is refused', { timeout }, async () => {
  await start([]);
  const pipeline = await app.client.create('MediaPipeline');
  const refused = (params, code) =>
    assert.rejects(pipeline.create('RecorderEndpoint', params), (error) => error.code === code);
  await refused({ uri: 'http://127.0.0.1:1/a.webm' }, 40107);
  await refused({ uri: 'file:///etc/a.webm' }, 40107);
  await refused({ uri: 'a.mp4', mediaProfile: 'MP4' }, 40107);
  // What the name does not say is found when it is opened.
  const recorder = await pipeline.create('RecorderEndpoint', { uri: '../a.webm' });
  const error = new Promise((resolve) => recorder.on('Error', resolve));
  await recorder.record();
  assert.match((await error).description, /not below recording\.dir/);
});

test('no page had a script error', () => {
  assert.deepEqual(Object.values(browsers).flatMap((browser) => browser.errors), []);
});
