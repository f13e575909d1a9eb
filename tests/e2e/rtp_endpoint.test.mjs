// Plain RTP into and out of a call: ffmpeg and sockets at an RtpEndpoint, a browser at a WebRtcEndpoint.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { after, afterEach, before, test } from 'node:test';
import kurento from 'kurento-client';

import { startBrowser } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { isHeard } from './lib/hearing.mjs';
import { describe, freePorts, Listener, openPair, playTone, record, target } from './lib/plain.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { frame } from './lib/ulaw.mjs';
import { until, untilInPage } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const WAIT = 20_000 * SLOW;

let fixture;
let server;
let browser;
let client;

before(async () => {
  fixture = await startFixture();
  server = await startServer({ 'kurento.listen': '127.0.0.1:0', 'media.rtp_ports': '31000-31999' });
  browser = await startBrowser({ hz: 440, page: fixture.url });
  client = await kurento(server.ready.kurento);
});

after(async () => {
  client?.close();
  await browser?.stop();
  await fixture?.stop();
  await server?.stop();
});

const undo = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

async function openPipeline() {
  const pipeline = await client.create('MediaPipeline');
  undo.push(() => pipeline.release());
  return pipeline;
}

/** A page of the browser at a new WebRtcEndpoint; `only` narrows its offer to one codec. */
async function joinBrowser(pipeline, only = null) {
  const endpoint = await pipeline.create('WebRtcEndpoint');
  const page = await browser.open();
  undo.push(() => page.context().close());
  await page.evaluate(() => import('/page.mjs'));
  const offer = await page.evaluate(async (wanted) => {
    const pc = (globalThis.pc = new RTCPeerConnection());
    pc.ontrack = async ({ track }) => (globalThis.ears = await duet.attach(track));
    for (const track of (await duet.microphone()).getTracks()) pc.addTrack(track);
    if (wanted) {
      const [transceiver] = pc.getTransceivers();
      const { codecs } = RTCRtpSender.getCapabilities('audio');
      transceiver.setCodecPreferences(codecs.filter((c) => c.mimeType === wanted));
    }
    await pc.setLocalDescription();
    await new Promise((done) => {
      if (pc.iceGatheringState === 'complete') done();
      pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
    });
    return pc.localDescription.sdp;
  }, only);
  const answer = await endpoint.processOffer(offer);
  const candidates = [];
  endpoint.on('IceCandidateFound', ({ candidate }) => candidates.push(candidate));
  await endpoint.gatherCandidates();
  await page.evaluate((sdp) => pc.setRemoteDescription({ type: 'answer', sdp }), answer);
  await until('a candidate of ours', () => candidates.length > 0);
  for (const { candidate, sdpMid, sdpMLineIndex } of candidates)
    await page.evaluate((c) => pc.addIceCandidate(c), { candidate, sdpMid, sdpMLineIndex });
  await until('connected', () => page.evaluate(() => pc.connectionState === 'connected'), WAIT);
  return {
    endpoint,
    page,
    hears: (hz) => untilInPage(`the browser hears ${hz} Hz`, page, (f) => duet.hears(globalThis.ears, f), hz, WAIT),
  };
}

/** kurento-client tells of an error by a callback only. */
const checked = (object, method, ...args) => new Promise((done, fail) =>
  object[method](...args, (error, value) => (error ? fail(error) : done(value))));

async function rtpEndpoint(pipeline) {
  const endpoint = await pipeline.create('RtpEndpoint');
  endpoint.states = [];
  endpoint.on('ConnectionStateChanged', ({ newState }) => endpoint.states.push(newState));
  endpoint.on('MediaStateChanged', ({ newState }) => endpoint.states.push(`media ${newState}`));
  return endpoint;
}

async function joinPair() {
  const pair = await openPair();
  undo.push(() => (pair.rtp.close(), pair.rtcp.close()));
  return pair;
}

