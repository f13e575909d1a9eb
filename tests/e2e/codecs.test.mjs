// What the two of a call agree on besides Opus as it is by default: a telephone that knows G.711
// only, keys, silence that is not sent, FEC, and a rate that follows the line.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { PageUser, talk } from './lib/browser.mjs';
import { isHeard } from './lib/hearing.mjs';
import { startLine } from './lib/impair.mjs';
import { SLOW } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';
import * as ulaw from './lib/ulaw.mjs';
import { pause, until } from './lib/wait.mjs';
import { WeriftUser } from './lib/werift.mjs';

const timeout = 120_000 * SLOW;
const TONES_OF_5 = [770, 1336]; // ITU-T Q.23

// Without RED, which doubles every rate here and has what Opus' own FEC would bring.
const stage = useStage({ settings: { 'media.workers': '1', 'media.red': 'false' }, hz: [440] });

const opened = [];
afterEach(async () => {
  for (const user of opened.splice(0)) await user.close();
});

async function open(name, { socket = stage.server.socket(), ...options } = {}) {
  const user = await PageUser.open(stage.browser, name, socket, options);
  opened.push(user);
  await user.register();
  return user;
}

/** Let the page's offers pass through `change`, the text of a function of SDP. */
const changeOffers = (user, change) => user.user.evaluate((u, text) => {
  const change_ = new Function('sdp', `return ${text}`);
  const make = u.client.makePeer;
  u.client.makePeer = async () => {
    const pc = await make();
    const create = pc.createOffer.bind(pc);
    pc.createOffer = async () => ({ type: 'offer', sdp: change_((await create()).sdp) });
    return pc;
  };
}, change);

const pressKeys = (user, keys, ms) => user.user.evaluate((u, [k, d]) =>
  u.client.pc.getSenders()[0].dtmf.insertDTMF(k, d, 100), [keys, ms]);

const answerOf = (user) => user.user.evaluate((u) => u.client.pc.remoteDescription.sdp);

/** Packets and kilobits that a user sent in each second of the next `ms`. */
async function sends(user, ms) {
  const { outbound: a } = await user.statistics();
  await pause(ms);
  const { outbound: b } = await user.statistics();
  const seconds = (b.timestamp - a.timestamp) / 1000;
  return {
    packets: (b.packetsSent - a.packetsSent) / seconds,
    kbit: ((b.bytesSent - a.bytesSent) * 8) / 1000 / seconds,
  };
}

test('a telephone and a browser speak G.711, and keys arrive', { timeout }, async () => {
  const alice = await open('alice');
  const phone = new WeriftUser('phone', stage.server.socket(), { kind: 'pcmu', hz: 1000 });
  opened.push(phone);
  assert.equal((await phone.client.register('phone')).response, 'accepted');
  await alice.call('phone');
  await phone.client.expect('incomingCall');
  await phone.client.accept();
  await phone.client.expect('startCommunication');
  assert.equal((await alice.expect('callResponse')).response, 'accepted');
  await phone.connected();
  phone.speak();
  await alice.hears(1000, 20_000 * SLOW);
  assert.match(await answerOf(alice), /^m=audio \d+ \S+ 0 126\r$/m);

  await until('the phone hears 440 Hz', () => {
    const voice = phone.heard.filter((_, i) => phone.headers[i].type === 0).slice(-30);
    const samples = voice.flatMap((payload) => [...payload].map(ulaw.decode));
    return voice.length === 30 && isHeard({ rate: ulaw.RATE, samples }, 440);
  }, 10_000 * SLOW);

  await pressKeys(alice, '159', 200);
  /** The packets of each key: they share their timestamp (RFC 4733 §2.3.5). */
  const keys = () => {
    const found = new Map();
    phone.headers.forEach(({ type, timestamp }, i) => {
      if (type === 101) found.set(timestamp, [...(found.get(timestamp) ?? []), phone.heard[i]]);
    });
    return [...found.values()];
  };
  const isOver = (packets) => packets.some((payload) => payload[1] & 0x80);
  await until('three keys', () => keys().length === 3 && keys().every(isOver), 10_000 * SLOW);
  assert.deepEqual(keys().map(([first]) => first[0]), [1, 5, 9]);
  for (const packets of keys()) {
    const durations = packets.map((payload) => payload.readUInt16BE(2));
    assert.deepEqual(durations, [...durations].sort((a, b) => a - b), 'the duration grows');
    assert.ok(Math.abs(durations.at(-1) - 0.2 * 8000) < 400, `${durations.at(-1)} for 200 ms`);
  }
  assert.equal((await alice.statistics()).inbound.packetsLost, 0);
});

