// A session that kurento-client 7.3.0 had with a real Kurento Media Server 7.3.1, frame by frame
// with Duet; and what that server answered to odd requests. Where Duet differs, a row says so, and
// docs/kurento.md says it, too: a difference without a row fails, and so does a row without one.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { Wire, readSession, replay } from './lib/kurento_wire.mjs';
import { SLOW, startServer } from './lib/server.mjs';

const timeout = 30_000 * SLOW;
const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/kurento.md', root), 'utf8');
const offer = readFileSync(new URL('tests/data/sdp/chromium_audio.sdp', root), 'utf8')
  .replace(/\r?\n/g, '\r\n');

let server;
before(async () => (server = await startServer({ 'kurento.listen': '127.0.0.1:0' })));
after(() => server?.stop());

// --- the recorded session ---

/** What may differ: `only` seen there (KMS) or here, and the words of docs/kurento.md about it. */
const differences = [
  { only: 'KMS', what: /^factories: (AlphaBlending|Composite|HttpPostEndpoint|Mixer|\w+Filter)$/, page: 'Types that can be created' },
  { only: 'KMS', what: /^candidate: TCP 1 active$|^candidate: \w+ 2/, page: 'UDP and TCP passive, component 1' },
  { only: 'KMS', what: /^session: s=Kurento Media Server$/, page: '`s=Duet`' },
  { only: 'Duet', what: /^session: s=Duet$/, page: '`s=Duet`' },
  { only: 'KMS', what: /^session: c=IN IP4 0\.0\.0\.0$/, page: '`c=` stands in the audio line' },
  { only: 'Duet', what: /^audio: c=IN IP4 0\.0\.0\.0$/, page: '`c=` stands in the audio line' },
  { only: 'KMS', what: /^session: a=(extmap-allow-mixed|msid-semantic: WMS .*)$/, page: '`extmap-allow-mixed`, `msid-semantic` and `rtcp` are not echoed' },
  { only: 'KMS', what: /^audio: a=rtcp:9 IN IP4 0\.0\.0\.0$/, page: '`extmap-allow-mixed`, `msid-semantic` and `rtcp` are not echoed' },
  { only: 'KMS', what: /^audio: m=audio 1 UDP\/TLS\/RTP\/SAVPF 111 0 8$/, page: 'port 9' },
  { only: 'Duet', what: /^audio: m=audio 9 UDP\/TLS\/RTP\/SAVPF 63 111 0 8 9 13 110 126$/, page: 'port 9' },
  { only: 'Duet', what: /^audio: a=(rtpmap|fmtp|rtcp-fb):(63|9|13|110|126) /, page: 'G.722, RED, telephone-event, comfort noise' },
  { only: 'Duet', what: /^audio: a=rtcp-fb:\d+ (nack|transport-cc)$/, page: 'transport-cc; NACK' },
  { only: 'Duet', what: /^audio: a=rtcp-(rsize|xr:rcvr-rtt=all)$/, page: '`rtcp-rsize`, `rtcp-xr`' },
  { only: 'KMS', what: /^audio: a=extmap:2 \S*abs-send-time$/, page: 'abs-send-time' },
  { only: 'Duet', what: /^audio: a=extmap:1 \S*ssrc-audio-level$/, page: 'audio level, transport-cc' },
  { only: 'Duet', what: /^audio: a=extmap:3\/recvonly \S*transport-wide-cc/, page: 'audio level, transport-cc' },
  { only: 'KMS', what: /^audio: a=setup:active$/, page: '`setup:passive`' },
  { only: 'Duet', what: /^audio: a=setup:passive$/, page: '`setup:passive`' },
  { only: 'Duet', what: /^audio: a=ice-options:trickle$/, page: '`ice-options:trickle`' },
  { only: 'Duet', what: /^audio: a=msid:/, page: '`msid`' },
];

/** What both name by values of their own, made the same: credentials, SSRC, names, numbers. */
const normal = (line) => line
  .replace(/^o=- \d+ \d+ /, 'o=- ID VERSION ')
  .replace(/^(a=(?:ice-ufrag|ice-pwd|fingerprint:sha-256)[ :]).*/, '$1…')
  .replace(/^a=ssrc:\d+ cname:.*/, 'a=ssrc:SSRC cname:…');

