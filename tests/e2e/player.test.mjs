// PlayerEndpoint: an application written for Kurento plays files to Chromium, from a folder and from
// a server.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import kurento from 'kurento-client';

import { startBrowser } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { Listener } from './lib/listener.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { RATE, tone, writeSound } from './lib/tones.mjs';
import { pause, until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;

/** A sound is over never too early, to the packet; a machine that stands still makes it later. */
const LATE_S = 7 * SLOW;
function assertOver(seconds, length) {
  assert.ok(seconds > length - 0.1 && seconds < length + LATE_S, `over after ${seconds} s, and not ${length} s`);
}

/** What is heard at the beginning is listened for before: on a busy machine a short sound is over soon. */
const playAndHear = (player, listener, hz) => Promise.all([listener.hears(hz), player.play()]);

let folder;
let files;
let secret;
let fixture;
let server;
let browser;
let client;
let pipeline;
const listeners = [];

/** A server of media: each path is a kind of server that one meets. */
function answer(request, response) {
  const path = new URL(request.url, 'http://localhost').pathname;
  if (path === '/elsewhere')
    return response.writeHead(302, { location: `http://localhost:${secret.address().port}/` }).end();
  if (path === '/dies') {
    const sound = readFileSync(join(folder, 'eight.wav'));
    response.writeHead(200, { 'content-length': sound.length });
    response.write(sound.subarray(0, sound.length / 2), () => response.destroy());
    return undefined;
  }
  if (path !== '/a.wav') return response.writeHead(404).end();
  return response.writeHead(200).end(readFileSync(join(folder, 'a.wav')));
}

const listen = (what) => new Promise((resolve) => what.listen(0, '127.0.0.1', resolve));

/** Half of it at one frequency, half at another. */
function twoTones(...hz) {
  const sound = new Int16Array(RATE * 20);
  for (const [i, f] of hz.entries()) sound.set(tone(f, 10), i * RATE * 10);
  return sound;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'duet-player-'));
  writeSound(join(folder, 'a.wav'), tone(1000, 3));
  writeSound(join(folder, 'eight.wav'), tone(1000, 8));
  writeSound(join(folder, 'long.wav'), tone(440, 60));
  writeSound(join(folder, 'two.wav'), twoTones(440, 1000));
  execFileSync('opusenc', ['--quiet', join(folder, 'a.wav'), join(folder, 'a.opus')]);
  execFileSync('ffmpeg', ['-v', 'error', '-i', join(folder, 'a.wav'), '-c:a', 'libopus', join(folder, 'a.webm')]);
  copyFileSync(join(folder, 'a.webm'), join(folder, 'wrong name.ogg'));
  files = createServer(answer);
  secret = createServer(() => assert.fail('nobody may ask this server'));
  await Promise.all([listen(files), listen(secret)]);
  fixture = await startFixture();
  server = await startServer({
    'kurento.listen': '127.0.0.1:0',
    'player.dir': folder,
    'player.http': `127.0.0.1:${files.address().port}`,
  });
  browser = await startBrowser({ page: fixture.url });
  client = await kurento(server.ready.kurento);
});

after(async () => {
  client?.close();
  await browser?.stop();
  await fixture?.stop();
  await server?.stop();
  for (const one of [files, secret]) one?.close();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close().catch(() => {});
  await pipeline?.release();
  pipeline = null;
});

/** A player that is heard in a page, and what it tells. */
async function playing(uri, n = 1) {
  pipeline = await client.create('MediaPipeline');
  const listener = await Listener.open(browser, pipeline, n);
  listeners.push(listener);
  const player = await pipeline.create('PlayerEndpoint', { uri });
  const told = [];
  for (const type of ['EndOfStream', 'Error', 'UriEndpointStateChanged'])
    player.on(type, (event) => told.push({ at: Date.now(), ...event, type, trouble: event.type }));
  for (const endpoint of listener.endpoints) await player.connect(endpoint);
  const of = (type) => told.find((event) => event.type === type);
  const ended = (ms = 20_000) => until('EndOfStream', () => of('EndOfStream'), ms * SLOW);
  return { player, listener, told, of, ended };
}

const address = (path) => `http://127.0.0.1:${files.address().port}${path}`;

for (const name of ['a.wav', 'a.opus', 'a.webm', 'wrong name.ogg']) {
  test(`${name} is heard, and its end comes when it is over`, { timeout }, async () => {
    const { player, listener, told, ended } = await playing(`file://${folder}/${encodeURI(name)}`);
    const start = Date.now();
    await playAndHear(player, listener, 1000);
    assertOver(((await ended()).at - start) / 1000, 3);
    await until('STOP', () => told.at(-1).state === 'STOP');
    assert.deepEqual(told.map((e) => e.state ?? e.type), ['START', 'EndOfStream', 'STOP']);
    await listener.hearsNothing();
    const { inbound } = await listener.statistics();
    assert.equal(inbound.packetsLost, 0);
    assert.ok(inbound.packetsReceived >= 145 && inbound.packetsReceived <= 152, `${inbound.packetsReceived} packets`);
  });
}