test('a key that one browser presses the other one hears', { timeout }, async () => {
  const alice = await open('alice');
  const bob = await open('bob', { hz: 1000 });
  await talk(alice, bob);
  await pressKeys(alice, '5555', 1000);
  // Looked at in the page: the samples would take longer on their way than a key is pressed.
  await until('both tones of the key', () => bob.user.evaluate((u, tones) => {
    const { analyser } = u.ears;
    const db = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(db);
    const bin = (hz) => Math.round((hz * analyser.fftSize) / analyser.context.sampleRate);
    return tones.every((hz) => Math.max(...db.slice(bin(hz) - 4, bin(hz) + 5)) > -45);
  }, TONES_OF_5), 10_000 * SLOW);
  await bob.hears(440); // the voice is back
  assert.equal((await bob.statistics()).inbound.packetsLost, 0);
});

test('who asks for DTX is sent nothing in silence, and counts no loss', { timeout }, async (t) => {
  const alice = await open('alice');
  const bob = await open('bob', { hz: 1000 });
  await changeOffers(bob, "sdp.replace('useinbandfec=1', 'useinbandfec=1;usedtx=1')");
  await talk(alice, bob);
  assert.match(await answerOf(alice), /^a=fmtp:111 .*usedtx=1/m);
  assert.doesNotMatch(await answerOf(bob), /usedtx/);
  const mute = (on) => alice.user.evaluate((u, is) => {
    u.client.pc.getSenders()[0].track.enabled = !is;
  }, on);
  await mute(true);
  await until('silence', async () => (await sends(alice, 1000)).packets < 10, 10_000 * SLOW);
  const silent = await sends(alice, 4000);
  t.diagnostic(`${silent.packets.toFixed(1)} packets/s in silence`);
  assert.ok(silent.packets < 10, `${silent.packets}`);
  assert.ok((await sends(bob, 1000)).packets > 40, 'bob was not asked to');
  await mute(false);
  await bob.hears(440);
  const { inbound } = await bob.statistics();
  assert.equal(inbound.packetsLost, 0);
  assert.ok(!inbound.nackCount, `${inbound.nackCount} requests for what was never sent`);
});

test('FEC is sent where packets are lost', { timeout }, async (t) => {
  const line = await startLine(stage.server, { 'up-loss': 15, delay: 20, seed: 1 });
  try {
    const alice = await open('alice', { socket: line.socket() });
    const bob = await open('bob', { hz: 1000 });
    await talk(alice, bob);
    assert.match(await answerOf(alice), /^a=fmtp:111 .*useinbandfec=1/m);
    const fec = async () => (await bob.statistics()).inbound.fecPacketsReceived ?? 0;
    await until('redundancy', async () => (await fec()) > 50, 30_000 * SLOW);
    t.diagnostic(`${await fec()} packets had it`);
  } finally {
    await line.stop();
  }
});

test('the rate follows a thin line down and up again', { timeout }, async (t) => {
  const line = await startLine(stage.server, { delay: 20, seed: 1 });
  try {
    const alice = await open('alice', { socket: line.socket() });
    const bob = await open('bob', { hz: 1000 });
    await alice.user.evaluate((u) => {
      const make = u.client.makePeer;
      u.client.makePeer = async () => {
        const pc = await make();
        const [sender] = pc.getSenders();
        const parameters = sender.getParameters();
        // Chromium: without this the least rate of audio is the highest one.
        Object.assign(parameters.encodings[0], { adaptivePtime: true, maxBitrate: 64_000 });
        await sender.setParameters(parameters);
        return pc;
      };
    });
    await talk(alice, bob);
    assert.match(await answerOf(alice), /^a=rtcp-fb:111 transport-cc\r$/m);
    const state = async () => {
      const { outbound, pair } = await alice.statistics();
      return { target: outbound.targetBitrate, line: pair.availableOutgoingBitrate };
    };
    await until('full rate', async () => (await state()).target === 64_000, 20_000 * SLOW);
    await line.command('up rate 40');
    await until('less', async () => (await state()).target < 30_000, 20_000 * SLOW);
    const thin = await state();
    t.diagnostic(`40 kbit/s: Opus ${thin.target}, estimate ${Math.round(thin.line)}`);
    assert.ok(thin.line < 60_000, `estimate ${thin.line}`);
    await line.command('up clear');
    await until('full rate again', async () => (await state()).target === 64_000, 40_000 * SLOW);
    await bob.hears(440);
  } finally {
    await line.stop();
  }
});

test('no page had a script error', () => {
  assert.deepEqual(stage.browser.errors, []);
});
