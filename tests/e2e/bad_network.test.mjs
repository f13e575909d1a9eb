// Two people, each behind a bad line of their own: loss, a blackout, a new address in the call.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageUser, talk } from './lib/browser.mjs';
import { fromBrowser, fromServer, startLine } from './lib/impair.mjs';
import { SLOW } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';
import { pause, until } from './lib/wait.mjs';

const timeout = 90_000 * SLOW;
const TALK_MS = 15_000;
const BLACKOUT_MS = 2000;

const stage = useStage({ settings: { 'media.workers': '1' } });

/** A call of two, each over a line with these conditions; `run` gets the people and their lines. */
async function overLines(conditions, run) {
  const lines = [
    await startLine(stage.server, { ...conditions, seed: 1 }),
    await startLine(stage.server, { ...conditions, seed: 2 }),
  ];
  const people = [
    await PageUser.open(stage.browsers[0], 'alice', lines[0].socket()),
    await PageUser.open(stage.browsers[1], 'bob', lines[1].socket()),
  ];
  try {
    for (const person of people) await person.register();
    await talk(...people);
    await run(people, lines);
    await people[0].client('stop');
    assert.equal((await people[1].expect('stopCommunication')).reason, 'hang-up');
  } finally {
    for (const person of people) await person.close();
    for (const line of lines) await line.stop();
  }
}

const packets = async (person) => (await person.statistics()).inbound.packetsReceived;

/** Milliseconds until each of them receives audio again, counted from now. */
async function silences(people, ms) {
  const begin = Date.now();
  return Promise.all(people.map(async (person) => {
    const heard = await packets(person);
    // More than stragglers that were on their way.
    await until(`${person.name} receives again`, async () => (await packets(person)) > heard + 5, ms, 20);
    return Date.now() - begin;
  }));
}

const bothHear = ([alice, bob]) => Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);

test('the proxy leaves no way but the line', () => {
  const line = { ip: '192.0.2.9', port: '5' };
  const host = 'candidate:1 1 udp 2015363327 192.0.2.1 40000 typ host';
  const tcp = 'candidate:2 1 tcp 1015363327 192.0.2.1 40000 typ host tcptype passive';
  const moved = 'candidate:1 1 udp 2015363327 192.0.2.9 5 typ host';
  const answer = ['v=0', `a=${tcp}`, `a=${host}`, `a=${host}`, 'a=mid:0', ''].join('\r\n');
  const trickled = (candidate) => ({ id: 'iceCandidate', candidate: { candidate, sdpMid: '0' } });
  assert.equal(fromServer({ id: 'callResponse', sdpAnswer: answer }, line).sdpAnswer,
    ['v=0', `a=${moved}`, 'a=mid:0', ''].join('\r\n'));
  assert.deepEqual(fromServer(trickled(host), line), trickled(moved));
  assert.deepEqual(fromServer(trickled(''), line), trickled(''));
  assert.equal(fromServer(trickled(tcp), line), null);
  assert.equal(fromBrowser({ id: 'onIceCandidate', candidate: { candidate: host } }), null);
  assert.equal(fromBrowser({ id: 'call', sdpOffer: answer }).sdpOffer, 'v=0\r\na=mid:0\r\n');
  assert.deepEqual(fromBrowser({ id: 'stop' }), { id: 'stop' });
});

test('5 % loss and 20 ms each way: both hear each other', { timeout }, async (t) => {
  await overLines({ loss: 5, delay: 20 }, async (people, lines) => {
    await pause(TALK_MS);
    await bothHear(people);
    for (const [i, person] of people.entries()) {
      const { inbound } = await person.statistics();
      const concealed = inbound.concealedSamples / inbound.totalSamplesReceived;
      t.diagnostic(`${person.name}: ${inbound.packetsLost} of ${inbound.packetsReceived} lost, `
        + `${(concealed * 100).toFixed(1)} % of the samples concealed`);
      // A tenth of the packets is lost on the two lines together.
      assert.ok(concealed < 0.25, `${person.name}: ${concealed}`);
      const { up, down } = await lines[i].stats();
      for (const way of [up, down]) {
        assert.ok(way.forwarded > 50 * (TALK_MS / 1000) * 0.8, `${person.name}: past the line? ${way.forwarded}`);
        assert.ok(way.lost_single > 0, `${person.name}: nothing was lost`);
      }
    }
  });
});

test('a blackout of 2 s: the audio is back within 3 s', { timeout }, async (t) => {
  await overLines({ delay: 20 }, async (people, lines) => {
    await Promise.all(lines.map((line) => line.command(`blackout ${BLACKOUT_MS}ms`)));
    const begin = Date.now();
    const back = await silences(people, (BLACKOUT_MS + 3000) * SLOW);
    await bothHear(people);
    t.diagnostic(`packets came again ${back.map((ms) => ms - BLACKOUT_MS).join(' and ')} ms after its end, `
      + `the tone was whole after ${Date.now() - begin - BLACKOUT_MS} ms`);
    for (const ms of back) assert.ok(ms > BLACKOUT_MS * 0.8, `${ms}: the line was not dark`);
    for (const line of lines) assert.ok((await line.stats()).up.lost_blackout > 50);
  });
});

test('a new address in the call: the audio returns', { timeout }, async (t) => {
  await overLines({ delay: 20 }, async (people, [line]) => {
    await line.command('rebind');
    const back = await silences(people, 15_000 * SLOW);
    await bothHear(people);
    t.diagnostic(`alice has a new address: she hears bob after ${back[0]} ms, he hears her after ${back[1]} ms`);
    const { rebinds, down } = await line.stats();
    assert.equal(rebinds, 1);
    t.diagnostic(`${down.lost_old_address} packets went to the old one`);
    assert.ok(down.lost_old_address < 50, `a second of audio went to the old address: ${down.lost_old_address}`);
  });
});

test('no page had a script error', () => {
  assert.deepEqual(stage.browsers.flatMap((browser) => browser.errors), []);
});
