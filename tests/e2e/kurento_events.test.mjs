// Each event of the types that there are, told when it happens and with the members that a real
// server gives it; and the properties that tell the same to who asks. Two people, no browser.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { KurentoPeer } from './lib/kurento_peer.mjs';
import { Wire } from './lib/kurento_wire.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const timeout = 15_000 * SLOW;
const MANAGER = 'manager_ServerManager';

const element = ['mediaType', 'sink', 'sinkMediaDescription', 'sourceMediaDescription'];
const flow = ['mediaType', 'padName', 'state'];

/** Members of `data` beside source, tags, timestampMillis and type. */
const members = {
  ElementConnected: element,
  ElementDisconnected: element,
  MediaFlowInStateChanged: flow,
  MediaFlowOutStateChanged: flow,
  MediaSessionStarted: [],
  MediaSessionTerminated: [],
  ConnectionStateChanged: ['newState', 'oldState'],
  MediaStateChanged: ['newState', 'oldState'],
  IceCandidateFound: ['candidate'],
  IceGatheringDone: [],
  IceComponentStateChanged: ['componentId', 'state', 'streamId'],
  NewCandidatePairSelected: ['candidatePair'],
  DtlsConnectionStateChange: ['componentId', 'connectionId', 'state', 'streamId'],
  ObjectCreated: ['object'],
  ObjectDestroyed: ['objectId'],
};

/** What is accepted, and happens without video, data channels and transcoding never; Error: see below. */
const silent = ['Error', 'MediaTranscodingStateChanged', 'DataChannelOpened', 'DataChannelClosed'];

let server;
let wire;
let seen;
const peers = [];

before(async () => {
  server = await startServer({ 'kurento.listen': '127.0.0.1:0' });
  seen = new Set();
});
after(() => server?.stop());
beforeEach(async () => (wire = await Wire.open(server.ready.kurento)));
afterEach(async () => {
  for (const { params: { value } } of wire.events) check(value);
  wire.close();
  for (const peer of peers.splice(0)) await peer.close();
});

/** Every event that any test here was told of is of the right form. */
function check({ data, object, type }) {
  seen.add(type);
  assert.deepEqual(Object.keys(data).sort(),
    [...members[type], 'source', 'tags', 'timestampMillis', 'type'].sort(), type);
  assert.equal(data.type, type);
  assert.equal(data.source, object);
  assert.ok(Array.isArray(data.tags));
  assert.ok(Math.abs(Number(data.timestampMillis) - Date.now()) < 60_000 && typeof data.timestampMillis === 'string');
}

/** @returns ids of two endpoints that hear one another; all their events are subscribed to */
async function twoEndpoints() {
  const mediaPipeline = await wire.create('MediaPipeline');
  const ids = [];
  for (let i = 0; i < 2; i++) {
    ids.push(await wire.create('WebRtcEndpoint', { mediaPipeline }));
    for (const type of [...Object.keys(members).slice(0, -2), ...silent])
      if (type !== 'IceCandidateFound') await wire.subscribe(ids[i], type);
  }
  await wire.invoke(ids[0], 'connect', { sink: ids[1] });
  await wire.invoke(ids[1], 'connect', { sink: ids[0] });
  return { mediaPipeline, a: ids[0], b: ids[1] };
}

async function join(endpoint, options) {
  peers.push(await KurentoPeer.connect(wire, endpoint, options));
  return peers.at(-1);
}

const states = (id, type, member = 'state') => wire.told(id, type).map((data) => data[member]);
const last = (id, type, member) => until(`${type} ${member}`, () => states(id, type).at(-1) === member, 8_000 * SLOW);

