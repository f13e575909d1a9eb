// What a file of tests plays on: a server, pages to play in, and browsers. There before its first test,
// gone after its last.

import { after, before } from 'node:test';

import { startBrowser } from './browser.mjs';
import { startFixture } from './fixture.mjs';
import { startServer } from './server.mjs';

/**
 * @param {object} wishes
 * @param {Record<string, string>} wishes.settings  of the server
 * @param {number[]} wishes.hz  the microphone of each browser
 * @param {Record<string, string>} wishes.files  pages and scripts beside those of lib/; may be a function
 * @returns {{ fixture, server, browsers, browser }}  empty until the tests run; `browser` is the first
 */
export function useStage({ settings = {}, hz = [440, 1000], files = {} } = {}) {
  const stage = { browsers: [] };
  before(async () => {
    stage.fixture = await startFixture(typeof files === 'function' ? await files() : files);
    stage.server = await startServer(settings);
    for (const tone of hz) stage.browsers.push(await startBrowser({ hz: tone, page: stage.fixture.url }));
    stage.browser = stage.browsers[0];
  });
  after(async () => {
    for (const browser of stage.browsers) await browser.stop();
    await stage.fixture?.stop();
    await stage.server?.stop();
  });
  return stage;
}
