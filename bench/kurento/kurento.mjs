#!/usr/bin/env node
// How long the Kurento Protocol takes to answer, and what its objects leave behind.
//
//     node bench/kurento/kurento.mjs [--live N] [--samples N] [--clients N] [--churn N]
//
// Needs build/release/duet and `npm ci` in tests/e2e (for ws). Times are those of the client: one
// request on its way at a time, so they hold the client's own work, too. Ends by itself.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { startServer } from '../../tests/e2e/lib/server.mjs';

const { WebSocket } = createRequire(new URL('../../tests/e2e/', import.meta.url))('ws');

const { values } = parseArgs({
  options: {
    live: { type: 'string', default: '1000' }, // pipelines that are there while it is measured
    samples: { type: 'string', default: '300' },
    clients: { type: 'string', default: '100' }, // that send their requests without waiting
    churn: { type: 'string', default: '10000' }, // pipelines made and released
  },
});
const count = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Number(value)]));

const offer = readFileSync(new URL('../../tests/data/sdp/chromium_audio.sdp', import.meta.url), 'utf8')
  .replace(/\r?\n/g, '\r\n');

class Client {
  static async open(url) {
    const client = new Client(new WebSocket(url));
    await new Promise((done, fail) => client.socket.once('open', done).once('error', fail));
    return client;
  }

  constructor(socket) {
    Object.assign(this, { socket, id: 0, waiting: new Map(), session: undefined, events: 0 });
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.method) return void this.events++;
      const { done, fail } = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.error) return fail(new Error(JSON.stringify(message.error)));
      this.session = message.result?.sessionId ?? this.session;
      done(message.result?.value);
    });
  }

  ask(method, params) {
    const id = this.id++;
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, sessionId: this.session } }));
    return new Promise((done, fail) => this.waiting.set(id, { done, fail }));
  }

  create(type, constructorParams) {
    return this.ask('create', { type, constructorParams });
  }

  invoke(object, operation, operationParams = {}) {
    return this.ask('invoke', { object, operation, operationParams });
  }
}

const steps = {
  'create MediaPipeline': async (c, s) => (s.pipeline = await c.create('MediaPipeline')),
  'create WebRtcEndpoint': async (c, s) =>
    (s.a = await c.create('WebRtcEndpoint', { mediaPipeline: s.pipeline })),
  'another': async (c, s) => (s.b = await c.create('WebRtcEndpoint', { mediaPipeline: s.pipeline })),
  connect: (c, s) => c.invoke(s.a, 'connect', { sink: s.b }),
  processOffer: (c, s) => c.invoke(s.a, 'processOffer', { offer }),
  gatherCandidates: (c, s) => c.invoke(s.a, 'gatherCandidates'),
  getStats: (c, s) => c.invoke(s.a, 'getStats'),
};

const release = (c, s) => c.ask('release', { object: s.pipeline });

async function live(client) {
  const state = {};
  for (const step of Object.values(steps)) await step(client, state);
  return state;
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

async function latencies(client) {
  const times = Object.fromEntries(Object.keys(steps).map((name) => [name, []]));
  times.release = [];
  const timed = async (name, run) => {
    const from = process.hrtime.bigint();
    await run();
    times[name].push(Number(process.hrtime.bigint() - from) / 1e6);
  };
  for (let i = 0; i < count.samples; i++) {
    const state = {};
    for (const [name, step] of Object.entries(steps)) await timed(name, () => step(client, state));
    await timed('release', () => release(client, state));
  }
  for (const [name, list] of Object.entries(times)) {
    list.sort((a, b) => a - b);
    console.log(`${name.padEnd(24)} p50 ${quantile(list, 0.5).toFixed(2)} ms   p99 ${quantile(list, 0.99).toFixed(2)} ms`);
  }
}

async function pipelined(url) {
  const clients = await Promise.all(Array.from({ length: count.clients }, () => Client.open(url)));
  const from = performance.now();
  await Promise.all(clients.map(async (c) => {
    const pipelines = await Promise.all(Array.from({ length: 20 }, () => c.create('MediaPipeline')));
    await Promise.all(pipelines.map((object) => c.ask('release', { object })));
  }));
  const n = count.clients * 20 * 2;
  console.log(`${count.clients} clients, 20 requests each on their way: ${n} requests, ${((performance.now() - from) * 1000 / n).toFixed(0)} us each`);
  for (const c of clients) c.socket.terminate();
}

async function churn(client, server) {
  const resident = [];
  const batch = 100;
  for (let i = 0; i < count.churn; i += batch) {
    const states = await Promise.all(Array.from({ length: batch }, () => live(client)));
    await Promise.all(states.map((state) => release(client, state)));
    if (i % (count.churn / 10) === 0) resident.push(server.resident());
  }
  resident.push(server.resident());
  console.log(`${count.churn} pipelines made and released, resident KiB on the way: ${resident.join(' ')}`);
}

const server = await startServer({ 'kurento.listen': '127.0.0.1:0', 'https.listen': '', 'log.level': 'warning' });
try {
  const client = await Client.open(server.ready.kurento);
  await client.ask('describe', { object: 'manager_ServerManager' });
  const before = server.resident();
  const states = [];
  for (let i = 0; i < count.live; i++) states.push(await live(client));
  console.log(`${count.live} live pipelines of two endpoints, one of them negotiated: ${((server.resident() - before) / count.live).toFixed(1)} KiB each`);
  await latencies(client);
  for (const state of states) await release(client, state);
  await pipelined(server.ready.kurento);
  await churn(client, server);
  client.socket.close();
} finally {
  await server.stop();
}
