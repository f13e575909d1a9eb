// A one-to-one call application as people write it for a Kurento Media Server: a WebSocket of its
// own for the pages, kurento-client for the media. It knows nothing of Duet but an address.

import kurento from 'kurento-client';
import { WebSocketServer } from 'ws';

/** One person: a socket, a name, what came before there was an endpoint for it. */
class Person {
  constructor(app, socket) {
    Object.assign(this, { app, socket, name: null, peer: null, endpoint: null, early: [], offer: null });
  }

  say(message) {
    this.socket.send(JSON.stringify(message));
  }
}

const handlers = {
  register(me, { name }) {
    if (!name || me.app.people.has(name))
      return me.say({ id: 'registerResponse', response: 'rejected ', message: `User ${name} is already registered` });
    me.name = name;
    me.app.people.set(name, me);
    me.say({ id: 'registerResponse', response: 'accepted' });
  },

  call(me, { to, sdpOffer }) {
    const other = me.app.people.get(to);
    if (!other)
      return me.say({ id: 'callResponse', response: 'rejected: ', message: `User ${to} is not registered` });
    me.offer = sdpOffer;
    me.peer = other;
    other.peer = me;
    other.say({ id: 'incomingCall', from: me.name });
  },

  async incomingCallResponse(me, { callResponse, sdpOffer }) {
    const caller = me.peer;
    if (callResponse !== 'accept')
      return caller.say({ id: 'callResponse', response: 'rejected', message: 'user declined' });
    me.offer = sdpOffer;
    const [toCaller, toCallee] = await me.app.connect(caller, me);
    me.say({ id: 'startCommunication', sdpAnswer: toCallee });
    caller.say({ id: 'callResponse', response: 'accepted', sdpAnswer: toCaller });
  },

  async reoffer(me, { sdpOffer }) {
    const sdpAnswer = await me.endpoint.processOffer(sdpOffer);
    me.say({ id: 'reofferResponse', response: 'accepted', sdpAnswer });
  },

  onIceCandidate(me, { candidate }) {
    const complex = kurento.getComplexType('IceCandidate')(candidate);
    if (me.endpoint) me.endpoint.addIceCandidate(complex);
    else me.early.push(complex);
  },

  async stop(me) {
    await me.app.hangUp(me);
  },
};

export class KurentoApp {
  /** @param {string} media  address of the media server: ws://host:8888/kurento */
  static async start(media) {
    const app = new KurentoApp();
    app.client = await kurento(media);
    app.server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/one2one' });
    app.server.on('connection', (socket) => app.take(new Person(app, socket)));
    await new Promise((done) => app.server.once('listening', done));
    return app;
  }

  constructor() {
    this.people = new Map();
    this.errors = [];
    this.events = [];
  }

  get url() {
    return `ws://127.0.0.1:${this.server.address().port}/one2one`;
  }

  take(person) {
    person.socket.on('message', (text) => {
      const message = JSON.parse(text);
      Promise.resolve(handlers[message.id](person, message)).catch((error) => this.errors.push(error));
    });
    person.socket.on('close', () => {
      this.hangUp(person).catch((error) => this.errors.push(error));
      this.people.delete(person.name);
    });
  }

  async makeEndpoint(pipeline, person) {
    const endpoint = await pipeline.create('WebRtcEndpoint');
    for (const candidate of person.early.splice(0)) endpoint.addIceCandidate(candidate);
    endpoint.on('IceCandidateFound', ({ candidate }) => person.say({ id: 'iceCandidate', candidate }));
    for (const event of ['ConnectionStateChanged', 'IceGatheringDone', 'MediaSessionStarted', 'MediaFlowInStateChanged'])
      endpoint.on(event, (data) => this.events.push({ ...data, person: person.name }));
    person.endpoint = endpoint;
    return endpoint;
  }

  /** How the two hear each other. */
  async wire(pipeline, a, b) {
    await a.connect(b);
    b.connect(a);
  }

  /** @returns the answers to the caller's and the callee's offer */
  async connect(caller, callee) {
    this.pipeline = await this.client.create('MediaPipeline');
    const a = await this.makeEndpoint(this.pipeline, caller);
    const b = await this.makeEndpoint(this.pipeline, callee);
    await this.wire(this.pipeline, a, b);
    const answers = [];
    for (const person of [caller, callee]) {
      answers.push(await person.endpoint.processOffer(person.offer));
      await person.endpoint.gatherCandidates();
    }
    return answers;
  }

  async hangUp(person) {
    const { peer } = person;
    if (!person.endpoint) return;
    person.endpoint = person.peer = null;
    if (peer) {
      peer.endpoint = peer.peer = null;
      peer.say({ id: 'stopCommunication', message: 'remote user hanged out' });
    }
    await this.pipeline.release();
  }

  async stop() {
    this.client.close();
    for (const socket of this.server.clients) socket.terminate();
    await new Promise((done) => this.server.close(done));
  }
}