function sdpLines(sdp) {
  let section = 'session';
  return sdp.split('\r\n').filter(Boolean).map((line) => {
    if (line.startsWith('m=')) section = /^m=(\w+)/.exec(line)[1];
    return `${section}: ${normal(line)}`;
  });
}

const isSdp = (value) => typeof value === 'string' && value.startsWith('v=0\r\n');

/** Only versions and times are the server's own in the answer to getInfo. */
function infoLines({ modules, ...info }) {
  return [
    JSON.stringify({ ...info, version: '' }),
    ...modules.map((module) => JSON.stringify({ ...module, factories: [], generationTime: '', version: '' })),
    ...modules.flatMap(({ factories }) => factories.map((name) => `factories: ${name}`)),
  ];
}

function lines({ result, error, ...envelope }) {
  if (isSdp(result?.value)) return [JSON.stringify({ ...envelope, sessionId: result.sessionId }), ...sdpLines(result.value)];
  if (result?.value?.__type__ === 'ServerInfo') return [JSON.stringify(envelope), ...infoLines(result.value)];
  return [JSON.stringify({ ...envelope, result, error })];
}

/** An event without what the machine decides: "candidate: UDP 1 ", and the event's own form. */
function eventLines({ params, ...envelope }) {
  const { data, ...value } = params.value;
  const [, component, transport, , , port, ...rest] = data.candidate.candidate.split(' ');
  assert.match(data.timestampMillis, /^\d{13}$/);
  assert.match(port, /^\d+$/);
  assert.equal(rest[1], 'host');
  return [
    JSON.stringify({ ...envelope, ...value, data: { ...data, timestampMillis: '', candidate: { ...data.candidate, candidate: '' } } }),
    `candidate: ${transport} ${component} ${rest[3] ?? ''}`.trim(),
  ];
}

/** Tell every line that only one of them has; the rows that explain it are taken note of. */
function compare(what, kms, duet, used) {
  const explain = (only, line) => {
    const row = differences.find((row) => row.only === only && row.what.test(line));
    assert.ok(row, `${what}: only ${only} has "${line}"`);
    assert.ok(page.includes(row.page), `docs/kurento.md says nothing of "${row.page}"`);
    used.add(row);
  };
  for (const line of new Set(kms)) if (!duet.includes(line)) explain('KMS', line);
  for (const line of new Set(duet)) if (!kms.includes(line)) explain('Duet', line);
}

test('a session with a real server is the same with Duet', { timeout }, async () => {
  const frames = readSession(new URL('tests/data/kurento/one2one.txt', root));
  const wire = await Wire.open(server.ready.kurento);
  const { pairs, events } = await replay(wire, frames);
  wire.close();
  const used = new Set();
  assert.equal(pairs.length, 32);
  for (const { expected, answer } of pairs)
    compare(`answer to request ${expected.id}`, lines(expected), lines(answer), used);
  const recorded = frames.filter(({ message }) => message.method === 'onEvent').map(({ message }) => message);
  compare('events', recorded.flatMap(eventLines), events.flatMap(eventLines), used);
  assert.deepEqual(differences.filter((row) => !used.has(row)).map(({ what }) => String(what)), [],
    'rows that explain nothing');
});

// --- odd requests ---

const refusal = (code, message, type) => ({ error: { code, ...(type && { data: { type } }), message } });
const invalid = { ...refusal(-32600, 'Invalid JSON-RPC request.'), id: null, jsonrpc: '2.0' };
const marshall = (message) => refusal(40001, message, 'MARSHALL_ERROR');
const noObject = (id) => refusal(40101, `Object '${id}' not found`, 'MEDIA_OBJECT_NOT_FOUND');

