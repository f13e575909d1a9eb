// Pages written for the Kurento tutorials: kurento-utils 7.3.0 as published, its default
// constraints (audio and video), and the tutorial's sequence of messages. The page is our own.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';

import { startBrowser } from './lib/browser.mjs';
import { startFixture } from './lib/fixture.mjs';
import { shareAt } from './lib/hearing.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;

/** What a bundler makes of the package for a script element: the global kurentoUtils. */
async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [createRequire(import.meta.url).resolve('kurento-utils')],
    bundle: true,
    format: 'iife',
    globalName: 'kurentoUtils',
    platform: 'browser',
    external: ['kurento-browser-extensions'], // optional, for screen sharing
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

// Candidates are sent as kurento-utils gives them; nothing but `response` is looked at.
const script = `
  const log = [];
  let socket, peer, me, ringing;
  const say = (message) => socket.send(JSON.stringify(message));
  const video = (id) => document.getElementById(id);

  function makePeer(then) {
    const options = {
      localVideo: video('self'),
      remoteVideo: video('other'),
      onicecandidate: (candidate) => say({ id: 'onIceCandidate', candidate }),
    };
    peer = kurentoUtils.WebRtcPeer.WebRtcPeerSendrecv(options, function (error) {
      if (error) return log.push({ id: 'peer error', text: String(error) });
      this.generateOffer((failed, sdpOffer) => {
        if (failed) return log.push({ id: 'offer error', text: String(failed) });
        then(sdpOffer);
      });
    });
  }

  const handlers = {
    registerResponse() {},
    incomingCall({ from }) {
      ringing = from;
      makePeer((sdpOffer) =>
        say({ id: 'incomingCallResponse', from, callResponse: 'accept', sdpOffer }));
    },
    callResponse({ response, sdpAnswer }) {
      if (response === 'accepted') peer.processAnswer(sdpAnswer);
      else dispose();
    },
    startCommunication({ sdpAnswer }) { peer.processAnswer(sdpAnswer); },
    stopCommunication() { dispose(); },
    iceCandidate({ candidate }) { peer.addIceCandidate(candidate); },
  };

  function dispose() { peer && peer.dispose(); peer = null; }

  function start(url, name) {
    me = name;
    socket = new WebSocket(url);
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      log.push(message);
      const handler = handlers[message.id];
      if (handler) handler(message); else log.push({ id: 'unknown message', message });
    };
    socket.onopen = () => say({ id: 'register', name });
  }

  const call = (to) => makePeer((sdpOffer) => say({ id: 'call', from: me, to, sdpOffer }));
  const stop = () => { dispose(); say({ id: 'stop' }); };`;

const page = `<!doctype html><meta charset="utf-8"><title>kurento-utils</title>
  <video id="self" autoplay muted playsinline></video><video id="other" autoplay playsinline></video>
  <script src="/kurento-utils.js"></script><script src="/script.js"></script>`;

let fixture;
let server;
let browsers;

before(async () => {
  fixture = await startFixture({
    '/kurento.html': page,
    '/kurento-utils.js': await bundle(),
    '/script.js': script,
  });
  server = await startServer();
  browsers = [
    await startBrowser({ hz: 440, page: fixture.url }),
    await startBrowser({ hz: 1000, page: fixture.url }),
  ];
});

after(async () => {
  for (const browser of browsers ?? []) await browser.stop();
  await fixture?.stop();
  await server?.stop();
});

const messages = (tab) => tab.evaluate(() => log);

const message = (tab, id) =>
  until(id, async () => (await messages(tab)).find((m) => m.id === id), 15_000 * SLOW);

/** How much of what the page's video element plays is the tone. */
const share = async (tab, hz) => {
  const heard = await tab.evaluate(async () => {
    const stream = document.getElementById('other').srcObject;
    const [track] = stream ? stream.getAudioTracks() : [];
    if (!track) return null;
    await import('/page.mjs');
    globalThis.ears ??= await duet.attach(track);
    return duet.heard(ears);
  });
  return heard ? shareAt(heard.samples, heard.rate, hz) : 0;
};

async function open(browser, name, path) {
  const tab = await browser.open('kurento.html');
  await tab.evaluate(([url, as]) => start(url, as), [server.socket(path), name]);
  assert.equal((await message(tab, 'registerResponse')).response, 'accepted');
  return tab;
}

for (const path of ['/one2one', '/call'])
  test(`a call with default constraints at ${path}`, { timeout }, async () => {
    const alice = await open(browsers[0], 'alice', path);
    const bob = await open(browsers[1], 'bob', path);
    await alice.evaluate(() => call('bob'));
    const answer = await message(alice, 'callResponse');
    await message(bob, 'startCommunication');
    assert.equal(answer.response, 'accepted', JSON.stringify(answer));

    // The offer had audio and video; the answer has both lines, and video is refused (RFC 3264 §6).
    const lines = answer.sdpAnswer.match(/^m=.*$/gm);
    assert.equal(lines.length, 2);
    assert.match(lines[0], /^m=audio [1-9]/);
    assert.match(lines[1], /^m=video 0 .* \d+/);

    await until('alice hears bob', async () => (await share(alice, 1000)) > 0.8, 15_000 * SLOW);
    await until('bob hears alice', async () => (await share(bob, 440)) > 0.8, 15_000 * SLOW);
    await bob.evaluate(() => stop());
    await message(alice, 'stopCommunication');
    const known = ['registerResponse', 'incomingCall', 'callResponse', 'startCommunication', 'iceCandidate', 'stopCommunication'];
    for (const tab of [alice, bob])
      assert.deepEqual((await messages(tab)).filter((m) => !known.includes(m.id)), []);
    await alice.context().close();
    await bob.context().close();
  });

test('no page had a script error', () => {
  assert.deepEqual(browsers.flatMap((browser) => browser.errors), []);
});
