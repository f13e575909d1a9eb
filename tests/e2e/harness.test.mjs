// The measuring instruments themselves: two pages, connected directly, without a server.
// If this fails, no other result of this folder means anything.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { isHeard, level, loudest, shareAt } from './lib/hearing.mjs';
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

test('a tone with holes is heard, a tone that was mixed with another one is not', () => {
  const rate = 48000;
  const samples = Float32Array.from(tone(440).subarray(0, 32768), (x) => x / 32768);
  assert.ok(isHeard({ rate, samples }, 440));
  assert.ok(!isHeard({ rate, samples }, 510), 'seventy hertz beside it is not that tone');
  const mixed = samples.map((x, i) => x + 0.5 * Math.sin((2 * Math.PI * 1000 * i) / rate));
  assert.ok(!isHeard({ rate, samples: mixed }, 440));
  const torn = samples.map((x, i) => (i > 10_000 && i < 22_000) ? 0 : x);
  assert.ok(shareAt(torn, rate, 440) < 0.8 && isHeard({ rate, samples: torn }, 440));
  assert.ok(!isHeard({ rate, samples: samples.map((x, i) => (i % 4800 < 2400 ? x : 0)) }, 440), 'a tone every second twentieth of a second');
  assert.ok(!isHeard({ rate, samples: new Float32Array(32768) }, 440));
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

const share = (page, hz) => page.evaluate((f) => duet.share(ears, f), hz);
const hears = (page, hz) => page.evaluate((f) => duet.hears(globalThis.ears, f), hz);

test('two pages hear each other, and only each other', { timeout: 60_000 }, async () => {
  const [a, b] = [await peer(left), await peer(right)];
  const offer = await describe(a, 'createOffer');
  const answer = await describe(b, 'createAnswer', offer);
  await a.evaluate((sdp) => pc.setRemoteDescription(sdp), answer);
  await until('left hears 1000 Hz', () => hears(a, 1000));
  await until('right hears 440 Hz', () => hears(b, 440));
  assert.ok((await share(a, 440)) < 0.01, 'left hears itself');

  // Silence must be seen too: a test that hears tones for ever would pass with a dead server.
  await a.evaluate(() => (pc.getSenders()[0].track.enabled = false));
  await until('right hears nothing', async () => (await share(b, 440)) < 0.1);
  const stats = await b.evaluate(() => duet.statistics(pc));
  assert.ok(stats.inbound.packetsReceived > 0);
  assert.deepEqual([...left.errors, ...right.errors], []);
});
