// When the page looks for another way for the audio: with a clock of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AGAIN_MS, BURST_MS, GIVE_UP_MS, PATIENCE_MS, Reconnect } from '../../web/js/reconnect.js';

class Clock {
  time = 0;
  timers = new Map();
  last = 0;
  now = () => this.time;
  set = (run, ms) => {
    this.last += 1;
    this.timers.set(this.last, { at: this.time + ms, run });
    return this.last;
  };
  clear = (id) => this.timers.delete(id);

  pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const [next] = [...this.timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at);
      if (!next) break;
      const [id, { at, run }] = next;
      this.timers.delete(id);
      this.time = at;
      run();
    }
    this.time = end;
  }
}

function scene({ up = true } = {}) {
  const clock = new Clock();
  const seen = { restarts: [], givenUp: 0 };
  const reconnect = new Reconnect({
    restart: () => seen.restarts.push(clock.time),
    giveUp: () => { seen.givenUp += 1; },
  }, clock);
  clock.time = 100_000;
  if (up) reconnect.state('connected');
  return { clock, seen, reconnect };
}

test('what heals by itself is left alone', () => {
  const { clock, seen, reconnect } = scene();
  reconnect.state('disconnected');
  clock.pass(PATIENCE_MS - 1);
  reconnect.state('connected');
  clock.pass(60_000);
  assert.deepEqual(seen, { restarts: [], givenUp: 0 });
});

test('a restart after two seconds, again until it helps', () => {
  const { clock, seen, reconnect } = scene();
  const begin = clock.time;
  reconnect.state('disconnected');
  clock.pass(PATIENCE_MS + AGAIN_MS);
  assert.deepEqual(seen.restarts, [begin + PATIENCE_MS, begin + PATIENCE_MS + AGAIN_MS]);
  reconnect.state('connected');
  clock.pass(60_000);
  assert.equal(seen.restarts.length, 2);
  assert.equal(seen.givenUp, 0);
});

test('failed is no reason to wait, and none to restart twice', () => {
  const { clock, seen, reconnect } = scene();
  reconnect.state('disconnected');
  clock.pass(PATIENCE_MS);
  reconnect.state('failed');
  clock.pass(AGAIN_MS - 1);
  assert.equal(seen.restarts.length, 1);
  clock.pass(1);
  assert.equal(seen.restarts.length, 2);
});

test('given up after half a minute, once', () => {
  const { clock, seen, reconnect } = scene();
  reconnect.state('disconnected');
  clock.pass(10_000);
  reconnect.state('failed');
  clock.pass(GIVE_UP_MS - 10_000 - 1);
  assert.equal(seen.givenUp, 0);
  clock.pass(60_000);
  assert.equal(seen.givenUp, 1);
  const { length } = seen.restarts;
  clock.pass(60_000);
  assert.equal(seen.restarts.length, length);
});

test('another network: at once, one restart for a burst of news', () => {
  const { clock, seen, reconnect } = scene();
  reconnect.networkChanged();
  clock.pass(BURST_MS - 1);
  reconnect.networkChanged();
  assert.equal(seen.restarts.length, 1);
  clock.pass(60_000); /* it never was down: no further one */
  assert.equal(seen.restarts.length, 1);
  reconnect.networkChanged();
  assert.equal(seen.restarts.length, 2);
});

test('what never was up is not restarted', () => {
  const { clock, seen, reconnect } = scene({ up: false });
  reconnect.networkChanged();
  reconnect.state('disconnected');
  clock.pass(60_000);
  assert.deepEqual(seen, { restarts: [], givenUp: 0 });
  reconnect.state('failed');
  assert.equal(seen.givenUp, 1);
});

test('closed means silent', () => {
  const { clock, seen, reconnect } = scene();
  reconnect.state('disconnected');
  reconnect.close();
  clock.pass(60_000);
  assert.deepEqual(seen, { restarts: [], givenUp: 0 });
});
