// Ends of plain RTP without a browser: ffmpeg that plays a tone, and a socket that listens.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';

import { decode, RATE as ULAW_RATE } from './ulaw.mjs';

/** So many UDP ports in a row, the first one even, and none that the system hands out by itself. */
async function openPorts(n, host) {
  for (;;) {
    const port = 20_000 + 2 * Math.floor(Math.random() * 5000);
    const sockets = Array.from({ length: n }, () => createSocket('udp4'));
    const bound = await Promise.all(sockets.map((socket, i) => new Promise((done) => {
      socket.once('error', () => done(false));
      socket.bind(port + i, host, () => done(true));
    })));
    if (bound.every(Boolean)) return { port, sockets };
    for (const [i, socket] of sockets.entries()) if (bound[i]) socket.close();
  }
}

/** Two UDP ports, an even one and the next. */
export async function openPair(host = '127.0.0.1') {
  const { port, sockets: [rtp, rtcp] } = await openPorts(2, host);
  return { port, rtp, rtcp };
}

/** The first and the last of n UDP ports that nobody has. */
export async function freePorts(n) {
  const { port, sockets } = await openPorts(n, '0.0.0.0');
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.close(done))));
  return [port, port + n - 1];
}

/** What ffmpeg encodes and how a description names it. */
export const codecs = {
  opus: { pt: 96, map: 'opus/48000/2', args: ['-c:a', 'libopus', '-b:a', '32k', '-ar', '48000', '-ac', '2'] },
  pcmu: { pt: 0, map: 'PCMU/8000', args: ['-c:a', 'pcm_mulaw', '-ar', '8000', '-ac', '1'] },
};

const SUITE = 'AES_CM_128_HMAC_SHA1_80';

/** A description of an end at host:port with one codec; `key`: encrypted by SDES, in base64. */
export function describe({ host = '127.0.0.1', port, codec, way = 'sendrecv', key = null }) {
  const { pt, map } = codecs[codec];
  const extra = key ? [`a=crypto:1 ${SUITE} inline:${key}`] : [];
  return ['v=0', `o=- 1 1 IN IP4 ${host}`, 's=test', `c=IN IP4 ${host}`, 't=0 0',
    `m=audio ${port} RTP/${key ? 'S' : ''}AVP ${pt}`, `a=rtpmap:${pt} ${map}`, `a=${way}`, ...extra, ''].join('\r\n');
}

/** Where a description wants its media. */
export function target(sdp) {
  return {
    host: /^c=IN IP4 (\S+)/m.exec(sdp)[1],
    port: Number(/^m=audio (\d+)/m.exec(sdp)[1]),
    key: /^a=crypto:1 \S+ inline:([^|\r]+)/m.exec(sdp)?.[1] ?? null,
  };
}

/**
 * ffmpeg that sends a tone in real time, from a port of its own choice; with `key` as SRTP.
 * @returns {{ stop: () => Promise<void>, log: string[] }}
 */
export function playTone(hz, codec, { host, port, key }) {
  const { pt, args } = codecs[codec];
  const secret = key ? ['-srtp_out_suite', SUITE, '-srtp_out_params', key] : [];
  return run(['-re', '-f', 'lavfi', '-i', `sine=frequency=${hz}:sample_rate=48000`, ...args,
    '-payload_type', String(pt), ...secret, '-f', 'rtp', `${key ? 's' : ''}rtp://${host}:${port}`]);
}

/** ffmpeg that receives by a description and writes mono 48 kHz samples. */
export function record(sdp) {
  const ffmpeg = run(['-protocol_whitelist', 'pipe,udp,rtp,srtp,data', '-f', 'sdp', '-i', 'pipe:0',
    '-ar', '48000', '-ac', '1', '-f', 's16le', 'pipe:1'], sdp);
  const chunks = [];
  ffmpeg.child.stdout.on('data', (chunk) => chunks.push(chunk));
  return {
    ...ffmpeg,
    /** The last second, once there are that many. */
    heard() {
      const all = Buffer.concat(chunks);
      if (all.length < 2 * 48_000) return null;
      const last = all.subarray(all.length - (all.length % 2) - 2 * 48_000);
      return Float32Array.from({ length: 48_000 }, (_, i) => last.readInt16LE(2 * i) / 32768);
    },
  };
}

function run(args, input = null) {
  const child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'warning', '-nostdin', ...args],
    { stdio: ['pipe', 'pipe', 'pipe'] });
  const log = [];
  child.stderr.on('data', (text) => log.push(String(text)));
  const ended = new Promise((done) => child.once('exit', done));
  if (input) child.stdin.end(input);
  process.once('exit', () => child.kill('SIGKILL'));
  return { child, log, stop: () => (child.kill('SIGTERM'), setTimeout(() => child.kill('SIGKILL'), 2000).unref(), ended) };
}

/** What came to a socket as RTP: headers, and PCMU as samples. */
export class Listener {
  constructor(socket) {
    this.packets = 0;
    this.ssrcs = new Set();
    this.sequence = [];
    this.from = new Set();
    this.payloads = [];
    socket.on('message', (data, { address, port }) => {
      this.packets++;
      this.from.add(`${address}:${port}`);
      this.ssrcs.add(data.readUInt32BE(8));
      this.sequence.push(data.readUInt16BE(2));
      this.hasExtension ||= (data[0] & 0x10) !== 0;
      this.payloads.push(data.subarray(12 + 4 * (data[0] & 0x0f)));
    });
  }

  /** Numbers that are missing between the first and the last. */
  get gaps() {
    return this.sequence.slice(1).filter((n, i) => ((n - this.sequence[i]) & 0xffff) !== 1).length;
  }

  /** The last second of PCMU. */
  ulaw() {
    const bytes = Buffer.concat(this.payloads.slice(-50));
    return { rate: ULAW_RATE, samples: Float32Array.from(bytes, decode) };
  }
}
