// The servers that are compared: how each is started, with what, and which driver of duet-load
// talks to it. Settings are those of Debian's packages; what differs says why.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { freePort, listening, output, start, stop } from './process.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const program = (name) => path.join(root, 'build/release', name);

const logTo = (dir, name) => fs.openSync(path.join(dir, `${name}.log`), 'w');

async function startDuet({ dir }) {
  const port = await freePort();
  const child = start(program('duet'), [
    'serve',
    '--set', `http.listen=127.0.0.1:${port}`, '--set', 'https.listen=', '--set', 'kurento.listen=',
    '--set', 'media.port=0',
    '--set', 'media.workers=1', // one thread for all media; the other core is the load's
    '--set', 'http.max_sockets_per_address=100000', // all users have one address here
    '--set', `state.dir=${path.join(dir, 'duet-state')}`,
  ], { stderr: logTo(dir, 'duet') });
  await listening(child, port);
  return { child, port };
}

const janusLib = () => `/usr/lib/${output('gcc', ['-print-multiarch'])}/janus`;

// All plug-ins but VideoCall and all transports but WebSockets are left out: they would only cost memory.
function janusConfig(dir, address, port) {
  const lib = janusLib();
  const others = (folder, wanted) => fs.readdirSync(path.join(lib, folder)).filter((f) => f.endsWith('.so') && !f.includes(wanted));
  fs.writeFileSync(path.join(dir, 'janus.jcfg'), `
general: {
  configs_folder = "${dir}"
  plugins_folder = "${lib}/plugins"
  transports_folder = "${lib}/transports"
  events_folder = "${lib}/events"
  loggers_folder = "${lib}/loggers"
  debug_level = 2
}
nat: { ice_enforce_list = "${address}" }
media: { rtp_port_range = "10000-19999" }
plugins: { disable = "${others('plugins', 'videocall').join(',')}" }
transports: { disable = "${others('transports', 'websockets').join(',')}" }
`);
  fs.writeFileSync(path.join(dir, 'janus.transport.websockets.jcfg'),
    `general: { ws = true, ws_ip = "127.0.0.1", ws_port = ${port} }\n`);
}

async function startJanus({ dir, address }) {
  const port = await freePort();
  janusConfig(dir, address, port);
  const log = logTo(dir, 'janus');
  const child = start('janus', ['-F', dir, '-C', path.join(dir, 'janus.jcfg')], { stdout: log, stderr: log });
  await listening(child, port);
  return { child, port };
}

async function startRtpengine({ dir, address }) {
  const port = await freePort();
  const child = start('rtpengine', [
    '--config-file=none',
    '--table=-1', // in user space: the kernel module forwards plain RTP and SRTP, but is in no package of the kernel
    `--interface=${address}`,
    `--listen-http=127.0.0.1:${port}`,
    '--port-min=20000', '--port-max=29999',
    '--foreground', '--log-stderr', '--log-level=3',
    `--pidfile=${path.join(dir, 'rtpengine.pid')}`,
  ], { stderr: logTo(dir, 'rtpengine') });
  await listening(child, port);
  return { child, port };
}

const packageVersion = (name) => output('dpkg-query', ['-W', '-f', '${Version}', name]);

const servers = {
  duet: { title: 'Duet', driver: 'one2one', start: startDuet, version: () => output(program('duet'), ['--version']) },
  janus: { title: 'Janus', driver: 'janus', start: startJanus, version: () => packageVersion('janus') },
  rtpengine: { title: 'rtpengine', driver: 'rtpengine', start: startRtpengine, version: () => packageVersion('rtpengine-daemon') },
};

export const serverNames = Object.keys(servers);
export const titleOf = (name) => servers[name].title;
export const versionOf = (name) => servers[name].version();

/** Run `use` with a fresh server. */
export async function withServer(name, { dir, address }, use) {
  const { child, port } = await servers[name].start({ dir, address });
  try {
    return await use({ pid: child.pid, url: `ws://127.0.0.1:${port}`, driver: servers[name].driver });
  } finally {
    await stop(child);
  }
}
