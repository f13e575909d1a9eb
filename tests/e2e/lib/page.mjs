// Runs in the page: a Client with a microphone, ears and statistics. Loaded by lib/browser.mjs.

import { Client } from './client.mjs';
import { isHeard, level, shareAt } from './hearing.mjs';

const FFT_SIZE = 32768;

let context;
const audioContext = async () => {
  context ??= new AudioContext();
  await context.resume();
  return context;
};

/** The captured microphone, with everything off that takes a steady tone for noise. */
export const microphone = () =>
  navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });

/** A tone of its own for each page, where many pages share one browser. */
export async function oscillator(hz) {
  const audio = await audioContext();
  const source = new OscillatorNode(audio, { frequency: hz });
  const gain = new GainNode(audio, { gain: 0.5 });
  const sink = new MediaStreamAudioDestinationNode(audio, { channelCount: 1 });
  source.connect(gain).connect(sink);
  source.start();
  return sink.stream;
}

/** Let a remote track be heard: played by an element (Chromium decodes nothing without) and analysed. */
export async function attach(track) {
  const audio = await audioContext();
  const stream = new MediaStream([track]);
  const element = new Audio();
  element.srcObject = stream;
  await element.play().catch(() => {});
  const analyser = new AnalyserNode(audio, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
  new MediaStreamAudioSourceNode(audio, { mediaStream: stream }).connect(analyser);
  return { element, analyser };
}

/** The last 0.7 s of what is heard: judged here, since on their way to the test they would keep the machine busy. */
function heard({ analyser }) {
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return { rate: analyser.context.sampleRate, samples };
}

/** Is that tone heard? Not while there are no ears. */
export const hears = (ears, hz) => Boolean(ears) && isHeard(heard(ears), hz);

/** How much of all that is heard is that tone. */
export function share(ears, hz) {
  const { rate, samples } = heard(ears);
  return shareAt(samples, rate, hz);
}

/** How loud it is: root mean square, 0..1. */
export const loudness = (ears) => level(heard(ears).samples);

/** The numbers of getStats() that the tests look at. */
export async function statistics(pc) {
  const found = {};
  const all = await pc.getStats();
  for (const s of all.values()) {
    if (s.type === 'inbound-rtp' && s.kind === 'audio') found.inbound = s;
    if (s.type === 'outbound-rtp' && s.kind === 'audio') found.outbound = s;
    if (s.type === 'remote-inbound-rtp' && s.kind === 'audio') found.remote = s;
    if (s.type === 'remote-outbound-rtp' && s.kind === 'audio') found.remoteSender = s;
    if (s.type === 'transport') found.transport = s;
    if (s.type === 'candidate-pair' && s.nominated) found.pair = s;
  }
  found.local = all.get(found.pair?.localCandidateId);
  found.remote_candidate = all.get(found.pair?.remoteCandidateId);
  return found;
}

/**
 * One user of the page. `hz` gives it an oscillator, else the microphone is used.
 * `watch(pc)` may look at the peer before the offer is made (transforms, constraints).
 */
export class User {
  constructor(url, { hz, watch } = {}) {
    this.ears = null;
    this.client = new Client({ url, WebSocket, makePeer: () => this.makePeer(hz, watch) });
  }

  async makePeer(hz, watch) {
    const stream = hz ? await oscillator(hz) : await microphone();
    const pc = new RTCPeerConnection({ iceServers: [] });
    this.ears = null;
    pc.ontrack = async ({ track }) => (this.ears = await attach(track));
    for (const track of stream.getAudioTracks()) pc.addTrack(track, stream);
    await watch?.(pc);
    return pc;
  }

  statistics() {
    return statistics(this.client.pc);
  }
}

globalThis.duet = { User, attach, hears, loudness, microphone, oscillator, share, statistics };
