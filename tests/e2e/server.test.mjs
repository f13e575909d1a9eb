// The program itself: start, what it prints, what it refuses, how it ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startServer, SLOW } from './lib/server.mjs';

const timeout = 60_000 * SLOW;

test('it starts on free ports, says which, and ends with status 0', { timeout }, async () => {
  const server = await startServer();
  assert.match(server.ready.http, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  assert.match(server.ready.https, /^https:\/\/127\.0\.0\.1:[1-9]\d*$/);
  assert.match(server.ready.media, /^udp:0\.0\.0\.0:[1-9]\d*$/);
  assert.equal((await fetch(`${server.page}healthz`)).status, 200);
  await server.stop();
});

test('what is off is not in the ready line', { timeout }, async () => {
  const server = await startServer({ 'https.listen': '' });
  assert.equal(server.ready.https, undefined);
  await server.stop();
});

test('SIGINT ends it as well', { timeout }, async () => {
  const server = await startServer();
  server.child.kill('SIGINT');
  assert.deepEqual(await server.ended, { status: 0, signal: null });
});

test('a port in use is named, with its key', { timeout }, async () => {
  const server = await startServer();
  const taken = new URL(server.page).host;
  await assert.rejects(startServer({ 'http.listen': taken }), (error) => {
    assert.match(error.message, /http\.listen/);
    assert.match(error.message, new RegExp(taken));
    return true;
  });
  await server.stop();
});

test('a wrong setting ends the start with status 2', { timeout }, async () => {
  await assert.rejects(startServer({ 'media.prot': '1' }), (error) => {
    assert.match(error.message, /unknown key 'media\.prot': did you mean 'media\.port'\?/);
    assert.match(error.message, /"status":2/);
    return true;
  });
});