test('a connection comes about step by step', { timeout }, async () => {
  const { a } = await twoEndpoints();
  for (const operation of ['getIceConnectionState', 'getDtlsConnectionState', 'getICECandidatePairs'])
    assert.deepEqual(await wire.invoke(a, operation), [], operation);
  assert.equal(await wire.invoke(a, 'getConnectionState'), 'DISCONNECTED');
  assert.equal(await wire.invoke(a, 'getMediaState'), 'DISCONNECTED');
  await join(a);
  await wire.event(a, 'ConnectionStateChanged');
  await last(a, 'IceComponentStateChanged', 'READY');

  assert.equal(wire.told(a, 'MediaSessionStarted').length, 1);
  assert.equal(wire.told(a, 'IceGatheringDone').length, 1);
  assert.deepEqual(states(a, 'IceComponentStateChanged'), ['GATHERING', 'CONNECTING', 'CONNECTED', 'READY']);
  assert.deepEqual(states(a, 'DtlsConnectionStateChange'), ['CONNECTING', 'CONNECTED']);
  assert.deepEqual(states(a, 'ConnectionStateChanged', 'newState'), ['CONNECTED']);
  for (const { streamId, componentId } of wire.told(a, 'IceComponentStateChanged'))
    assert.deepEqual([streamId, componentId], [1, 1]);

  // One order over all: nothing is told before what it follows from.
  const order = wire.events.map(({ params: { value } }) => value).filter(({ object }) => object === a)
    .map(({ type, data }) => `${type} ${data.state ?? data.newState ?? ''}`.trim());
  const steps = ['MediaSessionStarted', 'IceComponentStateChanged GATHERING', 'IceCandidateFound', 'IceGatheringDone',
    'IceComponentStateChanged CONNECTING', 'NewCandidatePairSelected', 'IceComponentStateChanged CONNECTED',
    'DtlsConnectionStateChange CONNECTING', 'DtlsConnectionStateChange CONNECTED', 'ConnectionStateChanged CONNECTED'];
  assert.deepEqual([...steps].sort((x, y) => order.indexOf(x) - order.indexOf(y)), steps);
  assert.ok(steps.every((step) => order.includes(step)));

  assert.equal(await wire.invoke(a, 'getConnectionState'), 'CONNECTED');
  assert.deepEqual(await wire.invoke(a, 'getIceConnectionState'),
    [{ __module__: 'kurento', __type__: 'IceConnection', componentId: 1, state: 'READY', streamId: '1' }]);
  assert.deepEqual(await wire.invoke(a, 'getDtlsConnectionState'), [{
    __module__: 'kurento', __type__: 'DtlsConnection', componentId: '1', connectionId: '0', state: 'CONNECTED', streamId: '1' }]);
});

test('the pair of candidates that was selected is told', { timeout }, async () => {
  const { a } = await twoEndpoints();
  const peer = await join(a);
  await last(a, 'IceComponentStateChanged', 'READY');
  const { candidatePair } = wire.told(a, 'NewCandidatePairSelected').at(-1);
  assert.deepEqual(await wire.invoke(a, 'getICECandidatePairs'), [candidatePair]);
  const { localCandidate, remoteCandidate, ...rest } = candidatePair;
  assert.deepEqual(rest, { __module__: 'kurento', __type__: 'IceCandidatePair', componentId: 1, streamId: '1' });
  const found = wire.told(a, 'IceCandidateFound').map(({ candidate }) => candidate.candidate);
  assert.ok(found.includes(localCandidate), `${localCandidate} is none of ours`);
  // What werift itself says it uses.
  const pair = peer.pc.iceTransports[0].connection.nominated;
  const [, , transport, , ip, port, , type] = remoteCandidate.split(' ');
  assert.deepEqual([transport, ip, Number(port), type],
    ['UDP', pair.localCandidate.host, pair.localCandidate.port, remoteCandidate.split(' ')[7]]);
  assert.match(type, /^(host|prflx)$/);
  assert.equal(Number(localCandidate.split(' ')[5]), pair.remoteCandidate.port);
});