const frames = [
  ['{}', invalid],
  ['[]', invalid],
  ['5', invalid],
  ['"x"', invalid],
  ['{"jsonrpc":"1.0","method":"ping","id":1}', invalid],
  ['{"jsonrpc":"2.0","id":1}', invalid],
  ['[{"jsonrpc":"2.0","method":"ping","id":1}]', invalid],
  // docs/kurento.md: a frame that is no JSON
  ['{', { ...refusal(-32700, 'Parse error.'), id: null, jsonrpc: '2.0' }],
  ...['{"jsonrpc":"2.0","method":"ping"}', '{"jsonrpc":"2.0","method":"ping","id":null}'].map((frame) => [frame, {
    error: { code: -32000, data: { value: 'pong' }, message: 'Ignoring response because of a notification request' },
    id: null, jsonrpc: '2.0' }]),
  ['{"jsonrpc":"2.0","method":"noSuch","id":1}', { ...refusal(-32601, 'Method not found.'), id: 1, jsonrpc: '2.0' }],
  ['{"jsonrpc":"2.0","method":"ping","id":"a"}', { id: 'a', jsonrpc: '2.0', result: { value: 'pong' } }],
  ['{"jsonrpc":"2.0","method":"ping","id":5.5}', { id: 5.5, jsonrpc: '2.0', result: { value: 'pong' } }],
  [Buffer.from('{"jsonrpc":"2.0","method":"ping","id":2}'), { id: 2, jsonrpc: '2.0', result: { value: 'pong' } }],
  [`{"jsonrpc":"2.0","method":"ping","params":{"x":"${'x'.repeat(1 << 20)}"},"id":3}`, { id: 3, jsonrpc: '2.0', result: { value: 'pong' } }],
];

test('frames that are no requests, and odd ones that are', { timeout }, async () => {
  for (const [frame, answer] of frames) {
    const wire = await Wire.open(server.ready.kurento);
    assert.deepEqual(await wire.raw(frame), answer, String(frame).slice(0, 80));
    assert.equal(wire.lastIsBinary, false);
    wire.close();
  }
});

/** A pipeline, an endpoint that is negotiated, one that is not, and one that is released. */
async function objects(wire) {
  const pipeline = await wire.create('MediaPipeline');
  const make = () => wire.create('WebRtcEndpoint', { mediaPipeline: pipeline });
  const [done, fresh, gone] = [await make(), await make(), await make()];
  await wire.invoke(done, 'processOffer', { offer });
  await wire.value('release', { object: gone });
  return { pipeline, done, fresh, gone };
}

const nothing = { value: null };
const candidate = (text) => ({ candidate: { candidate: text, sdpMid: '0', sdpMLineIndex: 0 } });

