// The smallest client of docs/protocol.md. It runs in a page and in Node: WebSocket and
// RTCPeerConnection are given to it. It does what a page must do and nothing else, so that a test
// that fails with it fails because of the server.

/** @typedef {{ id: string, [field: string]: any }} Message */

export class Client {
  /**
   * @param {object} o
   * @param {string} o.url                       ws://host:port/one2one or /call
   * @param {typeof WebSocket} o.WebSocket
   * @param {() => Promise<RTCPeerConnection>} o.makePeer  a peer with its audio track added
   */
  constructor({ url, WebSocket, makePeer }) {
    this.makePeer = makePeer;
    /** @type {Message[]} every message received, oldest first */
    this.received = [];
    this.next = 0; // the first message that no expect() has passed
    this.pc = null;
    this.closed = null;
    this.peerName = null;
    this.waiting = new Set();
    this.early = []; // candidates that came before the answer
    this.answering = null; // the last answer is being taken
    this.only = null; // 'tcp', 'udp': candidates of the other transport get lost both ways
    this.socket = new WebSocket(url);
    this.socket.onmessage = (event) => this.take(JSON.parse(event.data));
    this.socket.onclose = (event) => {
      this.closed = { code: event.code, reason: event.reason };
      this.wake();
    };
    this.opened = new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
    });
  }

  wake() {
    for (const check of [...this.waiting]) check();
  }

  /** Resolves when `probe` gives something; messages and the socket's end make it look again. */
  when(what, probe, ms) {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        this.waiting.delete(check);
        clearTimeout(timer);
        settle(value);
      };
      const check = () => {
        const result = probe();
        if (result) finish(resolve, result);
        else if (this.closed) finish(reject, new Error(`closed ${this.closed.code} before ${what}`));
      };
      const timer = setTimeout(() => {
        const seen = this.received.map((m) => m.id).join(' ');
        finish(reject, new Error(`not within ${ms} ms: ${what}; received: ${seen}`));
      }, ms);
      this.waiting.add(check);
      check();
    });
  }

  /** The next message with this id that has not been expected yet; those before it are passed over. */
  expect(id, ms = 10_000) {
    return this.when(id, () => {
      const at = this.received.findIndex((m, i) => i >= this.next && m.id === id);
      if (at < 0) return null;
      this.next = at + 1;
      return this.received[at];
    }, ms);
  }

  send(message) {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async take(message) {
    if (message.id === 'iceCandidate') await this.addCandidate(message.candidate);
    if (message.sdpAnswer && this.pc) await (this.answering = this.applyAnswer(message.sdpAnswer));
    // A browser may be connected, and recorded, before it says that it has taken the answer.
    if (message.id === 'recording') await this.answering;
    if (message.id === 'stopCommunication') this.dropPeer();
    if (message.id === 'callResponse' && message.response !== 'accepted') this.dropPeer();
    if (message.id === 'incomingCall') this.peerName = message.from;
    this.received.push(message);
    this.wake();
  }

  withholds(text) {
    return this.only && text && text.split(' ')[2].toLowerCase() !== this.only;
  }

  async addCandidate(candidate) {
    const pc = this.pc;
    if (!pc || pc.signalingState === 'closed' || this.withholds(candidate.candidate)) return;
    if (!pc.remoteDescription) this.early.push(candidate);
    else await pc.addIceCandidate(candidate).catch(() => {}); // the call may be over meanwhile
  }

  async applyAnswer(sdp) {
    await this.offered; // an answer may be faster than our own browser
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    for (const candidate of this.early.splice(0)) await this.addCandidate(candidate);
  }

  async register(name, extra = { extras: true }) {
    await this.opened;
    this.name = name;
    this.send({ id: 'register', name, ...extra });
    return this.expect('registerResponse');
  }

  /** A new peer connection and its offer; candidates are trickled. */
  async offer() {
    this.early = [];
    this.pc = await this.makePeer();
    this.pc.onicecandidate = ({ candidate }) => {
      if (!candidate || this.socket.readyState !== 1 || this.withholds(candidate.candidate)) return;
      const { candidate: text, sdpMid, sdpMLineIndex, usernameFragment } = candidate.toJSON
        ? candidate.toJSON()
        : candidate;
      this.send({
        id: 'onIceCandidate',
        candidate: { candidate: text, sdpMid, sdpMLineIndex, ...(usernameFragment && { usernameFragment }) },
      });
    };
    const pc = this.pc;
    const offer = await pc.createOffer();
    // The call goes out before the candidates: setLocalDescription sets them free. Nobody waits for
    // it: it never ends when the call is refused and the peer closed meanwhile.
    return { sdp: offer.sdp, gather: () => void pc.setLocalDescription(offer).catch(() => {}) };
  }

  async call(to) {
    const { sdp, gather } = await this.offer();
    this.send({ id: 'call', from: this.name, to, sdpOffer: sdp });
    gather();
  }

  async accept() {
    const { sdp, gather } = await this.offer();
    this.send({
      id: 'incomingCallResponse',
      from: this.peerName,
      callResponse: 'accept',
      sdpOffer: sdp,
    });
    gather();
  }

  /**
   * A later offer in the call: an ICE restart, or whatever was changed on the peer before.
   * @returns {Promise<Message>} the reofferResponse; its answer is applied
   */
  async reoffer({ restart = true } = {}) {
    const { pc } = this;
    if (restart) pc.restartIce();
    const { type, sdp } = await pc.createOffer();
    this.send({ id: 'reoffer', sdpOffer: sdp });
    this.offered = pc.setLocalDescription({ type, sdp });
    const answer = await this.expect('reofferResponse');
    if (answer.response !== 'accepted') await pc.setLocalDescription({ type: 'rollback' });
    return answer;
  }

  reject(message = 'user declined') {
    this.send({ id: 'incomingCallResponse', from: this.peerName, callResponse: 'reject', message });
  }

  stop() {
    this.send({ id: 'stop' });
    this.dropPeer();
  }

  dropPeer() {
    if (this.pc) this.pc.close();
    this.pc = null;
  }

  close() {
    this.dropPeer();
    this.socket.close();
  }
}
