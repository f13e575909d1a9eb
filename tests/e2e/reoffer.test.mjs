// Later offers in a call: ICE restarts over a line that lives and over one that dies, hold, and what
// the server refuses. Chromium, and werift as a second stack.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageUser, talk } from './lib/browser.mjs';
import { startLine } from './lib/impair.mjs';
import { SLOW } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';
import { pause, until } from './lib/wait.mjs';
import { compare, WeriftUser, weriftTalk } from './lib/werift.mjs';

const timeout = 90_000 * SLOW;
const BLACKOUT_MS = 5000;

const stage = useStage({ settings: { 'media.workers': '1' } });

/** A call of two of which alice is behind a line; `run` gets her, bob, and the line. */
async function overLine(conditions, run) {
  const line = await startLine(stage.server, conditions);
  const people = [
    await PageUser.open(stage.browsers[0], 'alice', line.socket()),
    await PageUser.open(stage.browsers[1], 'bob', stage.server.socket()),
  ];
  try {
    for (const person of people) await person.register();
    await talk(...people);
    await run(...people, line);
    await people[0].client('stop');
    assert.equal((await people[1].expect('stopCommunication')).reason, 'hang-up');
  } finally {
    for (const person of people) await person.close();
    await line.stop();
  }
}

const inbound = async (person) => (await person.statistics()).inbound;
const ufrag = async (person) => (await person.statistics()).transport.iceLocalUsernameFragment;

test('restartIce() while the old way works: nothing is lost', { timeout }, async (t) => {
  await overLine({ delay: 20 }, async (alice, bob) => {
    await pause(2000);
    const before = { alice: await inbound(alice), bob: await inbound(bob) };
    const old = await ufrag(alice);
    const answer = await alice.client('reoffer');
    assert.equal(answer.response, 'accepted');
    await until('alice has another way', async () => (await ufrag(alice)) !== old, 10_000 * SLOW);
    await pause(6000); // longer than the old way is kept
    const after = { alice: await inbound(alice), bob: await inbound(bob) };
    for (const name of ['alice', 'bob']) {
      const packets = after[name].packetsReceived - before[name].packetsReceived;
      const lost = after[name].packetsLost - before[name].packetsLost;
      const concealed = (after[name].concealedSamples - before[name].concealedSamples)
        / (after[name].totalSamplesReceived - before[name].totalSamplesReceived);
      t.diagnostic(`${name}: ${packets} packets, ${lost} lost, ${(concealed * 100).toFixed(2)} % concealed`);
      assert.equal(lost, 0, name);
      assert.ok(packets > 250, `${name}: ${packets}`);
      assert.equal(after[name].ssrc, before[name].ssrc);
    }
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  });
});

test('5 s of darkness and a new address: a restart brings the audio back', { timeout }, async (t) => {
  await overLine({ delay: 20 }, async (alice, bob, line) => {
    await line.command(`blackout ${BLACKOUT_MS}ms`);
    await line.command('rebind');
    await pause(BLACKOUT_MS);
    const heard = { alice: (await inbound(alice)).packetsReceived, bob: (await inbound(bob)).packetsReceived };
    const begin = Date.now();
    assert.equal((await alice.client('reoffer')).response, 'accepted');
    const back = await Promise.all(Object.entries({ alice, bob }).map(async ([name, person]) => {
      await until(`${name} receives again`,
        async () => (await inbound(person)).packetsReceived > heard[name] + 5, 5000 * SLOW, 20);
      return Date.now() - begin;
    }));
    t.diagnostic(`packets came again ${back[0]} ms (alice) and ${back[1]} ms (bob) after the offer`);
    for (const ms of back) assert.ok(ms < 3000 * SLOW, `${ms}`);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  });
});