test('a pause is heard, and it goes on where it was', { timeout }, async () => {
  const { player, listener, told, ended } = await playing('eight.wav');
  const start = Date.now();
  await playAndHear(player, listener, 1000);
  await player.pause();
  await listener.hearsNothing();
  const position = await player.getPosition();
  assert.ok(position > 150 && position < 8000, `${position} ms, of which a quarter of 0.7 s was heard`);
  await pause(500);
  assert.equal(await player.getPosition(), position);
  const held = Date.now() - told.at(-1).at;
  await player.play();
  await listener.hears(1000);
  assertOver(((await ended()).at - start - held) / 1000, 8);
});

test('a position is gone to', { timeout }, async () => {
  const { player, listener } = await playing('two.wav');
  await player.play();
  await listener.hears(440);
  await player.setPosition(12_000);
  await listener.hears(1000);
  const position = await player.getPosition();
  assert.ok(position >= 12_000 && position < 20_000, `${position} ms`);
  await player.setPosition(1000);
  await listener.hears(440);
  const { isSeekable, seekableInit, seekableEnd, duration } = await player.getVideoInfo();
  assert.deepEqual([isSeekable, seekableInit, seekableEnd, duration], [true, 0, 20_000, 20_000]);
  const { inbound } = await listener.statistics();
  assert.equal(inbound.packetsLost, 0);
});

test('one player is heard by twenty', { timeout: 2 * timeout }, async () => {
  const n = 20;
  const { player, listener, ended } = await playing('long.wav', n);
  const counts = () => Promise.all([...Array(n).keys()].map((i) => listener.statistics(i)));
  await player.play();
  for (const i of [0, n - 1]) await listener.hears(440, i);
  await player.setPosition(59_500);
  await ended();
  await until('all have all', async () => {
    const received = (await counts()).map(({ inbound }) => inbound.packetsReceived);
    return received.every((packets) => packets === received[0]);
  });
  for (const { inbound } of await counts()) assert.equal(inbound.packetsLost, 0);
});

test('a file of a server is heard', { timeout }, async () => {
  const { player, listener, ended } = await playing(address('/a.wav'));
  const start = Date.now();
  await playAndHear(player, listener, 1000);
  assertOver(((await ended()).at - start) / 1000, 3);
});

test('a server that dies is heard so far', { timeout }, async () => {
  const { player, listener, of, ended } = await playing(address('/dies'));
  const start = Date.now();
  await playAndHear(player, listener, 1000);
  assertOver(((await ended()).at - start) / 1000, 4);
  assert.equal(of('Error').trouble, 'UNEXPECTED_ELEMENT_ERROR');
});

test('what cannot be played is told', { timeout }, async () => {
  for (const [uri, trouble, description] of [
    ['missing.ogg', 'INVALID_URI', /no such file/],
    [`file://${folder}/../etc/passwd`, 'INVALID_URI', /out of the folder|no such file/],
    [address('/missing'), 'INVALID_URI', /status 404/],
    [address('/elsewhere'), 'INVALID_URI', /does not name the host localhost/],
  ]) {
    pipeline = await client.create('MediaPipeline');
    const player = await pipeline.create('PlayerEndpoint', { uri });
    const error = new Promise((resolve) => player.on('Error', resolve));
    await player.play();
    const told = await error;
    assert.equal(told.type, trouble);
    assert.match(told.description, description);
    await until('STOP', async () => (await player.getState()) === 'STOP');
    await pipeline.release();
  }
  pipeline = await client.create('MediaPipeline');
  for (const [uri, why] of [
    ['rtsp://camera.example/1', /only file/],
    ['http://169.254.169.254/latest/meta-data', /player.http does not name the host/],
    ['file:///etc/passwd', /not below player.dir/],
  ]) {
    await assert.rejects(pipeline.create('PlayerEndpoint', { uri }), (error) => why.test(error.message));
  }
});

test('a certificate that nobody vouches for is refused', { timeout }, async () => {
  const { host } = new URL(server.ready.https); // its own, self-signed
  const other = await startServer({ 'kurento.listen': '127.0.0.1:0', 'player.http': host });
  const its = await kurento(other.ready.kurento);
  try {
    const uri = `https://${host}/a.wav`;
    const player = await (await its.create('MediaPipeline')).create('PlayerEndpoint', { uri });
    const error = new Promise((resolve) => player.on('Error', resolve));
    await player.play();
    assert.match((await error).description, /certificate/i);
  } finally {
    its.close();
    await other.stop();
  }
});
