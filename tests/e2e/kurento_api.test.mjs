// Every method that kurento-client 7.3.0 has for the types that there are, called through it: its
// parameters in its shapes, its classes around what comes back. A method of the library without a
// row here fails, and so does a type of which nothing is called.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import kurento from 'kurento-client';

import { SLOW, startServer } from './lib/server.mjs';

const timeout = 30_000 * SLOW;
const { getComplexType } = kurento;
const offer = readFileSync(new URL('../data/sdp/chromium_audio.sdp', import.meta.url), 'utf8').replace(/\r?\n/g, '\r\n');
const answer = readFileSync(new URL('../data/sdp/answer_chromium.sdp', import.meta.url), 'utf8').replace(/\r?\n/g, '\r\n');

let server;
let client;
let observer; // another session
let made;

before(async () => {
  server = await startServer({ 'kurento.listen': '127.0.0.1:0' });
  client = await kurento(server.ready.kurento);
  observer = await kurento(server.ready.kurento);
  const pipeline = await client.create('MediaPipeline');
  const dispatcher = await pipeline.create('Dispatcher');
  const many = await pipeline.create('DispatcherOneToMany');
  made = {
    ServerManager: await client.getServerManager(),
    MediaPipeline: pipeline,
    WebRtcEndpoint: await pipeline.create('WebRtcEndpoint', { certificateKeyType: 'ECDSA', qosDscp: 'AUDIO_HIGH', useDataChannels: true }),
    PassThrough: await pipeline.create('PassThrough'),
    Dispatcher: dispatcher,
    DispatcherOneToMany: many,
    // The library forgets to listen for what a port that createHubPort gave asks about other objects.
    HubPort: await observer.getMediaobjectById((await dispatcher.createHubPort()).id),
  };
});

after(async () => {
  client?.close();
  observer?.close();
  await server?.stop();
});

/** Names of the methods of an object's classes that ask the server something. */
function methodsOf(object) {
  const names = new Set();
  for (let proto = object.constructor.prototype; proto; proto = Object.getPrototypeOf(proto))
    for (const name of Object.getOwnPropertyNames(proto)) {
      const { value } = Object.getOwnPropertyDescriptor(proto, name);
      if (typeof value === 'function' && value.toString().includes('_invoke(')) names.add(name);
    }
  return [...names];
}

/** The library's promises come true even when the server refuses; its callbacks tell. */
async function refused(object, method, args, code, type) {
  const error = await new Promise((done) => object[method](...args, (error) => done(error)));
  assert.deepEqual([error?.code, error?.data?.type], [code, type], method);
}

/** A property: what it is at first, then what it was set to. */
const property = (name, initial, value) => ({
  [`get${name}`]: async (o) => assert.deepEqual(await o[`get${name}`](), initial),
  [`set${name}`]: async (o) => {
    await o[`set${name}`](value);
    assert.deepEqual(await o[`get${name}`](), value);
  },
});

const connection = (source, sink, type) => ({
  source: source.id, sink: sink.id, type, sourceDescription: 'default', sinkDescription: 'default',
});
const plain = ({ source, sink, type, sourceDescription, sinkDescription }) =>
  ({ source: source.id ?? source, sink: sink.id ?? sink, type, sourceDescription, sinkDescription });
const dot = async (text) => assert.match(text, /^digraph [^]*"WebRtcEndpoint"[^]*\}\n$/);
const flowing = async (o, method) => {
  for (const media of ['AUDIO', 'VIDEO']) assert.equal(await o[method](media), false);
  assert.equal(await o[method]('AUDIO', 'default'), false);
  await refused(o, method, ['DATA'], 40107, 'MEDIA_OBJECT_ILLEGAL_PARAM_ERROR');
};
const fresh = () => made.MediaPipeline.create('WebRtcEndpoint');