test('media flows, falls silent and comes back', { timeout }, async () => {
  const { a, b } = await twoEndpoints();
  const alice = await join(a);
  await join(b);
  await last(a, 'DtlsConnectionStateChange', 'CONNECTED');
  await last(b, 'DtlsConnectionStateChange', 'CONNECTED');
  const asked = (id) => Promise.all(['isMediaFlowingIn', 'isMediaFlowingOut'].map((operation) =>
    wire.invoke(id, operation, { mediaType: 'AUDIO' })));
  const flows = async (state) => {
    await last(a, 'MediaFlowOutStateChanged', state);
    await last(b, 'MediaFlowInStateChanged', state);
  };
  assert.deepEqual([await asked(a), await asked(b)], [[false, false], [false, false]]);
  alice.speak();
  await flows('FLOWING');
  assert.deepEqual([await asked(a), await asked(b)], [[false, true], [true, false]]);
  assert.equal(await wire.invoke(a, 'getMediaState'), 'CONNECTED');
  alice.silence();
  await flows('NOT_FLOWING');
  assert.deepEqual([await asked(a), await asked(b)], [[false, false], [false, false]]);
  assert.equal(await wire.invoke(a, 'getMediaState'), 'DISCONNECTED');
  alice.speak();
  await flows('FLOWING');
  assert.deepEqual(states(a, 'MediaStateChanged', 'newState'), ['CONNECTED', 'DISCONNECTED', 'CONNECTED']);
  assert.equal(wire.told(b, 'MediaStateChanged').length, 0, 'nobody heard b');
  await wire.invoke(a, 'disconnect', { sink: b });
  await last(b, 'MediaFlowInStateChanged', 'NOT_FLOWING');
  assert.equal(states(a, 'MediaFlowOutStateChanged').at(-1), 'FLOWING');
  for (const { mediaType, padName } of wire.told(b, 'MediaFlowInStateChanged'))
    assert.deepEqual([mediaType, padName], ['AUDIO', 'default']);
});

/** werift goes without a word: what tells is that nobody answers any more, 30 s (RFC 7675 §5.1). */
test('who is lost is told, and what was connected is over', { timeout: timeout + 35_000 }, async () => {
  const { a } = await twoEndpoints();
  const peer = await join(a);
  await last(a, 'DtlsConnectionStateChange', 'CONNECTED');
  await peer.close();
  await wire.event(a, 'MediaSessionTerminated');
  assert.equal(states(a, 'DtlsConnectionStateChange').at(-1), 'CONNECTED', 'nobody closed it');
  assert.equal(states(a, 'IceComponentStateChanged').at(-1), 'DISCONNECTED');
  assert.deepEqual(states(a, 'ConnectionStateChanged', 'newState'), ['CONNECTED', 'DISCONNECTED']);
  assert.equal(await wire.invoke(a, 'getConnectionState'), 'DISCONNECTED');
  assert.equal((await wire.invoke(a, 'getIceConnectionState'))[0].state, 'DISCONNECTED');
});

test('a certificate that is not that of the offer fails', { timeout }, async () => {
  const { a } = await twoEndpoints();
  await join(a, { change: (offer) => offer.replace(/(a=fingerprint:sha-256 )\S\S/, '$1' + '00') });
  await last(a, 'DtlsConnectionStateChange', 'FAILED');
  assert.deepEqual(states(a, 'DtlsConnectionStateChange'), ['CONNECTING', 'FAILED']);
  assert.equal(wire.told(a, 'ConnectionStateChanged').length, 0);
  await wire.event(a, 'MediaSessionTerminated');
});

test('connections of elements are told by their source', { timeout }, async () => {
  const { a, b } = await twoEndpoints();
  assert.deepEqual(states(a, 'ElementConnected', 'mediaType'), ['AUDIO', 'VIDEO', 'DATA']);
  for (const { sink, sinkMediaDescription, sourceMediaDescription } of wire.told(a, 'ElementConnected'))
    assert.deepEqual([sink, sinkMediaDescription, sourceMediaDescription], [b, 'default', 'default']);
  await wire.invoke(a, 'disconnect', { sink: b, mediaType: 'VIDEO' });
  assert.deepEqual(states(a, 'ElementDisconnected', 'mediaType'), ['VIDEO']);
  await wire.value('release', { object: b });
  assert.deepEqual(states(a, 'ElementDisconnected', 'mediaType').sort(), ['AUDIO', 'DATA', 'VIDEO']);
});

test('the server tells what is made and released, by whomever', { timeout }, async () => {
  await wire.subscribe(MANAGER, 'ObjectCreated');
  await wire.subscribe(MANAGER, 'ObjectDestroyed');
  const other = await Wire.open(server.ready.kurento);
  const pipeline = await other.create('MediaPipeline');
  const port = await other.create('PassThrough', { mediaPipeline: pipeline });
  await other.value('release', { object: pipeline });
  await wire.event(MANAGER, 'ObjectDestroyed', 1);
  assert.deepEqual(states(MANAGER, 'ObjectCreated', 'object'), [pipeline, port]);
  assert.deepEqual(states(MANAGER, 'ObjectDestroyed', 'objectId'), [port, pipeline]);
  other.close();
});

