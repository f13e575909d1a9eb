// What a file of tests plays on: pages to play in, browsers, a server. There before its first test,
// gone after its last.

import { after, before } from 'node:test';

import { startBrowser } from './browser.mjs';
import { startFixture } from './fixture.mjs';
import { startServer } from './server.mjs';

/**
 * For tests that start servers of their own.
 *
 * @param {object} wishes
 * @param {number[] | Record<string, number>} wishes.hz  the microphone of each browser
 * @param {Record<string, string>} wishes.files  pages and scripts beside those of lib/; may be a function
 * @returns {{ fixture, browsers, browser }}  empty until the tests run; `browsers` has the keys of `hz`,
 *   `browser` is the first
 */
export function useBrowsers({ hz = [440, 1000], files = {} } = {}) {
  const stage = { browsers: Array.isArray(hz) ? [] : {} };
  before(async () => {
    stage.fixture = await startFixture(typeof files === 'function' ? await files() : files);
    for (const [key, tone] of Object.entries(hz))
      stage.browsers[key] = await startBrowser({ hz: tone, page: stage.fixture.url });
    [stage.browser] = Object.values(stage.browsers);
  });
  after(async () => {
    for (const browser of Object.values(stage.browsers)) await browser.stop();
    await stage.fixture?.stop();
  });
  return stage;
}

/**
 * @param {object} wishes  as of useBrowsers, and
 * @param {Record<string, string>} wishes.settings  of the server
 * @returns as useBrowsers, with `server`
 */
export function useStage({ settings = {}, ...wishes } = {}) {
  const stage = useBrowsers(wishes);
  before(async () => (stage.server = await startServer(settings)));
  after(() => stage.server?.stop());
  return stage;
}
