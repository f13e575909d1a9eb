// Pages written for the Kurento tutorials: kurento-utils 7.3.0 as published, its default
// constraints (audio and video), and the tutorial's sequence of messages. The page is our own.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hears, kurentoPage, message, messages, openTutorial } from './lib/kurento_page.mjs';
import { SLOW } from './lib/server.mjs';
import { useStage } from './lib/stage.mjs';

const timeout = 90_000 * SLOW;

const stage = useStage({ files: kurentoPage });

for (const path of ['/one2one', '/call'])
  test(`a call with default constraints at ${path}`, { timeout }, async () => {
    const alice = await openTutorial(stage.browsers[0], 'alice', stage.server.socket(path));
    const bob = await openTutorial(stage.browsers[1], 'bob', stage.server.socket(path));
    await alice.evaluate(() => call('bob'));
    const answer = await message(alice, 'callResponse');
    await message(bob, 'startCommunication');
    assert.equal(answer.response, 'accepted', JSON.stringify(answer));

    // The offer had audio and video; the answer has both lines, and video is refused (RFC 3264 §6).
    const lines = answer.sdpAnswer.match(/^m=.*$/gm);
    assert.equal(lines.length, 2);
    assert.match(lines[0], /^m=audio [1-9]/);
    assert.match(lines[1], /^m=video 0 .* \d+/);

    await hears(alice, 1000);
    await hears(bob, 440);
    await bob.evaluate(() => stop());
    await message(alice, 'stopCommunication');
    const known = ['registerResponse', 'incomingCall', 'callResponse', 'startCommunication', 'iceCandidate', 'stopCommunication'];
    for (const tab of [alice, bob])
      assert.deepEqual((await messages(tab)).filter((m) => !known.includes(m.id)), []);
    await alice.context().close();
    await bob.context().close();
  });

test('no page had a script error', () => {
  assert.deepEqual(stage.browsers.flatMap((browser) => browser.errors), []);
});
