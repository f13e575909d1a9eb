// A person at the other end of a WebRtcEndpoint: werift, driven over a Wire, without an application
// between. Candidates are trickled both ways.

import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket } from 'werift';

import { opusPayload } from './werift.mjs';

const FRAME_MS = 20;
const SAMPLES = 960; // RFC 7587 §4.1

export class KurentoPeer {
  /**
   * Offer, answer, candidates: the way to a connection. Who waits for it waits for an event.
   *
   * @param {Wire} wire
   * @param {string} endpoint  id of a WebRtcEndpoint
   * @param {{ change?: (offer: string) => string }} [options]  what the server gets to see of the offer
   */
  static async connect(wire, endpoint, { change = (offer) => offer } = {}) {
    const peer = new KurentoPeer();
    await wire.subscribe(endpoint, 'IceCandidateFound');
    const offer = await peer.pc.createOffer();
    // Before it has the answer, werift does not know its role, and may swallow the server's checks:
    // until then the server hears of no candidate.
    let known;
    const answered = new Promise((done) => (known = done));
    peer.pc.onicecandidate = async ({ candidate }) => {
      await answered;
      if (candidate) await wire.invoke(endpoint, 'addIceCandidate', { candidate: candidate.toJSON() }).catch(() => {});
    };
    // Nobody waits for it: it ends when a STUN server has not answered.
    void peer.pc.setLocalDescription(offer).catch(() => {});
    const sdp = await wire.invoke(endpoint, 'processOffer', { offer: change(offer.sdp) });
    await peer.pc.setRemoteDescription({ type: 'answer', sdp });
    known();
    await wire.invoke(endpoint, 'gatherCandidates');
    for (const { candidate } of wire.told(endpoint, 'IceCandidateFound'))
      await peer.pc.addIceCandidate(candidate);
    return peer;
  }

  constructor() {
    this.pc = new RTCPeerConnection({
      // An empty list makes werift ask a public STUN server. Nobody answers at this address.
      iceServers: [{ urls: 'stun:127.0.0.1:9' }],
      iceUseIpv6: false, // one pair: which of two is nominated is not the matter here
      codecs: { audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: 96 })] },
    });
    this.track = new MediaStreamTrack({ kind: 'audio' });
    this.pc.addTransceiver(this.track, { direction: 'sendrecv' });
    Object.assign(this, { n: 0, octets: 0, heard: 0 });
    this.pc.onTrack.subscribe((track) => track.onReceiveRtp.subscribe(() => this.heard++));
  }

  write() {
    const payload = opusPayload('kurento', this.n);
    const timestamp = (this.n * SAMPLES) >>> 0;
    this.track.writeRtp(new RtpPacket(
      new RtpHeader({ version: 2, payloadType: 96, sequenceNumber: this.n++ & 0xffff, timestamp }), payload));
    this.octets += payload.length;
  }

  /** By the clock: what a busy machine let slip is sent at once. */
  speak() {
    const begin = Date.now() - this.n * FRAME_MS;
    this.timer = setInterval(() => {
      while (begin + this.n * FRAME_MS <= Date.now()) this.write();
    }, FRAME_MS);
  }

  silence() {
    clearInterval(this.timer);
  }

  close() {
    this.silence();
    return this.pc.close();
  }
}
