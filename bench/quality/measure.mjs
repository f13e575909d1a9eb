// One cell: the same line for every system at the same time, and what each of its people heard.
//
//    connected ── 5 s ──┬──────────── measured: 30 s ────────────┬── hang up
//                       counts        event (10 s after)         counts

import { pause, until } from '../../tests/e2e/lib/wait.mjs';

const START_MS = 5000; // jitter buffers and round-trip times settle
const EVENT_AFTER_MS = 10_000;
const CONNECT_MS = 30_000; // at 20 % loss the handshake repeats itself

/** Every person and line of a call has luck of its own, the same for each system and in each repetition. */
const lines = (cell, round) => [1, 2].map((i) => ({ ...cell.line, seed: 1000 * round + i }));

const difference = (after, before) =>
  Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]]));

const countsOf = (call) => Promise.all(call.people.map((person) => person.run('counts')));
const linesOf = (call) => Promise.all(call.lines.map((line) => line.stats()));

const connected = (call, what) => Promise.all(call.people.map((person) =>
  until(`${what}: connected`, () => person.run('isConnected'), CONNECT_MS)));

/** Packets that the lines lost on the way to one person: the other's uplink, the own downlink. */
function lostOnLines(after, before, to) {
  const from = 1 - to;
  const lost = (stats, way) => Object.entries(stats[way])
    .filter(([key]) => key.startsWith('lost_')).reduce((sum, [, n]) => sum + n, 0);
  return lost(after[from], 'up') - lost(before[from], 'up') + lost(after[to], 'down') - lost(before[to], 'down');
}

async function prepare(system, browser, cell, round, o) {
  const call = await system.call(browser, lines(cell, round));
  await connected(call, system.name);
  if (o.target !== undefined)
    for (const person of call.people) await person.run('setJitterBufferTarget', o.target);
  return call;
}

async function hear(call, cell, seconds) {
  await pause(START_MS);
  const before = await countsOf(call);
  const linesBefore = await linesOf(call);
  for (const person of call.people) await person.run('watch');
  if (cell.event) {
    await pause(EVENT_AFTER_MS);
    await call.lines[0].command(cell.event);
    await pause(seconds * 1000 - EVENT_AFTER_MS);
  } else {
    await pause(seconds * 1000);
  }
  const longest = await Promise.all(call.people.map((person) => person.run('watched')));
  const after = await countsOf(call);
  const linesAfter = await linesOf(call);
  return call.people.map((_, i) => ({
    ...difference(after[i], before[i]),
    sent: after[1 - i].packetsSent - before[1 - i].packetsSent,
    sentBytes: after[1 - i].bytesSent - before[1 - i].bytesSent,
    lostOnLines: lostOnLines(linesAfter, linesBefore, i),
    longestGapMs: longest[i],
  }));
}

/**
 * @param {System[]} systems  of systems.mjs
 * @param {{ seconds: number, target?: number }} o
 * @return {Promise<object[]>} one result for each system and each of its two people
 */
export async function runCell(browser, systems, cell, round, o) {
  const calls = [];
  try {
    // One after the other: ringing must not disturb what is being heard.
    for (const system of systems) calls.push(await prepare(system, browser, cell, round, o));
    const heard = await Promise.all(calls.map((call) => hear(call, cell, o.seconds)));
    return heard.flatMap((people, s) => people.map((counts, person) => ({
      cell: cell.name, system: systems[s].name, round, person: ['alice', 'bob'][person], ...counts,
    })));
  } finally {
    for (const call of calls) await call.close();
  }
}
