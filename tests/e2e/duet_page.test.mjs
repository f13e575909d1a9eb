// Duet's own page, as the server delivers it: what the README promises to a newcomer.
// The page's states have their own tests in page/; here two people meet through the program.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser } from './lib/browser.mjs';
import { isHeard } from './lib/hearing.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;

let server;
let browsers;

before(async () => {
  server = await startServer();
  browsers = [
    await startBrowser({ hz: 440, page: server.page }),
    await startBrowser({ hz: 1000, page: server.page }),
  ];
});

after(async () => {
  for (const browser of browsers ?? []) await browser.stop();
  await server?.stop();
});

/** The page's microphone asks for noise suppression, which takes a steady tone for noise. */
const plainMicrophone = () => {
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  const off = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  devices.getUserMedia = (wishes) => ask({ ...wishes, audio: off });
};

async function join(browser, name, address) {
  const tab = await browser.open();
  await tab.context().addInitScript(plainMicrophone);
  await tab.goto(address);
  await tab.getByLabel('Your name').fill(name);
  await tab.locator('#register').click();
  await tab.locator('#peer').waitFor();
  return tab;
}

/** Is the tone in what the page plays? */
const hears = async (tab, hz) => {
  const heard = await tab.evaluate(async () => {
    const stream = document.querySelector('audio').srcObject;
    if (!stream) return null;
    if (!globalThis.analyser) {
      const context = new AudioContext();
      await context.resume();
      globalThis.analyser = new AnalyserNode(context, { fftSize: 32768 });
      context.createMediaStreamSource(stream).connect(analyser);
    }
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    return { rate: analyser.context.sampleRate, samples: Array.from(samples) };
  });
  return heard && isHeard(heard, hz);
};

for (const scheme of ['http', 'https'])
  test(`two tabs call each other over ${scheme}`, { timeout }, async () => {
    const address = `${server.ready[scheme]}/`;
    const alice = await join(browsers[0], 'alice', address);
    const bob = await join(browsers[1], 'bob', address);
    await alice.locator('#peer').fill('bob');
    await alice.locator('#call').click();
    await bob.locator('#answer').click();
    await until('alice hears bob', () => hears(alice, 1000), 15_000 * SLOW);
    await until('bob hears alice', () => hears(bob, 440), 15_000 * SLOW);
    await alice.locator('#hang-up').click();
    await bob.locator('[data-view=ended]').waitFor();
    await alice.context().close();
    await bob.context().close();
  });

test('no page had a script error', () => {
  assert.deepEqual(browsers.flatMap((browser) => browser.errors), []);
});
