// Every message of docs/protocol.md, wrong in every field, and frames that are no messages at all:
// each is answered by an error that names the field, and a call that runs notices nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { Client } from './lib/client.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { pause, until } from './lib/wait.mjs';
import { compare, WeriftUser, weriftTalk } from './lib/werift.mjs';

const timeout = 120_000 * SLOW;

// docs/protocol.md, "Page to server": what each field may be. `least` and `most` count characters.
const text = (least, most, rest) => ({ type: 'string', least, most, ...rest });
const offer = 'v=0\r\n';
const catalogue = {
  register: {
    good: { name: 'mallory', extras: true },
    fields: { name: text(0, 64), extras: { type: 'boolean', optional: true } },
  },
  call: {
    good: { to: 'nobody', sdpOffer: offer },
    fields: {
      from: text(1, 64, { optional: true }),
      to: text(1, 64),
      sdpOffer: text(1, 32768),
    },
  },
  incomingCallResponse: {
    good: { from: 'nobody', callResponse: 'accept', sdpOffer: offer },
    fields: {
      from: text(1, 64),
      callResponse: text(1, 32),
      sdpOffer: text(1, 32768),
      message: text(0, 256, { optional: true }),
      callId: text(1, 32, { optional: true }),
    },
  },
  onIceCandidate: {
    good: { candidate: { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 } },
    fields: {
      candidate: { type: 'object' },
      'candidate.candidate': text(0, 512),
      'candidate.sdpMid': text(0, 256, { optional: true, nullable: true }),
      'candidate.sdpMLineIndex': { type: 'integer', optional: true, nullable: true },
      'candidate.usernameFragment': text(0, 256, { optional: true, nullable: true }),
    },
  },
  stop: { good: {}, fields: { callId: text(1, 32, { optional: true }) } },
};

/** Values of the wrong kind for a field, by what is wrong with them. */
function* wrongValues({ type, least, most, nullable }) {
  const kinds = { string: 'text', number: 7, boolean: true, object: { a: 1 }, list: ['a'], real: 0.5 };
  for (const [kind, value] of Object.entries(kinds))
    if (kind !== type && !(type === 'integer' && kind === 'number')) yield [kind, value];
  if (!nullable) yield ['null', null];
  if (type === 'string' && least > 0) yield ['empty', ''];
  if (type === 'string') yield ['too long', 'x'.repeat(most + 1)];
  if (type === 'integer') yield* [['negative', -1], ['too large', 65536], ['huge', 1e300]];
}

/** A copy of `object` in which the field at `path` is `value`; undefined takes it out. */
function withField(object, path, value) {
  const copy = structuredClone(object);
  const names = path.split('.');
  const last = names.pop();
  const holder = names.reduce((at, name) => at[name], copy);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

function* wrongMessages(id, { good, fields }) {
  for (const [path, field] of Object.entries(fields)) {
    if (!field.optional) yield [`${path} missing`, path, withField({ id, ...good }, path)];
    for (const [what, value] of wrongValues(field))
      yield [`${path} ${what}`, path, withField({ id, ...good }, path, value)];
  }
}

let server;
let talking;

before(async () => {
  server = await startServer();
  talking = [new WeriftUser('alice', server.socket()), new WeriftUser('bob', server.socket())];
  for (const user of talking) await user.client.register(user.name);
  await weriftTalk(...talking);
});

after(async () => {
  for (const user of talking ?? []) user.close();
  await server?.stop();
});

async function stranger(path = '/one2one', name = 'mallory') {
  const client = new Client({ url: server.socket(path), WebSocket });
  await client.opened;
  if (name) assert.equal((await client.register(name)).response, 'accepted');
  return client;
}

/** The call in the background: audio goes on both ways, and nobody was told anything. */
async function assertCallUndisturbed() {
  for (const user of talking) {
    const before = user.heard.length;
    await until('audio goes on', () => user.heard.length > before + 20, 5000 * SLOW);
    const told = user.client.received.filter((m) => ['error', 'stopCommunication'].includes(m.id));
    assert.deepEqual(told, []);
  }
}

for (const path of ['/one2one', '/call'])
  for (const [id, message] of Object.entries(catalogue))
    test(`${id} at ${path}, wrong in every field`, { timeout }, async () => {
      const client = await stranger(path);
      for (const [what, field, wrong] of wrongMessages(id, message)) {
        client.send(wrong);
        const answer = await client.expect('error', 3000 * SLOW).catch((error) => {
          throw new Error(`${id}, ${what}: ${error.message}`);
        });
        assert.equal(answer.reason, 'bad-field', `${what}: ${JSON.stringify(answer)}`);
        assert.ok(field.split('.').includes(answer.field) || answer.field === field, `${what}: ${JSON.stringify(answer)}`);
        await pause(25); // 50 messages a second are allowed
      }
      client.close();
      await assertCallUndisturbed();
    });

const noMessages = {
  'no JSON': '{',
  'nothing': '',
  'a number': '7',
  'a list': '[]',
  'null': 'null',
  'no id': '{}',
  'id is null': '{"id":null}',
  'id is an object': '{"id":{}}',
  'a field twice': '{"id":"stop","id":"stop"}',
  'a zero character': '{"id":"register","name":"a\\u0000b"}',
  'half a surrogate': '{"id":"register","name":"\\ud800"}',
  'nested deeply': `{"id":"stop","x":${'['.repeat(20000)}`,
  'text behind it': '{"id":"stop"} {}',
};

test('frames that are no messages', { timeout }, async () => {
  const client = await stranger();
  for (const [what, frame] of Object.entries(noMessages)) {
    client.send(frame);
    await client.expect('error', 3000 * SLOW).catch((error) => {
      throw new Error(`${what}: ${error.message}`);
    });
    await pause(25);
  }
  client.close();
  await assertCallUndisturbed();
});

test('bytes that are no UTF-8 do no harm', { timeout }, async () => {
  const client = await stranger();
  client.socket.send(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), { binary: true });
  await client.when('an error or the end', () => client.received.at(-1)?.id === 'error' || client.closed, 3000 * SLOW)
    .catch(() => assert.ok(client.closed, 'neither an answer nor a close'));
  client.close();
  await assertCallUndisturbed();
});

