// What carries the calls. Each gives the same thing: two pages in a call, each person behind a line
// of their own, and no way but these lines.
//
//    duet, janus   alice ══ line ══ server ══ line ══ bob
//    direct        alice ══ line ═════════════ line ══ bob

import { randomBytes } from 'node:crypto';

import {
  firstCandidate, moveAnswer, startImpair, startLine, withoutCandidates,
} from '../../tests/e2e/lib/impair.mjs';
import { startServer } from '../../tests/e2e/lib/server.mjs';
import { startJanus } from './janus.mjs';

/** A person of page.mjs, seen from here. */
class Person {
  static async open(browser, kind, url, bindings = {}) {
    const page = await browser.open();
    for (const [name, run] of Object.entries(bindings)) await page.exposeFunction(name, run);
    await page.evaluate(() => import('/quality.mjs'));
    const handle = await page.evaluateHandle(
      ([which, to]) => new quality[which](to, globalThis.overLine), [kind, url]);
    return new Person(page, handle);
  }

  constructor(page, handle) {
    Object.assign(this, { page, handle });
  }

  /** Run a method of the person in the page. */
  run(method, ...args) {
    return this.handle.evaluate((person, [m, a]) => person[m](...a), [method, args]);
  }

  async close() {
    await this.run('close');
    await this.page.context().close();
  }
}

/** Two people and their lines. `lines` is complete when the call is. */
class Call {
  constructor(people, lines) {
    Object.assign(this, { people, lines });
  }

  async close() {
    for (const person of this.people) await person.close();
    for (const line of this.lines) await line.stop();
  }
}

// Names of one call: no two calls of a run meet.
const names = () => {
  const id = randomBytes(4).toString('hex');
  return [`alice-${id}`, `bob-${id}`];
};

async function ring([alice, bob], [from, to]) {
  await Promise.all([alice.run('register', from), bob.run('register', to)]);
  await Promise.all([alice.run('call', to), bob.run('answer')]);
}

class Duet {
  static async start(program, settings = {}) {
    return new Duet(await startServer({ 'media.workers': '1', 'log.level': 'warning', ...settings }, program));
  }

  constructor(server) {
    this.server = server;
  }

  async call(browser, [near, far]) {
    const lines = [await startLine(this.server, near), await startLine(this.server, far)];
    const people = await Promise.all(
      lines.map((line) => Person.open(browser, 'DuetPerson', line.socket())));
    await ring(people, names());
    return new Call(people, lines);
  }

  stop() {
    return this.server.stop();
  }
}

class Janus {
  static async start() {
    return new Janus(await startJanus());
  }

  constructor(server) {
    this.server = server;
  }

  async call(browser, conditions) {
    const lines = [];
    // Janus has a port for each leg, and tells it in the SDP.
    const people = await Promise.all(conditions.map((how, i) => Person.open(browser, 'JanusPerson', this.server.url, {
      overLine: async (sdp) => {
        lines[i] = await startImpair(firstCandidate(sdp), how);
        return moveAnswer(sdp, lines[i].address);
      },
    })));
    await ring(people, names());
    return new Call(people, lines);
  }

  stop() {
    return this.server.stop();
  }
}

class Direct {
  static async start() {
    return new Direct();
  }

  async call(browser, [near, far]) {
    const people = await Promise.all([0, 1].map(() => Person.open(browser, 'DirectPerson')));
    const [alice, bob] = people;
    const answer = await bob.run('answer', withoutCandidates(await alice.run('offer')));
    // Bob's line is alice's way to him, entered at its far end.
    const farLine = await startImpair(firstCandidate(answer), far);
    const nearLine = await startImpair(farLine.address, near);
    await alice.run('accept', moveAnswer(answer, nearLine.address));
    return new Call(people, [nearLine, farLine]);
  }

  async stop() {}
}

const SYSTEMS = {
  duet: () => Duet.start(),
  janus: () => Janus.start(),
  direct: () => Direct.start(),
};

/** @param {string} text  'duet', 'janus', 'direct', or 'NAME=PROGRAM': another build of Duet */
export async function startSystem(text) {
  const [name, program] = text.split('=');
  if (!program && !SYSTEMS[name]) throw new Error(`no system "${name}": ${Object.keys(SYSTEMS).join(', ')}`);
  const system = await (program ? Duet.start(program) : SYSTEMS[name]());
  return Object.assign(system, { name });
}
