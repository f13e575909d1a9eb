// What a bad line leaves to be heard: a short form of bench/quality with bounds that a build without
// repair does not keep. Exact figures of repair are in tests/sim/loss_is_repaired.c, in virtual time.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageUser, talk } from './lib/browser.mjs';
import { startLine } from './lib/impair.mjs';
import { useStage } from './lib/stage.mjs';
import { pause } from './lib/wait.mjs';

const START_MS = 5000; // jitter buffers and reports settle
const TALK_MS = 12_000;

const stage = useStage({ settings: { 'media.workers': '1' }, hz: [440] });

/** What one of them heard since `before`. */
function heard(after, before) {
  const of = (name) => (after.inbound[name] ?? 0) - (before.inbound[name] ?? 0);
  return {
    concealed: of('concealedSamples') / of('totalSamplesReceived'),
    missing: of('packetsLost') / (of('packetsLost') + of('packetsReceived')),
    fec: of('fecPacketsReceived'),
  };
}

/** What two lines together lose on the way from one person to the other. */
function lostBetween(up, down) {
  const passed = ({ received, lost_single, lost_burst }) => 1 - (lost_single + lost_burst) / received;
  return 1 - passed(up) * passed(down);
}

/** A call of two, each behind a line of their own. @return what each of them heard, and what the lines lost */
async function listen(name, conditions) {
  const lines = [
    await startLine(stage.server, { ...conditions, seed: 1 }),
    await startLine(stage.server, { ...conditions, seed: 2 }),
  ];
  const people = [
    await PageUser.open(stage.browser, `alice ${name}`, lines[0].socket()),
    await PageUser.open(stage.browser, `bob ${name}`, lines[1].socket()),
  ];
  try {
    for (const person of people) await person.register();
    await talk(...people);
    await pause(START_MS);
    const before = await Promise.all(people.map((person) => person.statistics()));
    await pause(TALK_MS);
    const after = await Promise.all(people.map((person) => person.statistics()));
    const [a, b] = await Promise.all(lines.map((line) => line.stats()));
    await people[0].client('stop');
    const lost = [lostBetween(b.up, a.down), lostBetween(a.up, b.down)];
    return people.map((_, i) => ({ ...heard(after[i], before[i]), lost: lost[i] }));
  } finally {
    for (const person of people) await person.close();
    for (const line of lines) await line.stop();
  }
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const mean = (both, name) => both.reduce((sum, one) => sum + one[name], 0) / both.length;

// Two ways to repair: a packet that is sent again is not missing, one that the next one repeats (RED) is
// missing, but nothing is concealed. A busy browser sends less again, and conceals what it had no time to
// play; but without repair both are all that the lines lost.
function check(t, both) {
  t.diagnostic(`concealed ${both.map((one) => percent(one.concealed)).join(' and ')}, `
    + `never came ${both.map((one) => `${percent(one.missing)} of ${percent(one.lost)} lost`).join(' and ')}, `
    + `FEC in ${both.map((one) => one.fec).join(' and ')}`);
  const left = Math.min(mean(both, 'missing'), mean(both, 'concealed'));
  assert.ok(left < 0.7 * mean(both, 'lost'), `not repaired: ${percent(left)} of ${percent(mean(both, 'lost'))}`);
  assert.ok(mean(both, 'concealed') < 0.25, `concealed: ${percent(mean(both, 'concealed'))}`);
}

test('bad lines are repaired', { timeout: 90_000 }, async (t) => {
  const [loss, bursts] = await Promise.all([
    listen('loss', { delay: 20, loss: 10 }),
    listen('bursts', { delay: 20, 'burst-p': 2, 'burst-r': 30 }),
  ]);
  await t.test('10 % loss on each line', (one) => {
    check(one, loss);
    // Told of the whole way's loss, the browsers protect what they send.
    assert.ok(loss[0].fec + loss[1].fec > 200, `FEC: ${loss[0].fec} and ${loss[1].fec}`);
  });
  await t.test('bursts: 6 % on each line, three in a row', (one) => check(one, bursts));
});

test('no page had a script error', () => {
  assert.deepEqual(stage.browser.errors, []);
});
