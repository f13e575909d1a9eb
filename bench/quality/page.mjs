// Runs in the pages: one person of a call, by three ways of signaling. All three make the same peer
// of the same microphone; nothing of the browser's defaults is changed.

import { Client } from '/client.mjs';
import { microphone } from '/page.mjs';

/** Of getStats(): what the measurement needs. Samples are counted at 48 kHz. */
const COUNTS = [
  'totalSamplesReceived', 'concealedSamples', 'silentConcealedSamples', 'concealmentEvents',
  'insertedSamplesForDeceleration', 'removedSamplesForAcceleration', 'jitterBufferDelay',
  'jitterBufferEmittedCount', 'packetsReceived', 'packetsLost', 'packetsDiscarded',
  'retransmittedPacketsReceived', 'fecPacketsReceived',
];

/** Of one report, what the table is made of. */
async function counts(pc) {
  const found = {};
  for (const s of (await pc.getStats()).values()) {
    if (s.kind !== 'audio') continue;
    if (s.type === 'inbound-rtp') for (const name of COUNTS) found[name] = s[name] ?? 0;
    if (s.type === 'outbound-rtp') {
      found.packetsSent = s.packetsSent;
      found.bytesSent = s.bytesSent + s.headerBytesSent;
    }
  }
  return found;
}

class Person {
  async makePeer({ ptime } = {}) {
    const stream = await microphone();
    const pc = new RTCPeerConnection({ iceServers: [] });
    this.pc = pc;
    pc.ontrack = ({ track, receiver }) => {
      this.receiver = receiver;
      this.element = new Audio(); // Chromium decodes only what is played
      this.element.srcObject = new MediaStream([track]);
      this.element.play();
    };
    for (const track of stream.getAudioTracks()) pc.addTrack(track, stream);
    return pc;
  }

  counts() {
    return counts(this.pc);
  }

  isConnected() {
    return this.pc?.connectionState === 'connected' && this.receiver?.getSynchronizationSources().length > 0;
  }

  /** What a page may do for the sound; plain ones do not. @param {number} ms */
  setJitterBufferTarget(ms) {
    this.receiver.jitterBufferTarget = ms;
  }

  /** From now on look for the longest time in which nothing new was played. */
  watch() {
    this.longest = 0;
    let last = null;
    let since = performance.now();
    this.watching = setInterval(() => {
      const [source] = this.receiver.getSynchronizationSources();
      const now = performance.now();
      if (source && source.rtpTimestamp !== last) {
        last = source.rtpTimestamp;
        since = now;
      }
      this.longest = Math.max(this.longest, now - since);
    }, 5);
  }

  /** @return {number} milliseconds */
  watched() {
    clearInterval(this.watching);
    return this.longest;
  }

  /** All candidates are in the SDP. */
  async complete(description) {
    await this.pc.setLocalDescription(description);
    while (this.pc.iceGatheringState !== 'complete')
      await new Promise((done) => this.pc.addEventListener('icegatheringstatechange', done, { once: true }));
    return this.pc.localDescription.sdp;
  }

  close() {
    this.pc?.close();
  }
}

/** Through Duet: docs/protocol.md. */
class DuetPerson extends Person {
  constructor(url) {
    super();
    this.client = new Client({ url, WebSocket, makePeer: () => this.makePeer() });
  }

  register(name) {
    return this.client.register(name);
  }

  call(name) {
    return this.client.call(name);
  }

  async answer() {
    await this.client.expect('incomingCall');
    await this.client.accept();
  }

  close() {
    this.client.close();
  }
}

/** Page to page; the SDP is carried by whoever runs the pages. */
class DirectPerson extends Person {
  async offer() {
    await this.makePeer();
    return this.complete(await this.pc.createOffer());
  }

  async answer(sdp) {
    await this.makePeer();
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    return this.complete(await this.pc.createAnswer());
  }

  accept(sdp) {
    return this.pc.setRemoteDescription({ type: 'answer', sdp });
  }
}

/**
 * Through the VideoCall plugin of Janus, over its WebSocket API. `overLine` takes the SDP of the
 * server and gives it back with the line as its only candidate.
 */
class JanusPerson extends Person {
  constructor(url, overLine) {
    super();
    this.overLine = overLine;
    this.answers = new Map(); // by transaction
    this.events = new Map(); // by name: the plugin's, oldest first
    this.socket = new WebSocket(url, 'janus-protocol');
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.opened = new Promise((done, fail) => {
      this.socket.onopen = done;
      this.socket.onerror = () => fail(new Error(`no Janus at ${url}`));
    });
  }

  take(message) {
    const answer = this.answers.get(message.transaction);
    if (answer && message.janus !== 'ack' && !message.plugindata) {
      this.answers.delete(message.transaction);
      answer(message);
    }
    const data = message.plugindata?.data;
    if (data) this.event(data.error ? 'error' : data.result?.event).put({ ...data, jsep: message.jsep });
  }

  /** One event of a name, whoever comes first: the one that waits or the event. */
  event(name) {
    if (!this.events.has(name)) {
      let put;
      const come = new Promise((done) => (put = done));
      this.events.set(name, { put, come });
    }
    return this.events.get(name);
  }

  expect(name) {
    const refused = this.event('error').come.then(({ error }) => {
      throw new Error(`Janus: ${error}`);
    });
    return Promise.race([this.event(name).come, refused]);
  }

  request(message) {
    const transaction = crypto.randomUUID();
    this.socket.send(JSON.stringify({
      ...message, transaction, session_id: this.session, handle_id: this.handle,
    }));
    return new Promise((done) => this.answers.set(transaction, done));
  }

  /** The plugin's answers are events. */
  say(body, jsep) {
    void this.request({ janus: 'message', body, ...(jsep && { jsep: { ...jsep, trickle: false } }) });
  }

  async register(name) {
    await this.opened;
    this.session = (await this.request({ janus: 'create' })).data.id;
    this.handle = (await this.request({ janus: 'attach', plugin: 'janus.plugin.videocall' })).data.id;
    this.alive = setInterval(() => void this.request({ janus: 'keepalive' }), 20_000);
    this.say({ request: 'register', username: name });
    await this.expect('registered');
  }

  async call(name) {
    await this.makePeer();
    const offer = await this.pc.createOffer();
    await this.pc.setLocalDescription(offer);
    this.say({ request: 'call', username: name }, { type: 'offer', sdp: offer.sdp });
    const { jsep } = await this.expect('accepted');
    await this.pc.setRemoteDescription({ type: 'answer', sdp: await this.overLine(jsep.sdp) });
  }

  async answer() {
    const { jsep } = await this.expect('incomingcall');
    await this.makePeer();
    await this.pc.setRemoteDescription({ type: 'offer', sdp: await this.overLine(jsep.sdp) });
    const answer = await this.pc.createAnswer();
    await this.pc.setLocalDescription(answer);
    this.say({ request: 'accept' }, { type: 'answer', sdp: answer.sdp });
  }

  close() {
    clearInterval(this.alive);
    super.close();
    this.socket.close();
  }
}

globalThis.quality = { DirectPerson, DuetPerson, JanusPerson };
