// A page as the Kurento tutorials have it: kurento-utils 7.3.0 as published, the tutorials' messages,
// one after the other. The page is our own.

import { createRequire } from 'node:module';
import { build } from 'esbuild';

import { SLOW } from './server.mjs';
import { until, untilInPage } from './wait.mjs';

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

  function makePeer(then, kind = 'WebRtcPeerSendrecv') {
    const options = {
      localVideo: video('self'),
      remoteVideo: video('other'),
      onicecandidate: (candidate) => say({ id: 'onIceCandidate', candidate }),
    };
    peer = kurentoUtils.WebRtcPeer[kind](options, function (error) {
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
    playResponse({ response, sdpAnswer }) {
      if (response === 'accepted') peer.processAnswer(sdpAnswer);
      else dispose();
    },
    playEnd() { dispose(); },
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
  const stop = () => { dispose(); say({ id: 'stop' }); };
  const play = (user) =>
    makePeer((sdpOffer) => say({ id: 'play', user, sdpOffer }), 'WebRtcPeerRecvonly');
  const stopPlay = () => { dispose(); say({ id: 'stopPlay' }); };`;

const page = `<!doctype html><meta charset="utf-8"><title>kurento-utils</title>
  <video id="self" autoplay muted playsinline></video><video id="other" autoplay playsinline></video>
  <script src="/kurento-utils.js"></script><script src="/script.js"></script>`;

/** For startFixture: the page is kurento.html. */
export const kurentoPage = async () => ({
  '/kurento.html': page,
  '/kurento-utils.js': await bundle(),
  '/script.js': script,
});

/** Everything that the page got, oldest first. */
export const messages = (tab) => tab.evaluate(() => log);

export const message = (tab, id) =>
  until(id, async () => (await messages(tab)).find((m) => m.id === id), 15_000 * SLOW);

/** The tone is in what the page's video element plays. */
export const hears = (tab, hz) => untilInPage(`${hz} Hz are heard`, tab, (f) => {
  const [track] = document.getElementById('other').srcObject?.getAudioTracks() ?? [];
  if (track && globalThis.heardTrack !== track) {
    globalThis.heardTrack = track;
    globalThis.ears = null;
    import('/page.mjs').then(() => duet.attach(track)).then((ears) => (globalThis.ears = ears));
  }
  return Boolean(track && globalThis.ears) && duet.hears(ears, f);
}, hz, 15_000 * SLOW);

/** How much of what was just heard is that tone. */
export const share = (tab, hz) => tab.evaluate((f) => duet.share(ears, f), hz);

/** A page of its own, registered at a WebSocket. */
export async function openTutorial(browser, name, url) {
  const tab = await browser.open('kurento.html');
  await tab.evaluate(([to, as]) => start(to, as), [url, name]);
  const { response } = await message(tab, 'registerResponse');
  if (response !== 'accepted') throw new Error(`register: ${response}`);
  return tab;
}
