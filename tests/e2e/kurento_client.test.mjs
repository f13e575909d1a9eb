// An application written for Kurento, with kurento-client 7.3.0 as published, runs on Duet.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import kurento from 'kurento-client';

import { PageUser, startBrowser, talk } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { KurentoApp } from './lib/kurento_app.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;

let fixture;
let server;
let browsers;
let app;

before(async () => {
  fixture = await startFixture();
  server = await startServer({ 'kurento.listen': '127.0.0.1:0' });
  browsers = [
    await startBrowser({ hz: 440, page: fixture.url }),
    await startBrowser({ hz: 1000, page: fixture.url }),
  ];
  app = await KurentoApp.start(server.ready.kurento);
});

after(async () => {
  await app?.stop();
  for (const browser of browsers ?? []) await browser.stop();
  await fixture?.stop();
  await server?.stop();
});

const opened = [];
afterEach(async () => {
  for (const user of opened.splice(0)) await user.close().catch(() => {});
});

test('two browsers talk through an application of Kurento', { timeout }, async () => {
  for (const [i, name] of ['alice', 'bob'].entries()) {
    opened.push(await PageUser.open(browsers[i], name, app.url));
    await opened[i].register();
  }
  const [alice, bob] = opened;
  await talk(alice, bob);
  const { inbound, transport } = await alice.statistics();
  assert.equal(inbound.packetsLost, 0);
  assert.equal(transport.dtlsState, 'connected');
  for (const name of ['alice', 'bob']) {
    const told = (type) => app.events.filter((e) => e.person === name && e.type === type);
    assert.equal(told('MediaSessionStarted').length, 1);
    assert.equal(told('IceGatheringDone').length, 1);
    assert.equal(told('ConnectionStateChanged').at(-1)?.newState, 'CONNECTED');
  }
  await alice.client('stop');
  await bob.expect('stopCommunication');
  const manager = await app.client.getServerManager();
  await until('the pipeline is gone', async () => (await manager.getPipelines()).length === 0);
  assert.deepEqual(app.errors, []);
});

test('a restart of ICE is another processOffer, and the call goes on', { timeout }, async () => {
  for (const [i, name] of ['carol', 'dave'].entries()) {
    opened.push(await PageUser.open(browsers[i], name, app.url));
    await opened[i].register();
  }
  const [carol, dave] = opened;
  await talk(carol, dave);
  const { inbound: before, transport } = await carol.statistics();
  assert.equal((await carol.client('reoffer')).response, 'accepted');
  await until('carol has another way', async () =>
    (await carol.statistics()).transport.iceLocalUsernameFragment !== transport.iceLocalUsernameFragment);
  await until('carol receives on', async () =>
    (await carol.statistics()).inbound.packetsReceived > before.packetsReceived + 100);
  const { inbound } = await carol.statistics();
  assert.equal(inbound.ssrc, before.ssrc);
  assert.equal(inbound.packetsLost, before.packetsLost);
  await Promise.all([carol.hears(dave.hz), dave.hears(carol.hz)]);
  await carol.client('stop');
  await dave.expect('stopCommunication');
  assert.deepEqual(app.errors, []);
});

test('two browsers talk through hubs and elements that hand on', { timeout }, async () => {
  const hubs = await KurentoApp.start(server.ready.kurento);
  hubs.wire = async (pipeline, a, b) => {
    // a → PassThrough → DispatcherOneToMany → b, and b → Dispatcher → a
    const through = await pipeline.create('PassThrough');
    const many = await pipeline.create('DispatcherOneToMany');
    const from = await many.createHubPort();
    await a.connect(through);
    await through.connect(from);
    await many.setSource(from);
    const to = await many.createHubPort();
    await to.connect(b);
    const any = await pipeline.create('Dispatcher');
    const ports = [await any.createHubPort(), await any.createHubPort()];
    await b.connect(ports[0]);
    await ports[1].connect(a);
    await any.connect(...ports);
  };
  for (const [i, name] of ['carol', 'dave'].entries()) {
    opened.push(await PageUser.open(browsers[i], name, hubs.url));
    await opened[i].register();
  }
  await talk(...opened);
  assert.equal(await opened[0].statistics().then((s) => s.inbound.packetsLost), 0);
  await opened[0].client('stop');
  await opened[1].expect('stopCommunication');
  await hubs.stop();
  assert.deepEqual(hubs.errors, []);
});

test('one client finds by name what another made', { timeout }, async () => {
  const client = await kurento(server.ready.kurento);
  const pipeline = await client.create('MediaPipeline');
  await pipeline.setName('kept');
  const manager = await app.client.getServerManager();
  const names = async () => Promise.all((await manager.getPipelines()).map((p) => p.getName()));
  assert.ok((await names()).includes('kept'));
  await pipeline.release();
  assert.ok(!(await names()).includes('kept'));
  client.close();
});

/** Passes connections on to the server until they are cut. */
async function startProxy(to) {
  const sockets = new Set();
  const proxy = createServer((client) => {
    const server = connect(to);
    for (const [a, b] of [[client, server], [server, client]]) {
      sockets.add(a);
      a.on('data', (data) => b.write(data));
      a.on('close', () => (sockets.delete(a), b.destroy()));
      a.on('error', () => {});
    }
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  return {
    url: `ws://127.0.0.1:${proxy.address().port}/kurento`,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    stop: () => (sockets.forEach((socket) => socket.destroy()), proxy.close()),
  };
}

test('a client whose connection breaks finds its objects again', { timeout }, async () => {
  const proxy = await startProxy(Number(new URL(server.ready.kurento).port));
  const client = await kurento(proxy.url);
  const pipeline = await client.create('MediaPipeline');
  await pipeline.setName('kept');
  const reconnected = new Promise((done) => client.once('reconnected', done));
  proxy.cut();
  assert.equal(await reconnected, true, 'the same session');
  assert.equal(await pipeline.getName(), 'kept');
  await pipeline.release();
  client.close();
  proxy.stop();
});
