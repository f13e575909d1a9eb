// A browser's page that only listens to a WebRtcEndpoint of an application of Kurento.

import kurento from 'kurento-client';

import { until, untilInPage } from './wait.mjs';

export class Listener {
  /** @param {object} pipeline  of kurento-client @param {number} n  connections in the one page */
  static async open(browser, pipeline, n = 1) {
    const listener = new Listener();
    listener.page = await browser.open();
    await listener.page.evaluate(() => import('/page.mjs'));
    await listener.page.evaluate(() => (globalThis.legs = []));
    listener.endpoints = [];
    for (let i = 0; i < n; i++) listener.endpoints.push(await listener.#connect(pipeline, i));
    await until('all are connected', () =>
      listener.page.evaluate(() => legs.every(({ pc }) => pc.connectionState === 'connected')));
    return listener;
  }

  get endpoint() {
    return this.endpoints[0];
  }

  async #connect(pipeline, i) {
    const endpoint = await pipeline.create('WebRtcEndpoint');
    const add = (candidate) => endpoint.addIceCandidate(kurento.getComplexType('IceCandidate')(candidate));
    await this.page.exposeFunction(`candidate${i}`, add);
    const offer = await this.page.evaluate(async (number) => {
      const leg = { pc: new RTCPeerConnection({ iceServers: [] }), ears: null };
      legs.push(leg);
      leg.pc.ontrack = async ({ track }) => (leg.ears = await duet.attach(track));
      leg.pc.onicecandidate = ({ candidate }) => candidate && globalThis[`candidate${number}`](candidate.toJSON());
      leg.pc.addTransceiver('audio', { direction: 'recvonly' });
      await leg.pc.setLocalDescription();
      return leg.pc.localDescription.sdp;
    }, i);
    const found = [];
    endpoint.on('IceCandidateFound', ({ candidate }) => found.push(candidate));
    const sdp = await endpoint.processOffer(offer);
    const done = new Promise((resolve) => endpoint.on('IceGatheringDone', resolve));
    await endpoint.gatherCandidates();
    await done;
    await this.page.evaluate(async ([number, answer, candidates]) => {
      await legs[number].pc.setRemoteDescription({ type: 'answer', sdp: answer });
      for (const candidate of candidates)
        await legs[number].pc.addIceCandidate({ candidate: candidate.candidate, sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex });
    }, [i, sdp, found]);
    return endpoint;
  }

  hears(hz, i = 0, ms = 15_000) {
    return untilInPage(`${hz} Hz are heard`, this.page, ([number, f]) => duet.hears(legs[number].ears, f), [i, hz], ms);
  }

  hearsNothing(ms = 15_000) {
    return untilInPage('silence', this.page, () => duet.loudness(legs[0].ears) < 0.001, null, ms);
  }

  statistics(i = 0) {
    return this.page.evaluate((number) => duet.statistics(legs[number].pc), i);
  }

  close() {
    return this.page.context().close();
  }
}
