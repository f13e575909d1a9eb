// A bad line between one person's browser and the server: duet-impair carries the media, and a
// proxy of the signaling tells both ends no other way than over it.
//
//    browser ── WebSocket ──► proxy ──► server        candidates of the server become the line's,
//       └── media ──► duet-impair ──► server          those of the browser are kept back
//
// The browser's own candidates must not reach the server: it would check them directly, and a
// perfect way past the line is what ICE would choose.

import { spawn } from 'node:child_process';
import { createServer, request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = process.env.E2E_IMPAIR
  ?? resolve(dirname(resolve(root, process.env.E2E_BINARY ?? 'build/release/duet')), 'duet-impair');

/** An address that browser and server both use: that of an interface, else loopback. */
export function machineAddress() {
  const all = Object.values(networkInterfaces()).flat().filter((a) => a.family === 'IPv4');
  return (all.find((a) => !a.internal) ?? all[0]).address;
}

/** "candidate:1 1 udp 2130706431 IP PORT typ host" with another address; null when not UDP. */
export function moveCandidate(text, { ip, port }) {
  const [foundation, component, transport, priority, , , ...rest] = text.split(' ');
  if (transport?.toLowerCase() !== 'udp') return null;
  return [foundation, component, transport, priority, ip, port, ...rest].join(' ');
}

/** The server's answer with one candidate, the line. */
export function moveAnswer(sdp, line) {
  let moved = false;
  return sdp.split('\r\n').flatMap((text) => {
    if (!text.startsWith('a=candidate:')) return [text];
    const candidate = moved ? null : moveCandidate(text, line);
    moved ||= candidate !== null;
    return candidate ? [candidate] : [];
  }).join('\r\n');
}

/** A message of the server, as the browser shall see it; null = not at all. */
export function fromServer(message, line) {
  if (message.sdpAnswer) return { ...message, sdpAnswer: moveAnswer(message.sdpAnswer, line) };
  if (message.id !== 'iceCandidate' || !message.candidate.candidate) return message;
  const candidate = moveCandidate(message.candidate.candidate, line);
  return candidate && { ...message, candidate: { ...message.candidate, candidate } };
}

/** A message of the browser, as the server shall see it; null = not at all. */
export function fromBrowser(message) {
  if (message.id === 'onIceCandidate' && message.candidate?.candidate) return null;
  if (!message.sdpOffer) return message;
  return { ...message, sdpOffer: withoutCandidates(message.sdpOffer) };
}

/** Of all candidates in an SDP the first that is IPv4 and UDP: { ip, port }, or null. */
export function firstCandidate(sdp) {
  const found = /^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) /im.exec(sdp);
  return found && { ip: found[1], port: found[2] };
}

export const withoutCandidates = (sdp) =>
  sdp.split('\r\n').filter((text) => !text.startsWith('a=candidate:')).join('\r\n');

/**
 * duet-impair alone.
 *
 * @param {{ ip: string, port: string | number }} server  where it leads to
 * @param {Record<string, string | number>} conditions  options of duet-impair: { loss: 5, 'up-delay': 20 }
 */
export async function startImpair(server, conditions = {}) {
  const impair = new Impair(server, conditions);
  await impair.started;
  return impair;
}

