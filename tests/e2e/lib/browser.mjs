// Chromium with a tone for a microphone, and users in its pages.

import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

import { tone, writeSound } from './tones.mjs';
import { untilInPage } from './wait.mjs';

const BINARIES = [process.env.E2E_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];

const flags = (wav) => [
  '--no-sandbox', // as root there is no other way
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  ...(wav ? [`--use-file-for-fake-audio-capture=${wav}`] : []),
];

/**
 * A browser process of its own, with a fresh profile.
 * @param {{ hz?: number, sound?: Int16Array, page: string }} o  hz: the microphone's tone, or sound:
 *     what it hears instead, 48 kHz, in a loop; page: URL of the fixture server
 */
export async function startBrowser({ hz, sound = hz && tone(hz), page }) {
  const folder = mkdtempSync(join(tmpdir(), 'duet-e2e-'));
  const wav = sound && join(folder, 'microphone.wav');
  if (wav) writeSound(wav, sound);
  const browser = await chromium.launch({
    executablePath: BINARIES.find((path) => path && existsSync(path)),
    headless: true,
    args: flags(wav),
  });
  const errors = [];
  return {
    hz,
    errors,
    /** A fresh page; `path` below the fixture server, or a whole URL. */
    async open(path = '') {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const opened = await context.newPage();
      opened.on('pageerror', (error) => errors.push(error.message));
      await opened.goto(new URL(path, page).href);
      return opened;
    },
    async stop() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A handle to a User that lives in a page: what a test says to one person's browser. */
export class PageUser {
  /** @param page  one that other users live in, too; without, it is one of its own */
  static async open(browser, name, url, { page, ...options } = {}) {
    const home = page ?? await browser.open();
    await home.evaluate(() => import('/page.mjs'));
    const user = await home.evaluateHandle(
      ([to, with_]) => new duet.User(to, with_), [url, options]);
    return new PageUser(home, user, name, options.hz ?? browser.hz);
  }

  constructor(page, user, name, hz) {
    Object.assign(this, { page, user, name, hz });
  }

  /** Run a method of the page's Client. */
  client(method, ...args) {
    return this.user.evaluate((u, [m, a]) => u.client[m](...a), [method, args]);
  }

  async register() {
    const answer = await this.client('register', this.name);
    if (answer.response !== 'accepted') throw new Error(`register: ${JSON.stringify(answer)}`);
  }

  call(to) {
    return this.client('call', to);
  }

  expect(id, ms) {
    return this.client('expect', id, ms);
  }

  statistics() {
    return this.user.evaluate((u) => u.statistics());
  }

  received() {
    return this.user.evaluate((u) => u.client.received);
  }

  /** Share of what is heard now that is the tone `hz`. */
  share(hz) {
    return this.user.evaluate((u, f) => duet.share(u.ears, f), hz);
  }

  hears(hz, ms = 15_000) {
    return untilInPage(`${this.name} hears ${hz} Hz`, this.page, ([u, f]) => duet.hears(u.ears, f), [this.user, hz], ms);
  }

  close() {
    return this.page.context().close();
  }
}

/** Ring, accept, and wait until both hear each other. */
export async function talk(caller, callee) {
  await caller.call(callee.name);
  await callee.expect('incomingCall');
  await callee.client('accept');
  await callee.expect('startCommunication');
  const answer = await caller.expect('callResponse');
  if (answer.response !== 'accepted') throw new Error(`call: ${JSON.stringify(answer)}`);
  await Promise.all([caller.hears(callee.hz), callee.hears(caller.hz)]);
  return answer;
}
