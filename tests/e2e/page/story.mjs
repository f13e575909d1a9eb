/** One test of the page: a browser that all tests of the file share, a server and a page of its own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage } from './browser.mjs';
import { FakeServer } from './fake-server.mjs';

/** That of the test that runs. */
export let server;

/** For what wants a second page. */
export let browser;

before(async () => {
    browser = await launchBrowser();
});

after(() => browser?.close());

/**
 * A page for one test; it must end without a script error or a violation of the policy.
 *
 * @param {string} name
 * @param {object} wishes  of openPage
 * @param {(page: import('playwright-core').Page) => Promise<void>} play
 */
export function story(name, wishes, play) {
    test(name, { timeout: 120000 }, async () => {
        /* One of its own: a page of the story before may still be knocking at the other. */
        server = await FakeServer.start();
        const page = await openPage(browser, wishes);
        try {
            await play(page);
            assert.deepEqual(page.problems, []);
        } finally {
            await page.context().close();
            await server.stop();
        }
    });
}
