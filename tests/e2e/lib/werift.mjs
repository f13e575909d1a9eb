// A WebRTC user without a browser: werift, a stack of its own in JavaScript. It sends payloads that
// the test chose and keeps every payload it receives, so that what the server relays can be
// compared byte for byte. Since 0.24: before, it took an SRTP packet whose sequence number was its
// length less 20 for a STUN message, and one packet was missing.

import { createHash } from 'node:crypto';
import {
  MediaStreamTrack,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtpHeader,
  RtpPacket,
} from 'werift';
import WebSocket from 'ws';

import { Client } from './client.mjs';
import * as ulaw from './ulaw.mjs';

const FRAME_MS = 20;

/** What a user can speak: parameters of its codecs, the first one is sent; 20 ms in ticks. */
const KINDS = {
  opus: {
    codecs: [{ mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: 96 }],
    samples: 960, // RFC 7587 §4.1: the clock is always 48 kHz
    payload: (user, number) => opusPayload(user.name, number),
  },
  /** A telephone: G.711 and keys. */
  pcmu: {
    codecs: [
      { mimeType: 'audio/PCMU', clockRate: 8000, channels: 1, payloadType: 0 },
      { mimeType: 'audio/telephone-event', clockRate: 8000, channels: 1, payloadType: 101 },
    ],
    samples: 160,
    payload: (user, number) => ulaw.frame(user.hz, number),
  },
};

/** A made-up Opus packet: a true TOC byte (CELT, 20 ms, mono), then bytes that name seed and number. */
export function opusPayload(seed, number) {
  const length = 40 + ((number * 7) % 80);
  const bytes = createHash('shake256', { outputLength: length }).update(`${seed}:${number}`).digest();
  bytes[0] = 0xf8; // RFC 6716 §3.1: config 31, mono, one frame
  return bytes;
}

export class WeriftUser {
  /**
   * @param {string} name
   * @param {string} url        the server's WebSocket
   * @param {{ interval?: number, kind?: keyof KINDS, hz?: number }} [options]
   *        interval: ms between packets; timestamps always step by 20 ms. hz: tone of a telephone
   */
  constructor(name, url, { interval = FRAME_MS, kind = 'opus', hz = 0 } = {}) {
    this.name = name;
    this.kind = KINDS[kind];
    this.hz = hz;
    this.interval = interval;
    /** @type {Buffer[]} payloads in the order of sending */
    this.sent = [];
    /** @type {Buffer[]} payloads in the order of arrival */
    this.heard = [];
    /** @type {{ sequence: number, timestamp: number, ssrc: number, type: number }[]} */
    this.headers = [];
    this.client = new Client({ url, WebSocket, makePeer: async () => this.makePeer() });
  }

  async makePeer() {
    const pc = new RTCPeerConnection({
      // An empty list makes werift ask a public STUN server. Nobody answers at this address.
      iceServers: [{ urls: 'stun:127.0.0.1:9' }],
      codecs: { audio: this.kind.codecs.map((codec) => new RTCRtpCodecParameters(codec)) },
    });
    this.track = new MediaStreamTrack({ kind: 'audio' });
    this.transceiver = pc.addTransceiver(this.track, { direction: 'sendrecv' });
    pc.onTrack.subscribe((track) =>
      track.onReceiveRtp.subscribe((packet) => {
        this.heard.push(Buffer.from(packet.payload));
        this.headers.push({
          sequence: packet.header.sequenceNumber,
          timestamp: packet.header.timestamp,
          ssrc: packet.header.ssrc,
          type: packet.header.payloadType,
        });
      }));
    pc.connectionStateChange.subscribe(() => this.client.wake());
    this.sent = [];
    this.heard = [];
    this.headers = [];
    return pc;
  }

  connected(ms = 20_000) {
    return this.client.when('connected', () => this.client.pc?.connectionState === 'connected', ms);
  }

  /** Send one packet. */
  write() {
    const number = this.sent.length;
    const payload = this.kind.payload(this, number);
    const header = new RtpHeader({
      version: 2,
      payloadType: this.kind.codecs[0].payloadType,
      sequenceNumber: (65000 + number) & 0xffff, // wraps within the first 11 s
      timestamp: (0xffff0000 + number * this.kind.samples) >>> 0,
      marker: number === 0,
    });
    this.sent.push(payload);
    this.track.writeRtp(new RtpPacket(header, payload));
  }

  /** By the clock: what a busy machine let slip is sent at once, as a real device would have it ready. */
  speak() {
    const begin = Date.now() - this.sent.length * this.interval;
    this.timer = setInterval(() => {
      while (begin + this.sent.length * this.interval <= Date.now()) this.write();
    }, this.interval);
  }

  silence() {
    clearInterval(this.timer);
  }

  close() {
    this.silence();
    this.client.close();
  }
}

/** Ring, accept, and begin to speak once both are connected. */
export async function weriftTalk(caller, callee) {
  await caller.client.call(callee.name);
  await callee.client.expect('incomingCall');
  await callee.client.accept();
  await callee.client.expect('startCommunication');
  const answer = await caller.client.expect('callResponse');
  if (answer.response !== 'accepted') throw new Error(`call: ${JSON.stringify(answer)}`);
  await Promise.all([caller.connected(), callee.connected()]);
  caller.speak();
  callee.speak();
}

/**
 * Were these the payloads, from some point on, without one missing, doubled or changed?
 * The first few may be lost while the other side still connects.
 * @returns {{ from: number, count: number } | { error: string }}
 */
export function compare(sent, heard) {
  if (heard.length === 0) return { error: 'nothing was heard' };
  const from = sent.findIndex((payload) => payload.equals(heard[0]));
  if (from < 0) return { error: `the first packet heard was never sent: ${heard[0].toString('hex')}` };
  const wrong = heard.findIndex((payload, i) => !sent[from + i]?.equals(payload));
  if (wrong >= 0) {
    const got = heard.map((payload) => sent.findIndex((other) => other.equals(payload)));
    return { error: `packet ${wrong} of ${heard.length} is not number ${from + wrong}; heard, by number sent: ${got.join(' ')}` };
  }
  return { from, count: heard.length };
}
