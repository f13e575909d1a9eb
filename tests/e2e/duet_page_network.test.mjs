// A network that goes away in a call and comes back, as two people see it in Duet's own page: one is
// behind a line that carries nothing for a while, neither audio nor messages; the other only hears
// that nothing comes. E2E_PICTURES=folder keeps a picture of each state, on a phone and on a desk.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { startLine } from './lib/impair.mjs';
import { SLOW, startServer } from './lib/server.mjs';
import { pause } from './lib/wait.mjs';
import { DESKTOP, inPhase, launchBrowser, openPage, PHONE } from './page/browser.mjs';

const timeout = 180_000 * SLOW;
const AWAY_MS = 8000;

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([startServer({ 'media.workers': '1' }), launchBrowser()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function arrive(name, url, viewport) {
  const page = await openPage(browser, { viewport });
  await page.goto(url);
  await page.locator('#name').fill(name);
  await page.locator('#register').click();
  await inPhase(page, 'ready');
  return page;
}

const quality = (page, level) =>
  page.waitForFunction((wanted) => document.getElementById('quality').dataset.level === wanted, level, { timeout: 90_000 * SLOW });

async function picture(page, name) {
  const folder = process.env.E2E_PICTURES;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}

/** What somebody with closed eyes is told, from now on. */
const listenTo = (page) => page.evaluate(() => {
  globalThis.told = [];
  for (const region of document.querySelectorAll('[aria-live]'))
    new MutationObserver(() => globalThis.told.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
});

for (const [name, hers, his] of [['phone', PHONE, DESKTOP], ['desk', DESKTOP, PHONE]]) {
  test(`eight seconds without a network, on a ${name}`, { timeout }, async () => {
    const line = await startLine(server);
    const alice = await arrive('alice', `${line.url}/`, hers);
    const bob = await arrive('bob', `${server.ready.http}/`, his);
    try {
      await alice.locator('#peer').fill('bob');
      await alice.locator('#call').click();
      await bob.locator('#answer').click();
      for (const page of [alice, bob]) await quality(page, 'good');
      await picture(alice, `${name}-1-good`);
      for (const page of [alice, bob]) await listenTo(page);

      await line.cut();
      await quality(alice, 'lost');
      await picture(alice, `${name}-2-lost`);
      assert.match(await alice.locator('#quality').innerText(), /Reconnecting…/);
      await pause(AWAY_MS);
      assert.equal(await alice.evaluate(() => document.body.dataset.phase), 'talking');
      await picture(alice, `${name}-3-still-lost`);
      await bob.getByText('alice’s connection is poor', { exact: true }).waitFor(); // it is said aloud, too
      await picture(bob, `${name}-4-the-other-one`);

      await line.mend();
      for (const page of [alice, bob]) await quality(page, 'good');
      await picture(alice, `${name}-5-again`);
      for (const page of [alice, bob])
        await page.waitForFunction(() => /scaleX\(0\.[2-9]|scaleX\(1/.test(document.getElementById('level-them').style.transform));
      assert.match((await alice.evaluate(() => globalThis.told)).join('\n'), /Reconnect/);
      await alice.locator('#hang-up').click();
      await inPhase(bob, 'ended');
      assert.deepEqual([...alice.problems, ...bob.problems], []);
    } finally {
      await Promise.all([alice.context().close(), bob.context().close()]);
      await line.stop();
    }
  });
}
