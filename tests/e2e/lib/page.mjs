// Runs in the page: a Client with a microphone, ears and statistics. Loaded by lib/browser.mjs.

import { Client } from './client.mjs';

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

/** The last 0.7 s of what is heard. */
export function heard(ears) {
  const samples = new Float32Array(ears.analyser.fftSize);
  ears.analyser.getFloatTimeDomainData(samples);
  return { rate: ears.analyser.context.sampleRate, samples: Array.from(samples) };
}

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

  heard() {
    return this.ears && heard(this.ears);
  }

  statistics() {
    return statistics(this.client.pc);
  }
}

globalThis.duet = { User, attach, heard, microphone, oscillator, statistics };