test('ffmpeg plays to an RtpEndpoint, and a browser hears it', { timeout }, async () => {
  const pipeline = await openPipeline();
  const person = await joinBrowser(pipeline);
  const rtp = await rtpEndpoint(pipeline);
  await rtp.connect(person.endpoint);
  const { port } = await joinPair(); // ffmpeg sends from another one
  const answer = await rtp.processOffer(describe({ port, codec: 'opus', way: 'sendonly' }));
  assert.match(answer, /^a=recvonly\r$/m);
  const { port: ours } = target(answer);
  assert.ok(ours >= 31_000 && ours < 32_000 && ours % 2 === 0);
  let ffmpeg = playTone(1000, 'opus', target(answer));
  undo.push(() => ffmpeg.stop());
  await person.hears(1000);
  await until('media is told', () => rtp.states.includes('media CONNECTED'));
  assert.ok(rtp.states.includes('CONNECTED'));
  assert.equal(await rtp.getMediaState(), 'CONNECTED');
  const inbound = async () => Object.values(await rtp.getStats()).find((s) => s.type === 'inboundrtp');
  await until('packets are counted', async () => (await inbound()).packetsReceived > 20);
  assert.equal((await inbound()).packetsLost, 0);
  // Started again it has another port and another SSRC.
  await ffmpeg.stop();
  await until('its silence is told', () => rtp.states.at(-1) === 'media DISCONNECTED');
  ffmpeg = playTone(700, 'opus', target(answer));
  await person.hears(700);
});

test('a browser is heard by ffmpeg at an offer of ours', { timeout }, async () => {
  const pipeline = await openPipeline();
  const person = await joinBrowser(pipeline);
  const rtp = await rtpEndpoint(pipeline);
  await person.endpoint.connect(rtp);
  const { port, rtp: probe, rtcp } = await openPair();
  probe.close(); // ffmpeg opens them
  rtcp.close();
  const offer = await rtp.generateOffer();
  assert.match(offer, /^m=audio 31\d\d\d RTP\/AVP 111 /m);
  const answer = describe({ port, codec: 'opus', way: 'recvonly' }).replaceAll('96', '111');
  const ffmpeg = record(answer);
  undo.push(() => ffmpeg.stop());
  await rtp.processAnswer(answer);
  await until('ffmpeg hears 440 Hz', () => {
    const samples = ffmpeg.heard();
    return samples && isHeard({ rate: 48_000, samples }, 440);
  }, WAIT).catch((error) => { throw new Error(`${error.message}\n${ffmpeg.log.join('')}`); });
});

test('a telephone with G.711 and a browser talk; strangers change nothing', { timeout }, async () => {
  const pipeline = await openPipeline();
  const person = await joinBrowser(pipeline, 'audio/PCMU');
  const rtp = await rtpEndpoint(pipeline);
  await rtp.connect(person.endpoint);
  await person.endpoint.connect(rtp);
  const pair = await joinPair();
  const to = target(await rtp.processOffer(describe({ port: pair.port, codec: 'pcmu' })));
  const listener = new Listener(pair.rtp);
  const stranger = createSocket('udp4');
  undo.push(() => stranger.close());
  const robbed = new Listener(stranger);
  let number = 0;
  const timer = setInterval(() => {
    const header = Buffer.alloc(12);
    header.writeUInt16BE(0x8000);
    header.writeUInt16BE(number & 0xffff, 2);
    header.writeUInt32BE(number * 160, 4);
    header.writeUInt32BE(4711, 8);
    pair.rtp.send(Buffer.concat([header, frame(600, number)]), to.port, to.host);
    // Somebody who found the port, and even knows the numbers; from the second packet on.
    const noise = Buffer.concat([header, frame(2500, number)]);
    if (number++ > 0) for (let i = 0; i < 3; i++) stranger.send(noise, to.port, to.host);
  }, 20);
  undo.push(() => clearInterval(timer));
  await person.hears(600);
  await until('the telephone hears 440 Hz', () => {
    const sound = listener.ulaw();
    return sound.samples.length > sound.rate / 2 && isHeard(sound, 440);
  }, WAIT);
  assert.equal(robbed.packets, 0);
  assert.equal(listener.gaps, 0);
  assert.equal(listener.ssrcs.size, 1);
  assert.deepEqual([...listener.from], [`127.0.0.1:${to.port}`]);
  assert.ok(!listener.hasExtension);
});