/** [method, params, what comes: `error` or members of `result` beside sessionId] */
const requests = ({ pipeline, done, fresh, gone }) => [
  ['create', {}, refusal(-32000, "'type' parameter is required")],
  ['create', { type: 'NoSuch' }, refusal(40108, "Factory 'NoSuch' not found", 'MEDIA_OBJECT_NOT_AVAILABLE')],
  ['create', { type: 'WebRtcEndpoint', constructorParams: {} }, marshall("'mediaPipeline' parameter should be a string")],
  ['create', { type: 'WebRtcEndpoint', constructorParams: { mediaPipeline: 'bad' } }, noObject('bad')],
  ['invoke', { object: fresh, operation: 'noSuchOp' }, refusal(40008, "Method 'noSuchOp' with 0 parameters not found", 'MALFORMED_TRANSACTION')],
  ['invoke', { object: fresh }, refusal(-32000, "'operation' parameter is required")],
  ['invoke', { object: fresh, operation: 'processOffer' }, marshall("'operationParams' is required")],
  ['invoke', { object: gone, operation: 'getName' }, noObject(gone)],
  ['describe', { object: 'nope' }, noObject('nope')],
  ['invoke', { object: fresh, operation: 'processOffer', operationParams: { offer: 'garbage' } }, refusal(40201, 'Invalid SDP', 'SDP_PARSE_ERROR')],
  ['invoke', { object: fresh, operation: 'processOffer', operationParams: { offer: '' } }, refusal(40201, 'Empty offer not valid', 'SDP_PARSE_ERROR')],
  ['invoke', { object: fresh, operation: 'gatherCandidates' }, nothing],
  ['invoke', { object: fresh, operation: 'addIceCandidate', operationParams: candidate('candidate:1 1 udp 1 127.0.0.1 9 typ host') }, nothing],
  ['invoke', { object: fresh, operation: 'addIceCandidate', operationParams: candidate('garbage') }, nothing],
  ['invoke', { object: done, operation: 'addIceCandidate', operationParams: candidate('garbage') }, nothing],
  ['invoke', { object: done, operation: 'addIceCandidate', operationParams: candidate('') }, nothing],
  ['invoke', { object: done, operation: 'gatherCandidates' }, nothing],
  ['invoke', { object: done, operation: 'gatherCandidates' }, nothing],
  ['invoke', { object: fresh, operation: 'connect', operationParams: { sink: done } }, nothing],
  ['subscribe', { object: fresh, type: 'NoSuch' }, refusal(40106, "Event 'NoSuch' not supported", 'MEDIA_OBJECT_EVENT_NOT_SUPPORTED')],
  ['unsubscribe', { object: fresh, subscription: 'nope' }, {}],
  ['unsubscribe', { object: gone, subscription: 'nope' }, {}],
  ['invoke', { object: fresh, operation: 'getName' }, { value: fresh }],
  ['invoke', { object: fresh, operation: 'getId' }, { value: fresh }],
  ['invoke', { object: fresh, operation: 'getStats', operationParams: { mediaType: 'AUDIO' } }, nothing],
  ['describe', { object: fresh }, {
    hierarchy: ['BaseRtpEndpoint', 'SdpEndpoint', 'SessionEndpoint', 'Endpoint', 'MediaElement', 'MediaObject'].map((name) => `kurento.${name}`),
    qualifiedType: 'kurento.WebRtcEndpoint', type: 'WebRtcEndpoint' }],
  ['describe', { object: 'manager_ServerManager' }, { hierarchy: ['kurento.MediaObject'], qualifiedType: 'kurento.ServerManager', type: 'ServerManager' }],
  ['ref', { object: fresh }, {}],
  ['unref', { object: fresh }, {}],
  ['keepAlive', {}, {}],
  ['release', { object: done }, {}],
  ['release', { object: done }, {}],
  ['release', {}, refusal(-32000, "'object' parameter is required")],
  ['connect', { sessionId: 'nope' }, refusal(40007, 'Invalid session', 'INVALID_SESSION')],
  ['invoke', { object: pipeline, operation: 'getName' }, { value: pipeline }], // and the socket keeps its session
];

test('odd requests get the answers of a real server', { timeout }, async () => {
  const wire = await Wire.open(server.ready.kurento);
  const made = await objects(wire);
  const { result: { sessionId } } = await wire.request('ping');
  for (const [method, params, expected] of requests(made)) {
    const { jsonrpc, id, ...answer } = await wire.request(method, params);
    assert.equal(jsonrpc, '2.0');
    const whole = expected.error ? expected : { result: { sessionId, ...expected } };
    assert.deepEqual(answer, whole, `${method} ${JSON.stringify(params).slice(0, 120)}`);
  }
  wire.close();
});

test('types are known with and without their module', { timeout }, async () => {
  const wire = await Wire.open(server.ready.kurento);
  const mediaPipeline = await wire.create('kurento.MediaPipeline');
  assert.match(await wire.create('kurento.WebRtcEndpoint', { mediaPipeline }), /_kurento\.WebRtcEndpoint$/);
  wire.close();
});

test('who subscribes twice has two subscriptions and is told once', { timeout }, async () => {
  const wire = await Wire.open(server.ready.kurento);
  const mediaPipeline = await wire.create('MediaPipeline');
  const [a, b] = [await wire.create('PassThrough', { mediaPipeline }), await wire.create('PassThrough', { mediaPipeline })];
  assert.notEqual(await wire.subscribe(a, 'ElementConnected'), await wire.subscribe(a, 'ElementConnected'));
  await wire.invoke(a, 'connect', { sink: b, mediaType: 'AUDIO' });
  await wire.invoke(a, 'getName');
  assert.equal(wire.told(a, 'ElementConnected').length, 1);
  wire.close();
});

