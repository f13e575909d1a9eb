// media.backend: kurento. The same application with its audio on other servers: here other Duets, each
// a process of its own. Who gets a call, and what becomes of calls when one of them dies, hangs, is
// not there, comes back.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import WebSocket from 'ws';

import { PageUser, talk } from './lib/browser.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { useBrowsers } from './lib/stage.mjs';
import { until } from './lib/wait.mjs';
import { WeriftUser, compare, weriftTalk } from './lib/werift.mjs';

const timeout = 90_000 * SLOW;
const TOKEN = 'a-secret-of-16-or-more';

let opened = []; // users
let started = []; // servers

afterEach(async () => {
  for (const user of opened.splice(0)) await user.close();
  for (const server of started.splice(0).reverse()) {
    if (!server.end) await server.stop();
    rmSync(server.folder, { recursive: true, force: true });
  }
});

async function start(settings) {
  const server = await startServer(settings);
  started.push(server);
  return server;
}

const startMedia = (settings = {}) =>
  start({ 'http.listen': '127.0.0.1:0', 'https.listen': '', 'kurento.listen': '127.0.0.1:0', ...settings });

const isThere = (front, media) =>
  front.log.some((line) => line.includes(`media server ${media.ready.kurento} is there`));

/** The page's server, and its media servers, all of which it knows to be there. */
async function startAll(n, settings = {}) {
  const media = [];
  for (let i = 0; i < n; i++) media.push(await startMedia());
  const front = await start({
    'media.backend': 'kurento',
    'media.kurento_uri': media.map((m) => m.ready.kurento).join(','),
    ...settings,
  });
  assert.equal(front.ready.media, `kurento:${n}`);
  assert.equal(front.ready.kurento, undefined);
  await until('all media servers are there', () => media.every((m) => isThere(front, m)));
  return { front, media };
}

/** A request of the Kurento Protocol on a connection of its own. */
function ask(server, method, params) {
  return new Promise((done, fail) => {
    const socket = new WebSocket(server.ready.kurento);
    socket.onerror = () => fail(new Error(`no WebSocket at ${server.ready.kurento}`));
    socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
    socket.onmessage = ({ data }) => {
      socket.close();
      done(JSON.parse(data).result);
    };
  });
}

/** How many calls does a media server have? */
async function pipelines(server) {
  const { value } = await ask(server, 'invoke', { object: 'manager_ServerManager', operation: 'getPipelines' });
  return value.length;
}

async function werift(name, front) {
  const user = new WeriftUser(name, front.socket());
  opened.push(user);
  await user.client.register(name);
  return user;
}