test('events carry tags when they are wanted', { timeout }, async () => {
  const { a, b } = await twoEndpoints();
  await wire.invoke(a, 'addTag', { key: 'room', value: '7' });
  await wire.invoke(a, 'disconnect', { sink: b, mediaType: 'AUDIO' });
  await wire.invoke(a, 'setSendTagsInEvents', { sendTagsInEvents: true });
  await wire.invoke(a, 'disconnect', { sink: b, mediaType: 'VIDEO' });
  assert.deepEqual(wire.told(a, 'ElementDisconnected').map(({ tags }) => tags),
    [[], [{ __module__: 'kurento', __type__: 'Tag', key: 'room', value: '7' }]]);
});

test('two sessions share objects, and each is told what it asked for', { timeout }, async () => {
  const { a, b } = await twoEndpoints();
  const other = await Wire.open(server.ready.kurento);
  await other.subscribe(a, 'ElementDisconnected');
  await other.invoke(a, 'disconnect', { sink: b, mediaType: 'AUDIO' });
  await other.event(a, 'ElementDisconnected');
  await wire.event(a, 'ElementDisconnected');
  assert.equal(other.told(a, 'ElementConnected').length, 0);
  wire.close();
  await wire.closed;
  await other.invoke(a, 'disconnect', { sink: b, mediaType: 'VIDEO' });
  await other.event(a, 'ElementDisconnected', 1);
  assert.equal(await other.invoke(b, 'getName'), b, 'the objects of a session that is away live');
  other.close();
});

test('a session that comes back on another socket is told what happens then', { timeout }, async () => {
  const { a, b } = await twoEndpoints();
  const { result: { sessionId } } = await wire.request('ping');
  wire.socket.terminate();
  await wire.closed;
  const again = await Wire.open(server.ready.kurento);
  await again.value('connect', { sessionId });
  await again.invoke(a, 'disconnect', { sink: b, mediaType: 'AUDIO' });
  assert.equal((await again.event(a, 'ElementDisconnected')).mediaType, 'AUDIO');
  again.close();
});

test('Kurento 6 names are told as they were asked for', { timeout }, async () => {
  const names = {
    OnIceCandidate: 'IceCandidateFound', OnIceGatheringDone: 'IceGatheringDone',
    OnIceComponentStateChanged: 'IceComponentStateChanged', IceComponentStateChange: 'IceComponentStateChanged',
    MediaFlowInStateChange: 0, MediaFlowOutStateChange: 0, MediaTranscodingStateChange: 0,
    OnDataChannelOpened: 0, OnDataChannelClosed: 0,
  };
  const mediaPipeline = await wire.create('MediaPipeline');
  const a = await wire.create('WebRtcEndpoint', { mediaPipeline });
  for (const name of Object.keys(names)) await wire.subscribe(a, name);
  const peer = new KurentoPeer();
  peers.push(peer);
  await peer.pc.setLocalDescription(await peer.pc.createOffer());
  await wire.invoke(a, 'processOffer', { offer: peer.pc.localDescription.sdp });
  await wire.invoke(a, 'gatherCandidates');
  for (const [name, event] of Object.entries(names).filter(([, event]) => event)) {
    const data = await wire.event(a, name);
    assert.equal(data.type, name);
    assert.deepEqual(Object.keys(data).sort(), [...members[event], 'source', 'tags', 'timestampMillis', 'type'].sort());
  }
  assert.deepEqual(await wire.invoke(mediaPipeline, 'getChilds'), [a]);
  for (const [operation, params] of [['setOutputBitrate', { bitrate: 1 }], ['setMinOutputBitrate', { minOutputBitrate: 1 }],
    ['setMaxOuputBitrate', { maxOuputBitrate: 1 }]])
    assert.equal(await wire.invoke(a, operation, params), null, operation);
  wire.events.length = 0; // of another version's names
});

test('every event of the table was told', async () => {
  assert.deepEqual(Object.keys(members).filter((type) => !seen.has(type)), []);
  assert.deepEqual(silent.filter((type) => seen.has(type)), []);
});
