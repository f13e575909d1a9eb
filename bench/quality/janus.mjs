// Debian's Janus with the VideoCall plugin and its WebSocket, everything else as it comes.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { machineAddress } from '../../tests/e2e/lib/impair.mjs';
import { until } from '../../tests/e2e/lib/wait.mjs';

const configuration = (folder, port) => ({
  'janus.jcfg': `general: {
    configs_folder = "${folder}"
    debug_level = 3
    session_timeout = 60
  }
  nat: { ice_enforce_list = "${machineAddress()}" }
  plugins: { disable = "${others(PLUGINS)}" }
  transports: { disable = "${others(TRANSPORTS)}" }`,
  'janus.transport.websockets.jcfg': `general: { ws = true, ws_ip = "127.0.0.1", ws_port = ${port} }`,
  'janus.plugin.videocall.jcfg': 'general: { }',
});

// What is not needed is not loaded, so that no port of it is opened.
const PLUGINS = ['audiobridge', 'duktape', 'echotest', 'lua', 'nosip', 'recordplay', 'sip', 'streaming',
  'textroom', 'videoroom', 'voicemail'];
const TRANSPORTS = ['http', 'mqtt', 'nanomsg', 'pfunix', 'rabbitmq'];
const others = (names) => names.map((name) => `libjanus_${name}.so`).join(',');

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => probe.once('listening', done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

const answers = (port) => new Promise((done) => {
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => done(true));
  socket.once('error', () => done(false));
  socket.once('close', () => done(false));
  socket.unref();
  setTimeout(() => socket.destroy(), 500).unref();
});

export async function startJanus() {
  const folder = mkdtempSync(join(tmpdir(), 'duet-janus-'));
  const port = await freePort();
  for (const [name, text] of Object.entries(configuration(folder, port))) writeFileSync(join(folder, name), text);
  const log = [];
  const child = spawn('janus', ['-F', folder, '-C', join(folder, 'janus.jcfg')], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => log.push(`${data}`));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let end = null;
  const ended = new Promise((done) => {
    child.once('exit', (status, signal) => done((end = `${status ?? signal}`)));
    child.once('error', (error) => done((end = error.message)));
  });
  await until('Janus listens', async () => {
    if (end !== null) throw new Error(`janus ended: ${end}\n${log.join('').slice(-2000)}`);
    return answers(port);
  });
  return {
    url: `ws://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