/** A way to a media server that can be cut. */
async function startLine(media) {
  const { hostname, port } = new URL(media.ready.kurento);
  const sockets = new Set();
  const proxy = createServer((inner) => {
    const outer = createConnection({ host: hostname, port: Number(port) });
    for (const [socket, other] of [[inner, outer], [outer, inner]]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = () => [...sockets].forEach((socket) => socket.resetAndDestroy());
  return { port: proxy.address().port, cut, stop: () => (proxy.close(), cut()) };
}

let number = 0;

/** Two people who talk. */
async function pair(front) {
  number += 1;
  const two = [await werift(`a${number}`, front), await werift(`b${number}`, front)];
  await weriftTalk(...two);
  return two;
}

/** Both are told that their call is over, and why. @returns after how many ms */
async function told(two, begin) {
  for (const user of two) {
    const stop = await user.client.expect('stopCommunication', 12_000 * SLOW);
    assert.equal(stop.reason, 'server-error');
  }
  return Date.now() - begin;
}

async function stillTalks(two) {
  const before = two.map((user) => user.heard.length);
  await until('both hear more', () => two.every((user, i) => user.heard.length > before[i] + 20));
}

// --- two browsers ---

const stage = useBrowsers();

async function people(front) {
  const two = [];
  for (const [i, name] of ['alice', 'bob'].entries()) {
    const user = await PageUser.open(stage.browsers[i], name, front.socket());
    opened.push(user);
    await user.register();
    two.push(user);
  }
  return two;
}

test('two browsers talk, one restarts ICE, hang up, and call again', { timeout }, async () => {
  const { front, media } = await startAll(1);
  const [alice, bob] = await people(front);
  await talk(alice, bob);
  assert.equal(await pipelines(media[0]), 1);
  assert.equal(front.threads() < media[0].threads(), true, 'no media threads here');

  await alice.client('send', { id: 'quality', concealed: 0, jitterBuffer: 40 });
  const { you, them } = await alice.expect('quality');
  assert.ok(you.line && them.line, JSON.stringify({ you, them }));

  const answer = await alice.client('reoffer');
  assert.equal(answer.response, 'accepted');
  await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);

  await alice.client('stop');
  assert.equal((await bob.expect('stopCommunication')).reason, 'hang-up');
  await until('the pipeline is released', async () => (await pipelines(media[0])) === 0);
  await talk(bob, alice);

  await alice.page.close(); // DTLS and WebSocket, in either order
  assert.match((await bob.expect('stopCommunication', 3000 * SLOW)).reason, /^(peer-lost|hang-up)$/);
  await until('the pipeline is released', async () => (await pipelines(media[0])) === 0);
});

// --- payloads, a token, TLS ---

test('what is said arrives bit by bit; token and TLS are verified', { timeout }, async () => {
  const media = await startMedia({ 'kurento.tls': 'true', 'kurento.token': TOKEN });
  const settings = { 'media.backend': 'kurento', 'media.kurento_uri': media.ready.kurento };
  const own = { ...settings, 'media.kurento_token': TOKEN, 'media.kurento_ca': `${media.folder}/tls-self-signed.pem` };

  const stranger = await start({ ...settings, 'media.kurento_token': TOKEN });
  await until('an unknown certificate is refused', () => stranger.log.some((line) => /is not there: its certificate is not trusted/.test(line)));
  const tokenless = await start({ ...own, 'media.kurento_token': '' });
  await until('a missing token is refused', () => tokenless.log.some((line) => /is not there/.test(line)));
  assert.equal(isThere(stranger, media) || isThere(tokenless, media), false);

  const front = await start(own);
  await until('it is there', () => isThere(front, media));
  assert.equal([stranger, tokenless, front].some((s) => s.log.join().includes(TOKEN)), false);
  const two = await pair(front);
  await stillTalks(two);
  assert.equal(compare(two[0].sent, two[1].heard).error, undefined);
  assert.equal(compare(two[1].sent, two[0].heard).error, undefined);
});

// --- several servers ---

test('calls are spread; one server dies: its calls end, the others go on, it is taken back', { timeout }, async (t) => {
  const { front, media } = await startAll(2);
  const first = await pair(front);
  const second = await pair(front);
  assert.deepEqual([await pipelines(media[0]), await pipelines(media[1])], [1, 1]);

  const begin = Date.now();
  media[0].child.kill('SIGKILL');
  const took = await told(first, begin);
  t.diagnostic(`told after ${took} ms`);
  assert.ok(took < 10_000, `told after ${took} ms`);
  await stillTalks(second);

  const third = await pair(front);
  assert.equal(await pipelines(media[1]), 2);
  await stillTalks(third);

  const { host } = new URL(media[0].ready.kurento);
  const again = await startMedia({ 'kurento.listen': host });
  await until('it is taken back', () =>
    front.log.filter((line) => line.includes(`${media[0].ready.kurento} is there`)).length === 2);
  await pair(front);
  assert.equal(await pipelines(again), 1);
});

test('one server hangs: its calls end in 10 s, new ones go to the other', { timeout }, async (t) => {
  const { front, media } = await startAll(2);
  const first = await pair(front);
  const second = await pair(front);
  const begin = Date.now();
  media[0].child.kill('SIGSTOP');
  try {
    const third = [await werift('c1', front), await werift('c2', front)];
    await third[0].client.call('c2');
    await third[1].client.expect('incomingCall');
    const rang = Date.now();
    await third[1].client.accept();
    const answer = await third[0].client.expect('callResponse');
    assert.equal(answer.response, 'accepted');
    assert.ok(Date.now() - rang < 5000 * SLOW);
    const took = await told(first, begin);
    t.diagnostic(`told after ${took} ms`);
    assert.ok(took < 10_000, `told after ${took} ms`);
    await stillTalks(second);
  } finally {
    media[0].child.kill('SIGCONT');
  }
  await until('it is taken back', () =>
    front.log.filter((line) => line.includes(`${media[0].ready.kurento} is there`)).length === 2);
  await until('nothing of the calls that ended is left', async () => (await pipelines(media[0])) === 0);
});

test('a connection that breaks ends nothing, not even while a call is set up', { timeout }, async () => {
  const media = await startMedia();
  const line = await startLine(media);
  const uri = `ws://127.0.0.1:${line.port}/kurento`;
  const front = await start({ 'media.backend': 'kurento', 'media.kurento_uri': uri });
  try {
    await until('it is there', () => front.log.some((text) => text.includes(`${uri} is there`)));
    const first = await pair(front);
    line.cut();
    const second = await pair(front);
    assert.ok(front.log.some((text) => text.includes(`${uri} is back, `)));
    await stillTalks(first);
    await stillTalks(second);
    line.cut();
    first[0].client.send({ id: 'stop' });
    assert.equal((await first[1].client.expect('stopCommunication')).reason, 'hang-up');
    await until('one pipeline is left', async () => (await pipelines(media)) === 1);
    await stillTalks(second);
  } finally {
    line.stop();
  }
});

test('no server is there: the caller is told in 5 s; one comes: calls work', { timeout }, async () => {
  const media = await startMedia();
  const uri = media.ready.kurento;
  media.child.kill('SIGKILL');
  await media.ended;
  const front = await start({ 'media.backend': 'kurento', 'media.kurento_uri': `${uri},ws://127.0.0.1:1/kurento` });
  const [alice, bob] = [await werift('alice', front), await werift('bob', front)];
  await alice.client.call('bob');
  await bob.client.expect('incomingCall');
  const begin = Date.now();
  await bob.client.accept();
  const answer = await alice.client.expect('callResponse');
  assert.notEqual(answer.response, 'accepted');
  assert.equal(answer.reason, 'server-error');
  assert.ok(Date.now() - begin < 5000, `told after ${Date.now() - begin} ms`);
  assert.equal((await bob.client.expect('stopCommunication')).reason, 'server-error');

  await startMedia({ 'kurento.listen': new URL(uri).host });
  await until('it is there', () => front.log.some((line) => line.includes(`${uri} is there`)));
  await weriftTalk(alice, bob);
  await stillTalks([alice, bob]);
});

test('the application ends: both are told, and nothing is left on the media server', { timeout }, async () => {
  const { front, media } = await startAll(1);
  const two = await pair(front);
  await front.stop();
  for (const user of two)
    assert.equal((await user.client.expect('stopCommunication')).reason, 'server-shutdown');
  await until('the pipeline is released', async () => (await pipelines(media[0])) === 0);
});
