// The Kurento Protocol as frames: a client that sends what it is told and keeps what comes, and a
// session that a real server was seen to have, as a list of frames.

import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Of all sockets: a session that goes on over another one must not repeat an id, whose answer is kept. */
let nextId = 1000;

/** A socket to a server: every message that came, answers by their id. */
export class Wire {
  static async open(url) {
    const wire = new Wire(new WebSocket(url));
    await new Promise((done, fail) => wire.socket.once('open', done).once('error', fail));
    return wire;
  }

  constructor(socket) {
    Object.assign(this, { socket, answers: [], events: [], waiting: [] });
    this.closed = new Promise((done) =>
      socket.once('close', (code, reason) => done({ code, reason: reason.toString() })));
    socket.on('message', (data, isBinary) => {
      const message = JSON.parse(data);
      this.lastIsBinary = isBinary;
      (message.method ? this.events : this.answers).push(message);
      this.waiting = this.waiting.filter((wait) => !wait());
    });
    socket.on('close', () => this.waiting.forEach((wait) => wait()));
  }

  /** Resolves with what `find` gives, as soon as it gives anything. */
  async until(find) {
    return new Promise((done, fail) => {
      const wait = () => {
        const found = find();
        if (found) done(found);
        else if (this.socket.readyState === WebSocket.CLOSED) fail(new Error('the socket is closed'));
        else return false;
        return true;
      };
      if (!wait()) this.waiting.push(wait);
    });
  }

  answer(id) {
    return this.until(() => this.answers.find((message) => message.id === id));
  }

  /** One frame as it is, and the next answer. */
  async raw(frame) {
    const before = this.answers.length;
    this.socket.send(frame);
    return this.until(() => this.answers[before]);
  }

  /** A request; its whole answer. */
  async request(method, params) {
    const id = nextId++;
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', method, params, id }));
    return this.answer(id);
  }

  /** As `request`, of which only the value matters; throws what is refused. */
  async value(method, params) {
    const { result, error } = await this.request(method, params);
    if (error) throw new Error(`${method} ${JSON.stringify(params)}: ${JSON.stringify(error)}`);
    return result.value;
  }

  create(type, constructorParams, more = {}) {
    return this.value('create', { type, constructorParams, ...more });
  }

  invoke(object, operation, operationParams) {
    return this.value('invoke', { object, operation, operationParams });
  }

  subscribe(object, type) {
    return this.value('subscribe', { object, type });
  }

  /** Data of the events of an object of a type, in order. */
  told(object, type) {
    return this.events.map(({ params }) => params.value)
      .filter((value) => value.object === object && value.type === type).map(({ data }) => data);
  }

  /** The n-th event of that kind. */
  event(object, type, n = 0) {
    return this.until(() => this.told(object, type)[n]);
  }

  close() {
    this.socket.close();
  }
}

/** Frames of a session: { from: 'C' or 'S', text, message }. */
export function readSession(url) {
  return readFileSync(url, 'utf8').split('\n').filter((line) => /^[CS] /.test(line))
    .map((line) => ({ from: line[0], text: line.slice(2), message: JSON.parse(line.slice(2)) }));
}

/**
 * Replay: the frames of the client go out as they stand but for the ids, which the server of today
 * makes itself; each waits for the answers that were there before it.
 *
 * @returns {{ expected: object, answer: object }[]} answers, with the ids of the recorded session
 */
export async function replay(wire, frames) {
  const ours = new Map(); // a recorded id → what it is today
  const theirs = new Map();
  const rename = (text, names) => text.replace(UUID, (id) => names.get(id) ?? id);
  const pairs = [];
  for (const { from, text, message } of frames) {
    if (from === 'C') {
      wire.socket.send(rename(text, ours));
      continue;
    }
    if (message.method) continue;
    const answer = JSON.stringify(await wire.answer(message.id));
    const ids = answer.match(UUID) ?? [];
    (text.match(UUID) ?? []).forEach((id, i) => {
      if (!ours.has(id) && ids[i] && !theirs.has(ids[i])) ours.set(id, ids[i]), theirs.set(ids[i], id);
    });
    pairs.push({ expected: message, answer: JSON.parse(rename(answer, theirs)) });
  }
  return { pairs, events: wire.events.map((event) => JSON.parse(rename(JSON.stringify(event), theirs))) };
}
