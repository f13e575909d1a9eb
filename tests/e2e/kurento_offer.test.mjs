// Duet offers, browsers answer: generateOffer and processAnswer of kurento-client, with Chromium and
// with werift as a second stack.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import kurento from 'kurento-client';
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket } from 'werift';

import { startBrowser } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { firstCandidate, moveAnswer, startImpair, withoutCandidates } from './lib/impair.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { until, untilInPage } from './lib/wait.mjs';
import { compare, opusPayload } from './lib/werift.mjs';

const timeout = 90_000 * SLOW;

let fixture;
let server;
let browser;
let client;

before(async () => {
  fixture = await startFixture();
  // Without RED, which leaves little to be asked for.
  server = await startServer({ 'kurento.listen': '127.0.0.1:0', 'http.listen': '127.0.0.1:0', 'media.red': 'false' });
  browser = await startBrowser({ page: fixture.url });
  client = await kurento(server.ready.kurento);
});

after(async () => {
  client?.close();
  await browser?.stop();
  await fixture?.stop();
  await server?.stop();
});

/** A page that answers what it is offered, with all candidates, and speaks with a tone of its own. */
class PageAnswerer {
  static async open(hz) {
    const page = await browser.open();
    await page.evaluate(() => import('/page.mjs'));
    return new PageAnswerer(page, hz);
  }

  constructor(page, hz) {
    Object.assign(this, { page, hz });
  }

  answer(sdp) {
    return this.page.evaluate(async ([offer, hz]) => {
      const pc = new RTCPeerConnection({ iceServers: [] });
      globalThis.pc = pc;
      pc.ontrack = async ({ track }) => (globalThis.ears = await duet.attach(track));
      await pc.setRemoteDescription({ type: 'offer', sdp: offer });
      const stream = await duet.oscillator(hz);
      pc.addTrack(stream.getAudioTracks()[0], stream);
      await pc.setLocalDescription();
      if (pc.iceGatheringState !== 'complete')
        await new Promise((done) => (pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done()));
      return pc.localDescription.sdp;
    }, [sdp, this.hz]);
  }

  statistics() {
    return this.page.evaluate(() => duet.statistics(globalThis.pc));
  }

  hears(hz) {
    return untilInPage(`${this.hz} hears ${hz} Hz`, this.page, (f) => duet.hears(globalThis.ears, f), hz, 20_000 * SLOW);
  }

  close() {
    return this.page.context().close();
  }
}

/** The error of an operation. Without a callback kurento-client prints it and resolves. */
const errorOf = (endpoint, operation, ...args) =>
  new Promise((resolve) => endpoint[operation](...args, (error) => resolve(error)));

/** A pipeline with two endpoints that hear each other, both offered to the answerers. */
async function connect(answerers) {
  const pipeline = await client.create('MediaPipeline');
  const endpoints = [];
  for (const _ of answerers) endpoints.push(await pipeline.create('WebRtcEndpoint'));
  await endpoints[0].connect(endpoints[1]);
  await endpoints[1].connect(endpoints[0]);
  for (const [i, answerer] of answerers.entries()) {
    const offer = await endpoints[i].generateOffer();
    const answer = await answerer.answer(offer);
    assert.equal(await endpoints[i].processAnswer(answer), offer);
  }
  return { pipeline, endpoints };
}

test('two pages of Chromium answer offers of the server and talk', { timeout }, async () => {
  const pages = [await PageAnswerer.open(440), await PageAnswerer.open(1000)];
  const { pipeline, endpoints } = await connect(pages);
  await Promise.all([pages[0].hears(1000), pages[1].hears(440)]);
  const { transport, inbound } = await pages[0].statistics();
  assert.equal(transport.iceRole, 'controlled');
  assert.equal(transport.dtlsState, 'connected');
  assert.equal(inbound.packetsLost, 0);
  assert.equal(await endpoints[0].getConnectionState(), 'CONNECTED');
  assert.equal((await errorOf(endpoints[0], 'processAnswer', 'v=0'))?.code, 40210);
  assert.equal((await errorOf(endpoints[0], 'generateOffer'))?.code, 40208);

  // The answerer offers in its turn: another generation of ICE, the same sources.
  const offer = await pages[0].page.evaluate(async () => {
    pc.restartIce();
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
  });
  const answer = await endpoints[0].processOffer(offer);
  await pages[0].page.evaluate((sdp) => pc.setRemoteDescription({ type: 'answer', sdp }), answer);
  await until('there is another way', async () =>
    (await pages[0].statistics()).transport.iceLocalUsernameFragment !== transport.iceLocalUsernameFragment);
  const before = (await pages[0].statistics()).inbound;
  await until('it is heard on', async () =>
    (await pages[0].statistics()).inbound.packetsReceived > before.packetsReceived + 100);
  assert.equal((await pages[0].statistics()).inbound.ssrc, inbound.ssrc);
  await Promise.all([pages[0].hears(1000), pages[1].hears(440)]);
  await pipeline.release();
  for (const page of pages) await page.close();
});

