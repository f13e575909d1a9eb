// The program under test: started on ports that the system chooses, stopped in order.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
export const binary = resolve(root, process.env.E2E_BINARY ?? 'build/release/duet');

/** Sanitizers make everything slower; time limits of tests are multiplied by this. */
export const SLOW = binary.includes('asan') ? 4 : 1;

const START_MS = 15_000 * SLOW;
const STOP_MS = 15_000 * SLOW;

/** "ready http=URL https=URL media=udp:IP:PORT": only what is on. */
export function parseReady(line) {
  const [word, ...parts] = line.trim().split(/\s+/);
  if (word !== 'ready') return null;
  return Object.fromEntries(
    parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
}

/**
 * @param {Record<string, string>} settings  key -> value, over those below
 * @param {string} program  another build than E2E_BINARY
 */
export async function startServer(settings = {}, program = binary) {
  const folder = mkdtempSync(join(tmpdir(), 'duet-state-'));
  const all = {
    'http.listen': '127.0.0.1:0',
    'https.listen': '127.0.0.1:0',
    'media.port': '0',
    'kurento.listen': '',
    'state.dir': folder,
    'log.level': 'debug',
    ...settings,
  };
  const args = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('DUET_')));
  const child = spawn(program, ['serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const server = new Server(child, folder);
  await server.started;
  return server;
}

/** The same, with the audio on another one, which ends with it. */
export async function startWithMediaServer(settings = {}) {
  const media = await startServer({ 'http.listen': '127.0.0.1:0', 'kurento.listen': '127.0.0.1:0' });
  const server = await startServer({
    'media.backend': 'kurento',
    'media.kurento_uri': media.ready.kurento,
    ...settings,
  });
  server.after = () => media.stop();
  return server;
}

class Server {
  constructor(child, folder) {
    this.child = child;
    this.pid = child.pid;
    this.folder = folder;
    /** @type {string[]} lines of standard error */
    this.log = [];
    createInterface({ input: child.stderr }).on('line', (line) => this.log.push(line));
    this.ended = new Promise((done) =>
      child.once('exit', (status, signal) => done((this.end = { status, signal }))));
    this.started = new Promise((done, fail) => {
      const timer = setTimeout(() => fail(this.failure('no "ready" line')), START_MS);
      const settle = (how, value) => (clearTimeout(timer), how(value));
      child.once('error', (error) => settle(fail, error));
      this.ended.then(() => settle(fail, this.failure('ended before "ready"')));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const ready = parseReady(line);
        if (!ready) return;
        this.ready = ready;
        settle(done);
      });
    });
    // A test run that is cut short must not leave the server behind.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    this.ended.then(() => process.off('exit', kill));
  }

  failure(what) {
    const end = this.end ? `, ${JSON.stringify(this.end)}` : '';
    return new Error(`${binary}: ${what}${end}\n${this.log.slice(-60).join('\n')}`);
  }

  /** "http://127.0.0.1:port/" */
  get page() {
    return `${this.ready.http}/`;
  }

  /** The WebSocket of a dialect: '/one2one' (Node) or '/call' (Java). */
  socket(path = '/one2one') {
    return this.ready.http.replace(/^http/, 'ws') + path;
  }

  descriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  threads() {
    return readdirSync(`/proc/${this.pid}/task`).length;
  }

  /** Resident memory [KiB]. */
  resident() {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]);
  }

  /** SIGTERM; it must end by itself with status 0. */
  async stop() {
    this.child.kill('SIGTERM');
    let timer;
    const late = new Promise((done) => (timer = setTimeout(() => done(null), STOP_MS)));
    const end = await Promise.race([this.ended, late]);
    clearTimeout(timer);
    if (!end) {
      this.child.kill('SIGABRT');
      throw this.failure(`still there ${STOP_MS} ms after SIGTERM`);
    }
    rmSync(this.folder, { recursive: true, force: true });
    await this.after?.();
    if (end.status !== 0) throw this.failure('did not end in order');
  }
}
