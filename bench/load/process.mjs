// Programs that are started here end here: by their process id, also when this program is stopped.

import { spawn, spawnSync } from 'node:child_process';
import net from 'node:net';

const running = new Set();
let priority = 0;

/** Real-time (SCHED_RR) priority of everything that is started from now on; 0 = ordinary. */
export function setPriority(n) {
  priority = n;
}

/** With as many descriptors as the system allows: a call takes Janus a dozen. */
export function start(command, args, { stdout = 'ignore', stderr = 'ignore' } = {}) {
  const chrt = priority ? `chrt --rr ${priority} ` : '';
  const child = spawn('bash', ['-c', `ulimit -n "$(ulimit -Hn)"; exec ${chrt}"$0" "$@"`, command, ...args], {
    stdio: ['ignore', stdout, stderr],
  });
  running.add(child);
  child.ended = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('exit', (status, signal) => resolve(status ?? signal));
  }).then((status) => {
    running.delete(child);
    child.isOver = true;
    return status;
  });
  return child;
}

export async function stop(child, patienceMs = 10_000) {
  if (child.isOver) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await child.ended;
  clearTimeout(timer);
}

/** @returns the exit status, or 'timeout' */
export async function finish(child, limitMs) {
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(() => resolve('timeout'), limitMs);
  });
  const status = await Promise.race([child.ended, limit]);
  clearTimeout(timer);
  await stop(child);
  return status;
}

function killAll() {
  for (const child of running) child.kill('SIGKILL');
}
process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

export function output(command, args) {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return `${stdout ?? ''}${stderr ?? ''}`.trim();
}

/** A TCP port that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}

/** Until something listens there. */
export async function listening(child, port, limitMs = 15_000) {
  const end = Date.now() + limitMs;
  while (!(await connects(port))) {
    if (child.isOver || Date.now() > end) throw new Error('the server does not begin to listen');
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