test('an unknown id: an error in the Node dialect, nothing in the Java one', { timeout }, async () => {
  const node = await stranger('/one2one', 'm1');
  node.send({ id: 'teapot' });
  assert.equal((await node.expect('error')).message, 'Invalid message [object Object]');
  const java = await stranger('/call', 'm2');
  java.send({ id: 'teapot' });
  java.send({ id: 'register', name: 'm3' });
  assert.equal((await java.expect('registerResponse')).response, 'accepted');
  assert.equal(java.received.some((m) => m.id === 'error'), false);
  node.close();
  java.close();
});

test('before it registered', { timeout }, async () => {
  const client = await stranger('/one2one', null);
  for (const message of [
    { id: 'onIceCandidate', ...catalogue.onIceCandidate.good },
    { id: 'incomingCallResponse', ...catalogue.incomingCallResponse.good },
  ]) {
    client.send(message);
    assert.equal((await client.expect('error')).reason, 'register-first');
  }
  client.send({ id: 'call', to: 'bob', sdpOffer: offer });
  assert.equal((await client.expect('callResponse')).reason, 'register-first');
  client.close();
  await assertCallUndisturbed();
});

test('somebody else\'s name and somebody else\'s call', { timeout }, async () => {
  const client = await stranger();
  client.send({ id: 'call', from: 'alice', to: 'bob', sdpOffer: offer });
  assert.deepEqual([(await client.expect('error')).reason], ['wrong-from']);
  client.send({ id: 'register', name: 'alice' });
  assert.equal((await client.expect('registerResponse')).reason, 'name-taken');
  client.send({ id: 'incomingCallResponse', from: 'alice', callResponse: 'accept', sdpOffer: offer });
  assert.equal((await client.expect('stopCommunication')).reason, 'not-ringing');
  client.send({ id: 'call', to: 'bob', sdpOffer: offer });
  assert.match((await client.expect('callResponse')).reason, /^(busy|invalid-offer)$/);
  client.close();
  await assertCallUndisturbed();
});

test('a frame above http.max_frame closes its own connection only', { timeout }, async () => {
  const client = await stranger();
  client.send(`{"id":"register","name":"${'x'.repeat(70_000)}"}`);
  await until('closed', () => client.closed, 5000 * SLOW);
  assert.equal(client.closed.code, 1009);
  await assertCallUndisturbed();
});

test('a flood: one error, then silence until it stops', { timeout }, async () => {
  const client = await stranger();
  for (let i = 0; i < 2000; i++) client.send({ id: 'stop' });
  assert.equal((await client.expect('error')).reason, 'rate-limit');
  await until('heard again', async () => {
    client.send({ id: 'register', name: 'mallory' });
    await pause(1100);
    return client.received.filter((m) => m.id === 'registerResponse').length > 1;
  }, 10_000 * SLOW);
  assert.equal(client.received.filter((m) => m.reason === 'rate-limit').length, 1);
  client.close();
  await assertCallUndisturbed();
});

test('the call that ran all the while lost nothing', () => {
  const [alice, bob] = talking;
  for (const user of talking) user.silence();
  for (const [from, to] of [[alice, bob], [bob, alice]]) {
    const result = compare(from.sent, to.heard);
    assert.equal(result.error, undefined, `${from.name} to ${to.name}: ${result.error}`);
  }
});
