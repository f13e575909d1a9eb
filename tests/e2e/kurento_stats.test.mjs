// getStats tells the truth: one person is on a line with known loss, delay and jitter; what the
// server says of it is held to what the line did, and to what the browser at the other end says.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { PageUser, startBrowser, talk } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { startLine } from './lib/impair.mjs';
import { KurentoApp } from './lib/kurento_app.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { pause, until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const TALK_MS = 20_000; // four reports
const DELAY_MS = 40;
const JITTER_MS = 30;
const LOSS = 5; // %
const BUSY_MS = 40; // what browser and machine may add to a round trip

let fixture;
let server;
let browsers;
let app;
let line;

before(async () => {
  fixture = await startFixture();
  // Without RED, which repairs before anything is missing.
  server = await startServer({ 'kurento.listen': '127.0.0.1:0', 'media.workers': '1', 'media.red': 'false' });
  browsers = [await startBrowser({ hz: 440, page: fixture.url }), await startBrowser({ hz: 1000, page: fixture.url })];
  app = await KurentoApp.start(server.ready.kurento);
  line = await startLine({ ready: server.ready, socket: () => app.url },
    { delay: DELAY_MS, jitter: JITTER_MS, loss: LOSS, seed: 7 });
});

after(async () => {
  for (const browser of browsers ?? []) await browser.stop();
  await line?.stop();
  await app?.stop();
  await fixture?.stop();
  await server?.stop();
});

/** Members of RTCStats of a real server, with the types of their values; nothing else may be there. */
const both = {
  __module__: 'string', __type__: 'string', id: 'string', type: 'string', timestampMillis: 'number', ssrc: 'string',
  associateStatsId: 'string', isRemote: 'boolean', mediaTrackId: 'string', transportId: 'string', codecId: 'string',
  firCount: 'number', pliCount: 'number', nackCount: 'number', sliCount: 'number', remb: 'number',
  packetsLost: 'number', fractionLost: 'number',
};
const forms = {
  RTCInboundRTPStreamStats: { ...both, packetsReceived: 'number', bytesReceived: 'number', jitter: 'number' },
  RTCOutboundRTPStreamStats: { ...both, packetsSent: 'number', bytesSent: 'number', targetBitrate: 'number', roundTripTime: 'number' },
};

function checkForm(stats) {
  const form = Object.fromEntries(Object.entries(stats).map(([key, value]) => [key, typeof value]));
  assert.deepEqual(form, forms[stats.__type__], stats.__type__);
  assert.ok(stats.fractionLost >= 0 && stats.fractionLost <= 255);
  assert.ok(Math.abs(stats.timestampMillis - Date.now()) < 5000);
}

/** Of one endpoint: { inbound, outbound }. */
async function serverStats(name) {
  const { endpoint } = app.people.get(name);
  const { [endpoint.id]: own, ...rest } = await endpoint.getStats();
  assert.deepEqual([own.__type__, own.type, own.E2ELatency, own.inputLatency], ['EndpointStats', 'endpoint', [], []]);
  const found = {};
  for (const [id, stats] of Object.entries(rest)) {
    checkForm(stats);
    assert.equal(stats.id, id);
    found[stats.type.replace('rtp', '')] = stats;
  }
  return found;
}

const least = (values) => Math.min(...values);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * What both sides say, once a second: a busy browser is late now and then, which is in single values
 * of a round trip and of a jitter, but neither in the least nor in the middle one of many.
 */
async function listen(alice) {
  const samples = [];
  for (const begin = Date.now(); Date.now() - begin < TALK_MS; await pause(1000)) {
    const [seen, here, there] = await Promise.all([alice.statistics(), serverStats('alice'), serverStats('bob')]);
    if (seen.remote?.roundTripTime && here.outbound.roundTripTime && there.outbound.roundTripTime)
      samples.push({ seen, here, there });
  }
  assert.ok(samples.length > TALK_MS / 4000, `${samples.length} samples with reports of all`);
  return (choose) => samples.map(choose);
}

const near = (what, value, wanted, tolerance) =>
  assert.ok(Math.abs(value - wanted) <= tolerance, `${what}: ${value}, and not ${wanted} ± ${tolerance}`);