/** name → what is called with it and what must come of it; in this order. */
const rows = {
  // ServerManager
  getInfo: async (o) => assert.deepEqual((await o.getInfo()).modules.map(({ name }) => name), ['core', 'elements', 'filters']),
  getMetadata: async (o) => assert.equal(await o.getMetadata(), ''),
  getPipelines: async (o) => assert.deepEqual((await o.getPipelines()).map(({ id }) => id), [made.MediaPipeline.id]),
  getSessions: async (o) => assert.equal((await o.getSessions()).length, 2),
  getCpuCount: async (o) => assert.ok(await o.getCpuCount() >= 1),
  getKmd: async (o) => {
    const kmd = JSON.parse(await o.getKmd('elements'));
    const endpoint = kmd.remoteClasses.find(({ name }) => name === 'WebRtcEndpoint');
    assert.equal(endpoint.extends, 'BaseRtpEndpoint');
    assert.deepEqual(endpoint.constructor.params[0], { name: 'mediaPipeline', optional: false, type: 'MediaPipeline' });
    assert.ok(endpoint.events.includes('IceCandidateFound'));
    await refused(o, 'getKmd', ['cooking'], 40500, 'SERVER_MANAGER_ERROR_KMD_NOT_FOUND');
  },
  getUsedCpu: async (o) => {
    const used = await o.getUsedCpu(50);
    assert.ok(used >= 0 && used <= 100, `${used} %`);
  },
  getUsedMemory: async (o) => assert.ok(Math.abs(await o.getUsedMemory() - server.resident()) < 4096),
  // MediaObject
  getName: async (o) => assert.equal(await o.getName(), o.id),
  setName: async (o) => {
    await o.setName('named');
    assert.equal(await o.getName(), 'named');
  },
  getCreationTime: async (o) => assert.ok(Math.abs(await o.getCreationTime() - Date.now() / 1000) < 60),
  getMediaPipeline: async (o) => o === made.ServerManager || assert.equal((await o.getMediaPipeline()).id, made.MediaPipeline.id),
  getParent: async (o) => {
    if (o === made.ServerManager || o === made.MediaPipeline) return;
    assert.equal((await o.getParent()).id, o === made.HubPort ? made.Dispatcher.id : made.MediaPipeline.id);
  },
  getChildren: async (o) => assert.deepEqual((await o.getChildren()).map(({ id }) => id), {
    MediaPipeline: ['Dispatcher', 'DispatcherOneToMany', 'WebRtcEndpoint', 'PassThrough'].map((name) => made[name].id),
    Dispatcher: [made.HubPort.id] }[o.constructor.name] ?? []),
  ...property('SendTagsInEvents', false, true),
  addTag: (o) => o.addTag('room', '7'),
  getTag: async (o) => assert.equal(await o.getTag('room'), '7'),
  getTags: async (o) => assert.deepEqual((await o.getTags()).map(({ key, value }) => [key, value]), [['room', '7']]),
  removeTag: async (o) => {
    await o.removeTag('room');
    await refused(o, 'getTag', ['room'], 40110, 'MEDIA_OBJECT_TAG_KEY_NOT_FOUND');
  },
  // MediaPipeline, Hub, MediaElement
  ...property('LatencyStats', false, true),
  getGstreamerDot: async (o) => {
    await dot(await o.getGstreamerDot());
    await dot(await o.getGstreamerDot('SHOW_STATES'));
  },
  dumpGstreamerDot: (o) => o.dumpGstreamerDot('SHOW_ALL'),
  // Hubs
  setSource: async (o) => o.setSource(await o.createHubPort()),
  removeSource: (o) => o.removeSource(),
  // MediaElement; of a Dispatcher, too
  connect: async (o) => {
    if (o === made.Dispatcher) return o.connect(made.HubPort, await o.createHubPort());
    await o.connect(made.PassThrough);
    await o.connect(made.PassThrough, 'AUDIO');
    await o.connect(made.PassThrough, 'AUDIO', 'default', 'default');
    const elsewhere = await client.create('MediaPipeline');
    await refused(o, 'connect', [await elsewhere.create('PassThrough')], 40004, 'CONNECT_ERROR');
    await elsewhere.release();
  },
  getSinkConnections: async (o) => {
    const sinks = await o.getSinkConnections('AUDIO', 'default');
    assert.deepEqual(sinks.map(plain), [connection(o, made.PassThrough, 'AUDIO')]);
    assert.deepEqual((await o.getSinkConnections()).map(({ type }) => type), ['AUDIO', 'VIDEO', 'DATA']);
  },
  getSourceConnections: async (o) => {
    const sources = (await made.PassThrough.getSourceConnections('AUDIO')).map(plain);
    assert.deepEqual(sources, [connection(o, made.PassThrough, 'AUDIO')]);
    assert.equal((await o.getSourceConnections()).length, o === made.PassThrough ? 3 : 0);
  },
  disconnect: async (o) => {
    await o.disconnect(made.PassThrough, 'VIDEO');
    assert.deepEqual((await o.getSinkConnections()).map(({ type }) => type), ['AUDIO', 'DATA']);
    await o.disconnect(made.PassThrough);
    assert.deepEqual(await o.getSinkConnections(), []);
  },
  getStats: async (o) => {
    const { [o.id]: stats } = await o.getStats();
    const kind = o === made.WebRtcEndpoint ? ['EndpointStats', 'endpoint'] : ['ElementStats', 'element'];
    assert.deepEqual([stats.__type__, stats.type, stats.id, stats.inputLatency], [...kind, o.id, []]);
    assert.ok(Math.abs(stats.timestampMillis - Date.now()) < 60_000);
    for (const media of ['AUDIO', 'VIDEO', 'DATA']) assert.equal(await o.getStats(media), null);
  },
  isMediaFlowingIn: (o) => flowing(o, 'isMediaFlowingIn'),
  isMediaFlowingOut: (o) => flowing(o, 'isMediaFlowingOut'),
  isMediaTranscoding: (o) => flowing(o, 'isMediaTranscoding'),
  setAudioFormat: (o) => o.setAudioFormat(getComplexType('AudioCaps')({ codec: 'OPUS', bitrate: 32000 })),
  setVideoFormat: (o) => o.setVideoFormat(getComplexType('VideoCaps')({
    codec: 'VP8', framerate: getComplexType('Fraction')({ numerator: 30, denominator: 1 }) })),
  ...property('EncoderBitrate', 300000, 64000),
  ...property('MinEncoderBitrate', 0, 32000),
  ...property('MaxEncoderBitrate', 0, 128000),
  // SdpEndpoint, BaseRtpEndpoint
  ...property('MaxAudioRecvBandwidth', 0, 40),
  ...property('MaxVideoRecvBandwidth', 0, 100),
  ...property('MinVideoRecvBandwidth', 0, 30),
  ...property('MinVideoSendBandwidth', 100, 200),
  ...property('MaxVideoSendBandwidth', 500, 1000),
  ...property('Mtu', 1200, 1400),
  getRembParams: async (o) => assert.equal((await o.getRembParams()).upLosses, 12),
  setRembParams: async (o) => {
    await o.setRembParams(getComplexType('RembParams')({ rembOnConnect: 500000 }));
    const { rembOnConnect, decrementFactor } = await o.getRembParams();
    assert.deepEqual([rembOnConnect, decrementFactor], [500000, 0.5]);
  },
  requestKeyframe: (o) => o.requestKeyframe(),
  getConnectionState: async (o) => assert.equal(await o.getConnectionState(), 'DISCONNECTED'),
  getMediaState: async (o) => assert.equal(await o.getMediaState(), 'DISCONNECTED'),
  getLocalSessionDescriptor: (o) => refused(o, 'getLocalSessionDescriptor', [], 40202, 'SDP_END_POINT_NO_LOCAL_SDP_ERROR'),
  getRemoteSessionDescriptor: (o) => refused(o, 'getRemoteSessionDescriptor', [], 40203, 'SDP_END_POINT_NO_REMOTE_SDP_ERROR'),
  // WebRtcEndpoint
  ...property('StunServerAddress', '', '192.0.2.1'),
  ...property('StunServerPort', 3478, 19302),
  ...property('TurnUrl', '', 'u:p@192.0.2.1:3478?transport=udp'),
  ...property('ExternalIPv4', '', '192.0.2.1'),
  ...property('ExternalIPv6', '', '2001:db8::1'),
  ...property('NetworkInterfaces', '', 'eth0'),
  ...property('IceTcp', true, false),
  getICECandidatePairs: async (o) => assert.deepEqual(await o.getICECandidatePairs(), []),
  getIceConnectionState: async (o) => assert.deepEqual(await o.getIceConnectionState(), []),
  getDtlsConnectionState: async (o) => assert.deepEqual(await o.getDtlsConnectionState(), []),
  createDataChannel: async (o) => {
    await refused(o, 'createDataChannel', ['label', true, -1, -1, ''], 40111, 'MEDIA_OBJECT_OPERATION_NOT_SUPPORTED');
    await refused(o, 'createDataChannel', [], 40111, 'MEDIA_OBJECT_OPERATION_NOT_SUPPORTED');
  },
  closeDataChannel: (o) => refused(o, 'closeDataChannel', [1], 40111, 'MEDIA_OBJECT_OPERATION_NOT_SUPPORTED'),
  addIceCandidate: (o) => o.addIceCandidate(getComplexType('IceCandidate')({
    candidate: 'candidate:1 1 udp 2122194687 127.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 })),
  processOffer: async (o) => {
    const sdp = await o.processOffer(offer);
    assert.match(sdp, /^v=0\r\n/);
    assert.equal(await o.getLocalSessionDescriptor(), sdp);
    assert.equal(await o.getRemoteSessionDescriptor(), offer);
    const { [o.id]: stats, ...others } = await o.getStats('AUDIO');
    assert.equal(stats.type, 'endpoint');
    assert.deepEqual(Object.values(others).map(({ type }) => type), ['outboundrtp'], 'nothing came yet');
  },
  gatherCandidates: async (o) => {
    await o.gatherCandidates();
    const [{ state }] = await o.getIceConnectionState();
    assert.equal(state, 'CONNECTING');
  },
  generateOffer: async (o) => {
    await refused(o, 'generateOffer', [], 40208, 'SDP_END_POINT_ALREADY_NEGOTIATED');
    const options = getComplexType('OfferOptions')({ offerToReceiveAudio: false, offerToReceiveVideo: false });
    assert.match(await (await fresh()).generateOffer(options), /a=sendonly/);
  },
  processAnswer: async (o) => {
    await refused(o, 'processAnswer', [answer], 40210, 'SDP_END_POINT_ANSWER_ALREADY_PROCCESED');
    const other = await fresh();
    await refused(other, 'processAnswer', [answer], 40209, 'SDP_END_POINT_NOT_OFFER_GENERATED');
    const sdp = await other.generateOffer();
    const mid = /^a=mid:(.*)$/m.exec(sdp)[1].trim();
    assert.equal(await other.processAnswer(answer.replace(/^a=mid:.*$/m, `a=mid:${mid}`).replace(/^(a=group:BUNDLE ).*$/m, `$1${mid}`)), sdp);
  },
};

test('every method of the library is called', { timeout }, async (t) => {
  for (const [type, object] of Object.entries(made)) {
    const methods = methodsOf(object);
    assert.deepEqual(methods.filter((name) => !rows[name]), [], `methods of ${type} without a row`);
    await t.test(`${type}: ${methods.length} methods`, { timeout }, async () => {
      for (const [name, call] of Object.entries(rows)) {
        if (!methods.includes(name)) continue;
        try {
          let timer;
          const late = new Promise((_, fail) => (timer = setTimeout(fail, 5000 * SLOW, new Error('no answer'))));
          await Promise.race([call(object), late]).finally(() => clearTimeout(timer));
        } catch (error) {
          throw new Error(`${type}.${name}: ${error.message}`, { cause: error });
        }
      }
      assert.ok(methods.length > 10);
    });
  }
});

test('every event of the library can be subscribed to', { timeout }, async () => {
  for (const [type, object] of Object.entries(made))
    for (const event of object.constructor.events) {
      const subscribed = new Promise((done, fail) => object.on(event, () => {}, (error) => (error ? fail(error) : done())));
      await Promise.race([subscribed, object.getName()]).catch((error) => assert.fail(`${type}.${event}: ${error.message}`));
    }
});

test('another client finds every object, of its class', { timeout }, async () => {
  const other = await kurento(server.ready.kurento);
  for (const [type, { id }] of Object.entries(made)) {
    const object = await other.getMediaobjectById(id);
    assert.equal(object.constructor.name, type);
    assert.equal(await object.getName(), 'named');
  }
  other.close();
});

test('several objects are made in one transaction', { timeout }, async () => {
  const implicit = await kurento(server.ready.kurento, { useImplicitTransactions: true });
  const [pipeline, other] = await Promise.all([implicit.create('MediaPipeline'), implicit.create('MediaPipeline')]);
  assert.notEqual(pipeline.id, other.id);
  implicit.close();
});

test('what is released is gone, and its children with it', { timeout }, async () => {
  const { MediaPipeline: pipeline, PassThrough: element } = made;
  await pipeline.release();
  await refused(element, 'getName', [], 40101, 'MEDIA_OBJECT_NOT_FOUND');
});