test('sessions: connect, taking over an unknown one, a second socket, the end', { timeout }, async () => {
  const first = await Wire.open(server.ready.kurento);
  const { result: offered } = await first.request('connect');
  assert.match(offered.serverId, /^[0-9a-f-]{36}$/);
  const before = await first.request('connect', { sessionId: offered.sessionId });
  assert.equal(before.error.code, 40007, 'it begins with the first object');
  const { result: made } = await first.request('create', { type: 'MediaPipeline' });
  assert.equal(made.sessionId, offered.sessionId);
  const second = await Wire.open(server.ready.kurento);
  assert.deepEqual((await second.request('connect', { sessionId: offered.sessionId })).result, offered);
  assert.equal(await second.invoke(made.value, 'getName'), made.value);
  assert.equal(await first.invoke(made.value, 'getName'), made.value);
  assert.equal((await second.request('ping')).result.sessionId, offered.sessionId);

  const third = await Wire.open(server.ready.kurento);
  const adopted = await third.request('create', { type: 'MediaPipeline', sessionId: 'of-a-server-before' });
  assert.equal(adopted.result.sessionId, 'of-a-server-before');
  for (const sessionId of ['of-a-server-before', 'nobody-has-it'])
    assert.equal((await third.request('closeSession', { sessionId })).result, null);
  for (const wire of [first, second, third]) wire.close();
});

test('the same id again is the same answer again', { timeout }, async () => {
  const wire = await Wire.open(server.ready.kurento);
  await wire.create('MediaPipeline');
  const frame = '{"jsonrpc":"2.0","method":"create","params":{"type":"MediaPipeline"},"id":7}';
  assert.deepEqual(await wire.raw(frame), await wire.raw(frame));
  wire.close();
});

test('a transaction answers with whole answers', { timeout }, async () => {
  const wire = await Wire.open(server.ready.kurento);
  const { result } = await wire.request('transaction', { operations: [
    { jsonrpc: '2.0', id: 0, method: 'create', params: { type: 'MediaPipeline' } },
    { jsonrpc: '2.0', id: 1, method: 'create', params: { type: 'PassThrough', constructorParams: { mediaPipeline: 'newref:0' } } },
  ] });
  const [pipeline, element] = result.value;
  assert.deepEqual(element, { id: 1, jsonrpc: '2.0', result: { sessionId: result.sessionId, value: element.result.value } });
  assert.ok(element.result.value.startsWith(`${pipeline.result.value}/`));
  wire.close();
});

// --- sockets ---

/** An HTTP request of our own making: { status, headers }. */
function http(path, headers = {}) {
  const { hostname, port } = new URL(server.ready.kurento);
  return new Promise((done, fail) => {
    const asked = request({ hostname, port, path, headers, agent: false }, (response) => {
      response.resume();
      done({ status: response.statusCode });
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      done({ status: response.statusCode, headers: response.headers });
    });
    asked.on('error', fail).end();
  });
}

test('other paths are opened and closed again', { timeout }, async () => {
  const base = server.ready.kurento.replace(/\/kurento$/, '');
  for (const path of ['/', '/other', '/kurento/']) {
    const wire = await Wire.open(base + path);
    assert.deepEqual(await wire.closed, { code: 1002, reason: 'Invalid path' }, path);
  }
  const wire = await Wire.open(`${base}/kurento?x=1`);
  assert.equal((await wire.request('ping')).result.value, 'pong');
  wire.close();
});

const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };

test('no extension is ever chosen, and a subprotocol refused (docs/kurento.md)', { timeout }, async () => {
  const asClient = { ...upgrade, 'sec-websocket-key': 'MTMtMTc5NTM3NDY0NzUyNw==', origin: 'localhost:8889' };
  const { status, headers } = await http('/kurento', {
    ...asClient, 'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
  });
  assert.equal(status, 101);
  assert.equal(headers['sec-websocket-accept'], 'h6e6MJt1pAzJC2tEmF1FzVufvRc=');
  assert.equal(headers['sec-websocket-extensions'], undefined);
  assert.equal((await http('/kurento', { ...asClient, 'sec-websocket-protocol': 'kurento' })).status, 400);
});

test('a health check without a key gets 500, a browser 426', { timeout }, async () => {
  assert.equal((await http('/kurento', upgrade)).status, 500);
  assert.equal((await http('/kurento')).status, 426);
});
