// Each error of the protocol, provoked: its code, its name and where it stands in the answer. The list
// is that of src/kurento/error.c; a new one needs a row here.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Wire } from './lib/kurento_wire.mjs';
import { SLOW, startServer } from './lib/server.mjs';

const timeout = 30_000 * SLOW;
const folder = new URL('../../src/kurento/', import.meta.url);
const source = (name) => readFileSync(new URL(name, folder), 'utf8');
const offer = readFileSync(new URL('../data/sdp/chromium_audio.sdp', import.meta.url), 'utf8').replace(/\r?\n/g, '\r\n');
const answer = readFileSync(new URL('../data/sdp/answer_chromium.sdp', import.meta.url), 'utf8').replace(/\r?\n/g, '\r\n');

/** { KURENTO_E_…: [code, name or undefined] } */
const errors = Object.fromEntries(
  [...source('error.c').matchAll(/\[(KURENTO_E_\w+)\] = \{(-?\d+), (?:NULL|"(\w+)")\}/g)]
    .map(([, name, code, type]) => [name, [Number(code), type]]));

let server;
let wire;
let pipeline;
let endpoint;

before(async () => {
  server = await startServer({ 'kurento.listen': '127.0.0.1:0' });
  wire = await Wire.open(server.ready.kurento);
  pipeline = await wire.create('MediaPipeline');
  endpoint = await make();
});
after(async () => {
  wire?.close();
  await server?.stop();
});

const make = (more) => wire.create('WebRtcEndpoint', { mediaPipeline: pipeline, ...more });
const invoke = (object, operation, operationParams) => wire.request('invoke', { object, operation, operationParams });
const inside = async (operation) => {
  const { result, ...whole } = await wire.request('transaction', { operations: [{ jsonrpc: '2.0', id: 0, ...operation }] });
  return result ? result.value[0] : whole;
};
const negotiated = async () => {
  const id = await make();
  await wire.invoke(id, 'generateOffer');
  return id;
};
const answerTo = async (id) => {
  const mid = /^a=mid:(.*)$/m.exec(await wire.invoke(id, 'generateOffer'))[1].trim();
  return answer.replace(/^a=mid:.*$/m, `a=mid:${mid}`).replace(/^(a=group:BUNDLE ).*$/m, `$1${mid}`);
};

const rows = {
  KURENTO_E_PARSE: () => wire.raw('{'),
  KURENTO_E_REQUEST: () => wire.raw('{}'),
  KURENTO_E_METHOD: () => wire.request('noSuch', {}),
  KURENTO_E_PARAMS: () => wire.request('create'),
  KURENTO_E_SERVER: () => wire.request('create', {}),
  KURENTO_E_MARSHALL: () => invoke(endpoint, 'addTag', { key: 5, value: 'x' }),
  KURENTO_E_CONNECT: async () => {
    const other = await wire.create('PassThrough', { mediaPipeline: await wire.create('MediaPipeline') });
    return invoke(endpoint, 'connect', { sink: other });
  },
  KURENTO_E_NOT_IMPLEMENTED: () => inside({ method: 'invoke', params: { object: 'manager_ServerManager', operation: 'getUsedCpu', operationParams: { interval: 1 } } }),
  KURENTO_E_SESSION: () => wire.request('connect', { sessionId: 'nope' }),
  KURENTO_E_TRANSACTION: () => invoke(endpoint, 'noSuchOp'),
  KURENTO_E_RESOURCES: async () => {
    let last;
    for (let i = 0; i < 129; i++) last = await invoke(pipeline, 'addTag', { key: `k${i}`, value: '' });
    return last;
  },
  KURENTO_E_NO_OBJECT: () => wire.request('describe', { object: 'nope' }),
  KURENTO_E_EVENT: () => wire.request('subscribe', { object: endpoint, type: 'Weather' }),
  KURENTO_E_ARGUMENT: () => invoke(endpoint, 'isMediaFlowingIn', { mediaType: 'DATA' }),
  KURENTO_E_FACTORY: () => wire.request('create', { type: 'Composite' }),
  KURENTO_E_NEWREF: () => inside({ method: 'describe', params: { object: 'newref:7' } }),
  KURENTO_E_TAG: () => invoke(endpoint, 'getTag', { key: 'nope' }),
  KURENTO_E_UNSUPPORTED: () => invoke(endpoint, 'createDataChannel'),
  KURENTO_E_SDP_PARSE: () => invoke(endpoint, 'processOffer', { offer: 'garbage' }),
  KURENTO_E_NO_LOCAL_SDP: () => invoke(endpoint, 'getLocalSessionDescriptor'),
  KURENTO_E_NO_REMOTE_SDP: () => invoke(endpoint, 'getRemoteSessionDescriptor'),
  KURENTO_E_GENERATE_OFFER: async () => invoke(await make({ recvonly: true }), 'generateOffer', { options: { offerToReceiveAudio: false } }),
  KURENTO_E_PROCESS_OFFER: () => invoke(endpoint, 'processOffer', { offer: offer.replace(/^a=fingerprint.*\r\n/m, '') }),
  KURENTO_E_PROCESS_ANSWER: async () => invoke(await negotiated(), 'processAnswer', { answer: 'v=0\r\n' }),
  KURENTO_E_NEGOTIATED: async () => invoke(await negotiated(), 'generateOffer'),
  KURENTO_E_NO_OFFER: () => invoke(endpoint, 'processAnswer', { answer }),
  KURENTO_E_ANSWERED: async () => {
    const id = await make();
    const right = await answerTo(id);
    await wire.invoke(id, 'processAnswer', { answer: right });
    return invoke(id, 'processAnswer', { answer: right });
  },
  KURENTO_E_NO_MODULE: () => invoke('manager_ServerManager', 'getKmd', { moduleName: 'cooking' }),
};

/** Where they are proven, or why nothing raises them. */
const elsewhere = {
  KURENTO_E_INTERNAL: 'out of memory: tests/unit/kurento/test_session.c',
  KURENTO_E_UNEXPECTED: 'the endpoint ended while it was asked, or /proc cannot be read',
  KURENTO_E_SEEK: 'PlayerEndpoint: its own tests',
};

/** In the table because clients know them; KMS raises them for reasons that do not exist here. */
const unused = ['KURENTO_E_SDP_CREATE', 'KURENTO_E_GATHER', 'KURENTO_E_CANDIDATE', 'KURENTO_E_URI'];

test('each error is answered with its code and its name', { timeout }, async () => {
  for (const [name, provoke] of Object.entries(rows)) {
    const { error, result } = await provoke();
    const [code, type] = errors[name];
    assert.ok(error, `${name}: ${JSON.stringify(result)}`);
    assert.deepEqual([error.code, error.data?.type], [code, type], `${name}: ${JSON.stringify(error)}`);
    assert.ok(error.message.length > 5);
  }
});

test('no error is without a row', () => {
  const known = [...Object.keys(rows), ...Object.keys(elsewhere), ...unused];
  assert.deepEqual(Object.keys(errors).filter((name) => !known.includes(name)), []);
  const code = readdirSync(folder).filter((name) => name.endsWith('.c') && name !== 'error.c').map(source).join('');
  for (const name of unused) assert.ok(!new RegExp(`\\b${name}\\b`).test(code), `${name} is raised: it needs a row`);
});