test('loss, jitter and round trip are those of the line', { timeout }, async (t) => {
  const [alice, bob] = [await PageUser.open(browsers[0], 'alice', line.socket()), await PageUser.open(browsers[1], 'bob', app.url)];
  for (const person of [alice, bob]) await person.register();
  await talk(alice, bob);
  // What he said before she could hear it was sent to nobody: packets are counted from here on.
  await until('she is sent something', async () => (await serverStats('alice')).outbound?.packetsSent);
  const [first, firstOfHis] = await Promise.all([serverStats('alice'), serverStats('bob')]);
  const each = await listen(alice);
  const [lineStats, seen, here, there] = await Promise.all([line.stats(), alice.statistics(), serverStats('alice'), serverStats('bob')]);
  const { inbound, outbound } = here;
  t.diagnostic(JSON.stringify({ inbound, outbound, line: lineStats, remote: seen.remote, sent: seen.outbound.packetsSent, resent: seen.outbound.retransmittedPacketsSent }));

  // Who is meant.
  assert.equal(inbound.ssrc, String(seen.outbound.ssrc));
  assert.equal(outbound.ssrc, String(seen.inbound.ssrc));

  // From her: what the line lost was asked for, and what came then counts as received.
  const sent = seen.outbound.packetsSent - (seen.outbound.retransmittedPacketsSent ?? 0);
  // (What is asked for twice may come twice, and does not count again.)
  near('packetsReceived', inbound.packetsReceived + inbound.packetsLost, sent, 0.08 * sent);
  near('bytesReceived', inbound.bytesReceived / inbound.packetsReceived, seen.outbound.bytesSent / seen.outbound.packetsSent, 3);
  const lost = lineStats.up.lost_single;
  assert.ok(inbound.nackCount >= 0.7 * lost && inbound.nackCount <= 3 * lost, `asked for ${inbound.nackCount} of ${lost}`);
  // (How much comes again is the browser's choice: it limits what it sends twice.)
  assert.ok(inbound.packetsLost <= 0.7 * lost, `${inbound.packetsLost} of ${lost} are missing after repair`);
  near('packetsLost, as RTCP told it to her', inbound.packetsLost, seen.remote.packetsLost, 0.02 * sent);
  const jitter = median(each(({ here: { inbound: { jitter } } }) => jitter));
  near('jitter, as RTCP told it to her', jitter, median(each(({ seen }) => seen.remote.jitter)), 0.008);
  assert.ok(jitter > 0.003 && jitter < JITTER_MS / 1000, `jitter ${jitter} s`);

  // To her.
  const trip = 1000 * least(each(({ here: { outbound } }) => outbound.roundTripTime));
  const asSheMeasures = 1000 * least(each(({ seen }) => seen.remote.roundTripTime));
  assert.ok(trip >= 2 * DELAY_MS && trip <= 2 * (DELAY_MS + JITTER_MS) + BUSY_MS, `roundTripTime ${trip} ms`);
  near('roundTripTime, as she measures it [ms]', trip, asSheMeasures, 2 * JITTER_MS);
  // (A probe of his browser, padding alone, is received and not passed on.)
  const sentToHer = outbound.packetsSent - first.outbound.packetsSent;
  near('packetsSent', sentToHer, there.inbound.packetsReceived - firstOfHis.inbound.packetsReceived, 0.03 * sentToHer);
  near('packetsLost', outbound.packetsLost, seen.inbound.packetsLost, 0.03 * outbound.packetsSent);
  near('targetBitrate', outbound.targetBitrate, 8 * seen.inbound.bytesReceived / (TALK_MS / 1000), 0.25 * outbound.targetBitrate);
  assert.ok(outbound.nackCount > 0, 'she asked for what the line lost');

  // His line is perfect, and is not mixed up with hers.
  assert.equal(there.inbound.packetsLost, 0);
  assert.equal(there.inbound.nackCount, 0);
  const his = least(each(({ there: { outbound } }) => outbound.roundTripTime));
  assert.ok(his < 0.03, `${his} s`);
  const hisJitter = median(each(({ there: { inbound: { jitter } } }) => jitter));
  assert.ok(hisJitter < 0.01, `${hisJitter} s`);
  await alice.close();
  await bob.close();
  assert.deepEqual(app.errors, []);
});