test('hold and resume without a restart', { timeout }, async () => {
  await overLine({}, async (alice, bob) => {
    const turn = (direction) => alice.user.evaluate((u, to) => {
      [u.client.pc.getTransceivers()[0].direction] = [to];
    }, direction);
    const heard = async () => (await inbound(alice))?.packetsReceived ?? 0; // held, it has no statistics
    await turn('sendonly');
    const held = await alice.client('reoffer', { restart: false });
    assert.match(held.sdpAnswer, /a=recvonly/);
    await pause(500);
    const before = await heard();
    await pause(1000);
    assert.equal(await heard(), before);
    await bob.hears(alice.hz);
    await turn('sendrecv');
    assert.match((await alice.client('reoffer', { restart: false })).sdpAnswer, /a=sendrecv/);
    await until('alice receives again', async () => (await heard()) > before + 50, 5000 * SLOW);
    // Chromium gives a resumed track to Web Audio as silence: its decoder is asked instead of our ears.
    const again = await inbound(alice);
    assert.ok(again.audioLevel > 0.05, `${again.audioLevel}`);
    assert.equal(again.packetsLost, 0);
    await bob.hears(alice.hz);
  });
});

test('another certificate is refused, and the call goes on', { timeout }, async () => {
  await overLine({}, async (alice, bob) => {
    await alice.user.evaluate((u) => {
      const { pc } = u.client;
      const create = pc.createOffer.bind(pc);
      pc.createOffer = async () => {
        const { type, sdp } = await create();
        return { type, sdp: sdp.replace(/(a=fingerprint:sha-256 )..:..:/g, '$100:11:') };
      };
    });
    await alice.user.evaluate((u) => {
      // Chromium itself would not set such an offer: only the server shall judge it.
      u.client.pc.setLocalDescription = async () => {};
    });
    const refused = await alice.client('reoffer');
    assert.equal(refused.response, 'rejected');
    assert.equal(refused.reason, 'invalid-offer');
    assert.match(refused.message, /a=fingerprint/);
    await Promise.all([alice.hears(bob.hz), bob.hears(alice.hz)]);
  });
});

test('werift: a restart on each side, byte for byte', { timeout }, async () => {
  const users = ['carol', 'dave'].map((name) => new WeriftUser(name, stage.server.socket()));
  const [carol, dave] = users;
  try {
    for (const user of users) assert.equal((await user.client.register(user.name)).response, 'accepted');
    await weriftTalk(carol, dave);
    await until('both are heard', () => carol.heard.length > 100 && dave.heard.length > 100, 20_000 * SLOW);
    for (const user of users) {
      const ufragOf = (sdp) => /a=ice-ufrag:(\S+)/.exec(sdp)[1];
      const before = ufragOf(user.client.pc.remoteDescription.sdp);
      const answer = await user.client.reoffer();
      assert.equal(answer.response, 'accepted');
      assert.notEqual(ufragOf(answer.sdpAnswer), before);
      const heard = users.map((u) => u.heard.length);
      await until('both are heard on', () => users.every((u, i) => u.heard.length > heard[i] + 150), 20_000 * SLOW);
    }
    for (const [from, to] of [[carol, dave], [dave, carol]]) {
      // werift gives its own way up when it restarts and sends nothing until it has another one; what
      // comes afterwards it hands out twice. So: gaps are its own, and a number has one payload.
      const payloads = new Map();
      to.headers.forEach(({ sequence }, i) => {
        const payload = to.heard[i].toString('hex');
        assert.equal(payloads.get(sequence) ?? payload, payload);
        payloads.set(sequence, payload);
      });
      const sent = new Set(from.sent.map((payload) => payload.toString('hex')));
      assert.ok([...payloads.values()].every((payload) => sent.has(payload)));
      assert.equal(new Set(payloads.values()).size, payloads.size);
      const last = [...payloads.values()].slice(-50).map((hex) => Buffer.from(hex, 'hex'));
      assert.equal(compare(from.sent, last).error, undefined);
      assert.equal(new Set(to.headers.map((h) => h.ssrc)).size, 1);
    }
  } finally {
    for (const user of users) user.close();
  }
});

test('no page had a script error', () => {
  assert.deepEqual(stage.browsers.flatMap((browser) => browser.errors), []);
});
