// One of two people is on a bad line: both pages say whose it is, and the server's log does.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser } from './lib/browser.mjs';
import { fromBrowser, fromServer, machineAddress, startImpair } from './lib/impair.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const timeout = 120_000 * SLOW;

/** Reports of the other end come every five seconds, questions too; better is said after eight. */
const SOON = 30_000 * SLOW;

let server;
let browser;
let line;

before(async () => {
  server = await startServer({ 'media.workers': '1' });
  line = await startImpair({ ip: machineAddress(), port: server.ready.media.split(':').at(-1) });
  browser = await startBrowser({ hz: 440, page: server.page });
});

after(async () => {
  await browser?.stop();
  await line?.stop();
  await server?.stop();
});

/** The server's page; with `over`, its media goes over that line and no other way. */
async function join(name, over) {
  const tab = await browser.open();
  if (over) {
    await tab.routeWebSocket(/one2one/, (socket) => {
      const upstream = socket.connectToServer();
      const pass = (to, message) => message && to.send(JSON.stringify(message));
      socket.onMessage((data) => pass(upstream, fromBrowser(JSON.parse(data))));
      upstream.onMessage((data) => pass(socket, fromServer(JSON.parse(data), over.address)));
    });
  }
  tab.heard = listen(tab);
  await tab.goto(server.page);
  await tab.getByLabel('Your name').fill(name);
  await tab.locator('#register').click();
  await tab.locator('#peer').waitFor();
  return tab;
}

/** What the server last said to a page that has no proxy in between: { you, them }. */
function listen(tab) {
  const heard = { last: null };
  tab.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => {
    const message = JSON.parse(payload);
    if (message.id === 'quality') heard.last = message;
  }));
  return heard;
}

const word = (tab) => tab.locator('#quality-word').textContent();
const isLoss = ({ trouble }) => trouble?.startsWith('loss') ?? false;

test('the bad line has a name, on both pages and in the log', { timeout }, async (t) => {
  const alice = await join('alice', line);
  const bob = await join('bob');
  const { heard } = bob;
  await alice.locator('#peer').fill('bob');
  await alice.locator('#call').click();
  await bob.locator('#answer').click();
  for (const tab of [alice, bob]) await tab.locator('#hang-up').waitFor();
  await until('the first word of the server', () => heard.last, SOON, 200);
  assert.ok(!isLoss(heard.last.you) && !isLoss(heard.last.them), JSON.stringify(heard.last));

  // So much is lost that asking again does not bring it back.
  await line.command('up loss 60');
  await until('alice is to blame', () => isLoss(heard.last.them), SOON, 200);
  assert.ok(!isLoss(heard.last.you), JSON.stringify(heard.last));
  // A machine that is busy is a bad line for both: then it says so.
  await until('bob reads it', async () => /^(alice’s connection is|Both connections are) /.test(await word(bob)), SOON, 200);
  await until('alice reads it', async () => /^(Your connection is|Both connections are) /.test(await word(alice)), SOON, 200);
  await line.command('clear');
  await until('nothing is lost any more', () => !isLoss(heard.last.them), SOON, 200);

  await bob.locator('#hang-up').click();
  await alice.locator('[data-view=ended]').waitFor();
  const told = (leg) => server.log.find((text) => text.includes(leg) && / line \w+.*; up: \d+ packets/.test(text));
  await until('both lines of the log', async () => told('caller') && told('callee'), 5000 * SLOW);
  for (const leg of ['caller', 'callee']) t.diagnostic(told(leg).replace(/^.* leg=/, ''));
  // The log's word is about the whole call, of which the bad time is a part: repair may have saved it.
  assert.match(told('caller'),
    /line (good|(fair|poor) \(loss-up\)), heard with MOS [1-4]\.\d; up: .* lost \d+\.\d % \(\d+\.\d % after repair\)/);
  const lost = (leg) => Number(/; up: .*? lost (\d+\.\d) %/.exec(told(leg))[1]);
  assert.ok(lost('caller') > 3 && lost('callee') < 1, 'whose line lost packets');
  assert.match(told('callee'), /heard with MOS [34]\.\d; up: .*talked \d+ % at -\d+ dBov.*; down: .*concealed/);
  assert.doesNotMatch(told('callee'), /\(loss/, 'what the caller lost is not the fault of the callee');
  assert.deepEqual(browser.errors, []);
});
