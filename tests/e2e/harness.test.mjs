// The measuring instruments themselves: two pages, connected directly, without a server.
// If this fails, no other result of this folder means anything.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { level, loudest, shareAt } from './lib/hearing.mjs';
import { tone } from './lib/tones.mjs';
import { until } from './lib/wait.mjs';

let fixture;
let left;
let right;

before(async () => {
  fixture = await startFixture();
  left = await startBrowser({ hz: 440, page: fixture.url });
  right = await startBrowser({ hz: 1000, page: fixture.url });
});

after(async () => {
  await left?.stop();
  await right?.stop();
  await fixture?.stop();
});

test('the ear tells tones apart', () => {
  const samples = Array.from(tone(440), (x) => x / 32768).slice(0, 32768);
  assert.ok(shareAt(samples, 48000, 440) > 0.99);
  assert.ok(shareAt(samples, 48000, 460) < 0.01);
  assert.ok(Math.abs(level(samples) - 0.3535) < 0.01);
  assert.equal(loudest(samples, 48000, [300, 440, 1000]).hz, 440);
  assert.equal(shareAt(new Array(4800).fill(0), 48000, 440), 0);
});

/** A peer connection in a page, with the microphone and ears. */
async function peer(browser) {
  const page = await browser.open();
  await page.evaluate(async () => {
    await import('/page.mjs');
    const stream = await duet.microphone();
    const pc = new RTCPeerConnection();
    pc.ontrack = async ({ track }) => (globalThis.ears = await duet.attach(track));
    pc.addTrack(stream.getAudioTracks()[0], stream);
    globalThis.pc = pc;
    globalThis.gathered = new Promise((resolve) => {
      pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && resolve();
    });
  });
  return page;
}

const describe = (page, make, remote) =>
  page.evaluate(
    async ([method, sdp]) => {
      if (sdp) await pc.setRemoteDescription(sdp);
      await pc.setLocalDescription(await pc[method]());
      await gathered;
      return pc.localDescription.toJSON();
    },
    [make, remote],
  );

const share = (page, hz) =>
  page
    .evaluate(() => globalThis.ears && duet.heard(ears))
    .then((heard) => (heard ? shareAt(heard.samples, heard.rate, hz) : 0));

test('two pages hear each other, and only each other', { timeout: 60_000 }, async () => {
  const [a, b] = [await peer(left), await peer(right)];
  const offer = await describe(a, 'createOffer');
  const answer = await describe(b, 'createAnswer', offer);
  await a.evaluate((sdp) => pc.setRemoteDescription(sdp), answer);
  await until('left hears 1000 Hz', async () => (await share(a, 1000)) > 0.9);
  await until('right hears 440 Hz', async () => (await share(b, 440)) > 0.9);
  assert.ok((await share(a, 440)) < 0.01, 'left hears itself');

  // Silence must be seen too: a test that hears tones for ever would pass with a dead server.
  await a.evaluate(() => (pc.getSenders()[0].track.enabled = false));
  await until('right hears nothing', async () => (await share(b, 440)) < 0.1);
  const stats = await b.evaluate(() => duet.statistics(pc));
  assert.ok(stats.inbound.packetsReceived > 0);
  assert.deepEqual([...left.errors, ...right.errors], []);
});