class Impair {
  constructor({ ip, port }, conditions) {
    const options = Object.entries(conditions).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    this.child = spawn(program, ['--listen', `${machineAddress()}:0`, '--server', `${ip}:${port}`, ...options],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    this.waiting = []; // for a line of its output, in order
    createInterface({ input: this.child.stdout }).on('line', (text) => this.waiting.shift()?.take(text));
    this.ended = new Promise((done) => {
      this.child.once('exit', done);
      this.child.once('error', (error) => done(error.message)); // not there, most likely
    });
    const kill = () => this.child.kill('SIGKILL');
    process.once('exit', kill);
    this.ended.then((status) => {
      process.off('exit', kill);
      for (const { fail } of this.waiting) fail(new Error(`${program} ended: ${status}`));
    });
    this.started = this.ready();
  }

  output() {
    return new Promise((take, fail) => {
      this.waiting.push({ take, fail });
    });
  }

  async ready() {
    const [, ip, port] = /^ready listen=(.*):(\d+)$/.exec(await this.output());
    /** Where clients send to: { ip, port }. */
    this.address = { ip, port };
  }

  /** 'loss 10', 'up delay 50ms', 'blackout 2s', 'rebind': see duet-impair --help. */
  async command(text) {
    const answer = this.output();
    this.child.stdin.write(`${text}\n`);
    if ((await answer).startsWith('error')) throw new Error(`${text}: ${await answer}`);
    return answer;
  }

  /** The counters: { up: { received, forwarded, lost_single, … }, down: … }. */
  async stats() {
    return JSON.parse(await this.command('stats'));
  }

  async stop() {
    this.child.kill('SIGTERM');
    const status = await this.ended;
    if (status !== 0) throw new Error(`duet-impair ended with ${status}`);
  }
}

/** Hand a request for the page on to the server. */
function fetchFrom(site, { method, url, headers }, response) {
  request(new URL(url, site), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  }).on('error', () => response.destroy()).end();
}

/**
 * A line, and the proxy of page and signaling that leads people onto it.
 *
 * @param {Server} server  of lib/server.mjs, started with 'media.workers': '1': there is one port
 */
export async function startLine(server, conditions = {}) {
  const port = server.ready.media.split(':').at(-1);
  const line = new Line(server, await startImpair({ ip: machineAddress(), port }, conditions));
  await line.listening;
  return line;
}

class Line {
  constructor(server, impair) {
    this.impair = impair;
    this.sockets = new Set(); // towards browsers and the server
    this.listening = this.listen(server);
  }

  /** Page and signaling on a port of their own, the latter passed on both ways. */
  listen(server) {
    this.site = createServer((request, response) => fetchFrom(server.ready.http, request, response));
    this.proxy = new WebSocketServer({ server: this.site });
    this.proxy.on('connection', (browser, request) => {
      const upstream = new WebSocket(server.socket(request.url));
      const early = [];
      const pass = (to, message) => message && to.send(JSON.stringify(message));
      for (const socket of [browser, upstream]) {
        this.sockets.add(socket);
        socket.on('close', () => this.sockets.delete(socket));
      }
      browser.on('message', (data) => {
        const message = fromBrowser(JSON.parse(data));
        if (upstream.readyState === WebSocket.OPEN) pass(upstream, message);
        else early.push(message);
      });
      upstream.on('open', () => early.splice(0).forEach((message) => pass(upstream, message)));
      upstream.on('message', (data) => pass(browser, fromServer(JSON.parse(data), this.impair.address)));
      upstream.on('error', () => browser.terminate());
      upstream.on('close', () => browser.close());
      browser.on('close', () => upstream.close());
    });
    return new Promise((done) => this.site.listen(0, '127.0.0.1', done));
  }

  /** Where a browser finds Duet's page, and behind it the server over this line. */
  get url() {
    return `http://127.0.0.1:${this.site.address().port}`;
  }

  /** The WebSocket that leads to the server with the media over this line. */
  socket(path = '/one2one') {
    return `${this.url.replace('http', 'ws')}${path}`;
  }

  command(text) {
    return this.impair.command(text);
  }

  stats() {
    return this.impair.stats();
  }

  /** Nothing comes through any more, and nobody is told: connections stay, messages wait. */
  async cut() {
    for (const socket of this.sockets) socket.pause();
    await this.command('blackout 3600s');
  }

  /** The end of a cut: what waited arrives. */
  async mend() {
    await this.command('blackout 0s');
    for (const socket of this.sockets) socket.resume();
  }

  async stop() {
    for (const socket of this.sockets) socket.terminate();
    this.proxy.close();
    this.site.closeAllConnections();
    await new Promise((done) => this.site.close(done));
    await this.impair.stop();
  }
}