test('two servers of plain RTP, one behind the other', { timeout }, async () => {
  const [near, far] = [await openPipeline(), await openPipeline()];
  const [alice, bob] = [await joinBrowser(near), await joinBrowser(far)];
  const [out, in_] = [await rtpEndpoint(near), await rtpEndpoint(far)];
  await alice.endpoint.connect(out);
  await out.connect(alice.endpoint);
  await bob.endpoint.connect(in_);
  await in_.connect(bob.endpoint);
  await out.processAnswer(await in_.processOffer(await out.generateOffer()));
  await Promise.all([alice.hears(440), bob.hears(440)]);
  await until('both know each other', async () =>
    (await out.getConnectionState()) === 'CONNECTED' && (await in_.getConnectionState()) === 'CONNECTED');
  const lost = async (endpoint) =>
    Object.values(await endpoint.getStats()).find((s) => s.type === 'inboundrtp').packetsLost;
  assert.equal(await lost(out), 0);
  assert.equal(await lost(in_), 0);
});

test('ports come back', { timeout }, async () => {
  const [first, last] = await freePorts(8);
  const few = await startServer({ 'kurento.listen': '127.0.0.1:0', 'media.rtp_ports': `${first}-${last}` });
  undo.push(() => few.stop());
  const own = await kurento(few.ready.kurento);
  undo.push(() => own.close());
  const pipeline = await own.create('MediaPipeline');
  const offer = describe({ port: 4000, codec: 'pcmu' });
  const open = async () => {
    const endpoint = await pipeline.create('RtpEndpoint');
    try {
      await checked(endpoint, 'processOffer', offer);
      return endpoint;
    } catch (error) {
      await endpoint.release();
      throw error;
    }
  };
  const four = [];
  for (let i = 0; i < 4; i++) four.push(await open());
  await assert.rejects(open, /media\.rtp_ports: all ports are in use, 4 of 4 pairs by us/);
  const before = few.descriptors();
  for (const endpoint of four) await endpoint.release();
  for (let i = 0; i < 100; i++) {
    const endpoint = await until('a port is free', () => open().catch(() => null), WAIT, 1);
    const { port } = target(await endpoint.getLocalSessionDescriptor());
    assert.ok([0, 2, 4, 6].includes(port - first), `${port} of ${first} to ${last}`);
    await endpoint.release();
  }
  await until('sockets are closed', () => few.descriptors() === before - 8);
  await pipeline.release();
});

test('with keys in the descriptions ffmpeg and a browser hear each other', { timeout }, async () => {
  const pipeline = await openPipeline();
  const person = await joinBrowser(pipeline);
  const crypto = kurento.getComplexType('SDES')({ crypto: 'AES_128_CM_HMAC_SHA1_80' });
  const [from, to] = [await pipeline.create('RtpEndpoint', { crypto }), await pipeline.create('RtpEndpoint')];
  await from.connect(person.endpoint);
  await person.endpoint.connect(to);
  // What ffmpeg sends.
  const key = randomBytes(30).toString('base64');
  const plain = describe({ port: 4000, codec: 'opus', way: 'sendonly' });
  await assert.rejects(checked(from, 'processOffer', plain), /audio must be RTP\/SAVP/);
  const answer = target(await from.processOffer(describe({ port: 4000, codec: 'opus', way: 'sendonly', key })));
  assert.equal(Buffer.from(answer.key, 'base64').length, 30);
  const wrong = playTone(2500, 'opus', { ...answer, key: randomBytes(30).toString('base64') });
  undo.push(() => wrong.stop());
  const ffmpeg = playTone(1000, 'opus', { ...answer, key });
  undo.push(() => ffmpeg.stop());
  await person.hears(1000);
  // What it receives: an offer with keys is taken without being told to.
  const { port, rtp: probe, rtcp } = await openPair();
  probe.close();
  rtcp.close();
  const offer = describe({ port, codec: 'opus', way: 'recvonly', key });
  const ours = target(await to.processOffer(offer)).key;
  assert.notEqual(ours, key);
  const listener = record(offer.replace(key, ours)); // to ffmpeg it is the sender's
  undo.push(() => listener.stop());
  await until('ffmpeg hears 440 Hz', () => {
    const samples = listener.heard();
    return samples && isHeard({ rate: 48_000, samples }, 440);
  }, WAIT).catch((error) => { throw new Error(`${error.message}\n${listener.log.join('')}`); });
});
