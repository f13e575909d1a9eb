// A hundred calls, held and hung up; afterwards the process is what it was: no descriptor, no
// thread more, and no memory that grows with every round. E2E_SOAK_ROUNDS repeats it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SLOW, startServer } from './lib/server.mjs';
import { pause, until } from './lib/wait.mjs';
import { WeriftUser, weriftTalk } from './lib/werift.mjs';

const ROUNDS = Number(process.env.E2E_SOAK_ROUNDS ?? 1);
const CALLS = Number(process.env.E2E_SOAK_CALLS ?? 100);
const AT_ONCE = 5; // set-ups: werift's own cryptography is slow
const HOLD_MS = 10_000;
const INTERVAL_MS = 200; // a packet each way: the server is under test, not werift
const GROWTH_KIB = 2048; // of resident memory from the second round to the last

/** Those of calls that are not over: a test that fails leaves nobody behind, or it would not end. */
const users = new Set();

function user(name, server) {
  const made = new WeriftUser(name, server.socket(), { interval: INTERVAL_MS });
  users.add(made);
  return made;
}

function close(user) {
  user.close();
  users.delete(user);
}

async function round(server, number) {
  const calls = [];
  for (let i = 0; i < CALLS; i += AT_ONCE)
    calls.push(...(await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, CALLS - i) }, async (_, k) => {
        const pair = ['caller', 'callee'].map((role) => user(`${role} ${number}.${i + k}`, server));
        for (const { client, name } of pair) await client.register(name);
        await weriftTalk(...pair);
        return pair;
      }))));
  await pause(HOLD_MS);
  for (const pair of calls)
    for (const { name, heard } of pair)
      assert.ok(heard.length > HOLD_MS / INTERVAL_MS / 2, `${name} heard ${heard.length}`);
  const during = { descriptors: server.descriptors(), threads: server.threads(), resident: server.resident() };
  for (const [i, [caller, callee]] of calls.entries()) {
    const [leaver, other] = i % 2 ? [caller, callee] : [callee, caller];
    leaver.client.stop();
    assert.equal((await other.client.expect('stopCommunication')).reason, 'hang-up');
  }
  calls.flat().forEach(close);
  return during;
}

test(`${ROUNDS} times ${CALLS} calls`, { timeout: ROUNDS * 240_000 * SLOW }, async (t) => {
  const server = await startServer({ 'log.level': 'warning' });
  t.after(async () => {
    users.forEach(close);
    await server.stop();
  });
  const before = { descriptors: server.descriptors(), threads: server.threads(), resident: server.resident() };
  const resident = [];
  for (let number = 0; number < ROUNDS; number++) {
    const during = await round(server, number);
    await until('descriptors are back', () => server.descriptors() <= before.descriptors, 20_000 * SLOW);
    assert.ok(server.threads() <= before.threads, 'threads');
    resident.push(server.resident());
    t.diagnostic(`round ${number}: ${JSON.stringify(during)}, afterwards ${resident.at(-1)} KiB resident`);
  }
  if (ROUNDS > 2)
    assert.ok(resident.at(-1) - resident[1] < GROWTH_KIB, `resident KiB: ${resident}`);
});