// Chromium leaves NACK out of its answers, and obeys that of the offer: it is asked, and asks.
test('over a bad line Chromium is asked for what is missing, and asks', { timeout }, async (t) => {
  const pipeline = await client.create('MediaPipeline');
  const echo = await pipeline.create('WebRtcEndpoint');
  await echo.connect(echo);
  const offer = await echo.generateOffer();
  const line = await startImpair(firstCandidate(offer), { delay: 10, loss: 10, seed: 1 });
  const page = await PageAnswerer.open(440);
  try {
    await echo.processAnswer(withoutCandidates(await page.answer(moveAnswer(offer, line.address))));
    await page.hears(440);
    await until('packets were sent again, both ways', async () => {
      const { inbound, outbound } = await page.statistics();
      t.diagnostic(`sent again ${outbound.retransmittedPacketsSent}, asked for ${inbound.nackCount}`);
      return outbound.retransmittedPacketsSent > 10 && inbound.nackCount > 10;
    }, 20_000 * SLOW, 1000);
  } finally {
    await page.close();
    await line.stop();
    await pipeline.release();
  }
});

/** werift as answerer; it sends payloads that are known, and keeps what it hears. */
class WeriftAnswerer {
  constructor(name) {
    Object.assign(this, { name, sent: [], heard: [] });
  }

  async answer(sdp) {
    this.pc = new RTCPeerConnection({
      iceServers: [{ urls: 'stun:127.0.0.1:9' }],
      codecs: { audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48000, channels: 2 })] },
    });
    this.pc.onTrack.subscribe((track) =>
      track.onReceiveRtp.subscribe((packet) => this.heard.push(Buffer.from(packet.payload))));
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    this.track = new MediaStreamTrack({ kind: 'audio' });
    const [transceiver] = this.pc.getTransceivers();
    transceiver.sender.replaceTrack(this.track);
    transceiver.setDirection('sendrecv');
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    return this.pc.localDescription.sdp;
  }

  speak() {
    this.timer = setInterval(() => {
      const number = this.sent.length;
      const payload = opusPayload(this.name, number);
      const header = new RtpHeader({
        version: 2, payloadType: 111, sequenceNumber: (65000 + number) & 0xffff, timestamp: (number * 960) >>> 0,
      });
      this.sent.push(payload);
      this.track.writeRtp(new RtpPacket(header, payload));
    }, 20);
  }

  close() {
    clearInterval(this.timer);
    this.pc.close();
  }
}

test('werift answers offers of the server, byte for byte', { timeout }, async () => {
  const [alice, bob] = [new WeriftAnswerer('alice'), new WeriftAnswerer('bob')];
  const { pipeline, endpoints } = await connect([alice, bob]);
  for (const endpoint of endpoints)
    await until('connected', async () => (await endpoint.getConnectionState()) === 'CONNECTED', 20_000 * SLOW);
  for (const person of [alice, bob]) person.speak();
  await until('both hear', () => alice.heard.length > 100 && bob.heard.length > 100, 20_000 * SLOW);
  assert.equal(compare(alice.sent, bob.heard).error, undefined);
  assert.equal(compare(bob.sent, alice.heard).error, undefined);
  for (const person of [alice, bob]) person.close();
  await pipeline.release();
});

test('an endpoint that only sends offers so, and is told what is wrong with an answer', { timeout }, async () => {
  const pipeline = await client.create('MediaPipeline');
  const endpoint = await pipeline.create('WebRtcEndpoint', { sendonly: true });
  assert.equal((await errorOf(endpoint, 'processAnswer', 'v=0\r\n'))?.code, 40209);
  const offer = await endpoint.generateOffer();
  assert.match(offer, /a=sendonly/);
  const error = await errorOf(endpoint, 'processAnswer', offer);
  assert.equal(error.code, 40206);
  assert.match(error.message, /^Error processing answer: line \d+, a=setup: /);
  const page = await PageAnswerer.open(440);
  await endpoint.processAnswer(await page.answer(offer));
  await until('connected', async () => (await endpoint.getConnectionState()) === 'CONNECTED', 20_000 * SLOW);
  await page.close();
  await pipeline.release();
});

test('no page had a script error', () => assert.deepEqual(browser.errors, []));
