/**
 * A server for the tests of the page: the files of web/ with the headers of the real one, and a
 * WebSocket at /one2one that does what the test says, frame by frame. It knows no protocol.
 *
 * Media for a call comes from a second RTCPeerConnection in the browser (answerWithEcho): the fake
 * server hands its offer on and brings its answer back.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const WEB = fileURLToPath(new URL('../../../web/', import.meta.url));

/** No test waits this long unless something is wrong, or the machine has much else to do. */
const PATIENCE_MS = 30000;

const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.svg': 'image/svg+xml',
};

/** As strict as the page promises to work with. */
const HEADERS = {
    'Content-Security-Policy': "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-cache',
};

async function serveFile(request, response) {
    const path = normalize(new URL(request.url, 'http://x').pathname);
    const file = join(WEB, path === '/' ? 'index.html' : path);
    try {
        const body = await readFile(file);
        response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', ...HEADERS });
        response.end(body);
    } catch {
        response.writeHead(404).end();
    }
}

/** One page's socket, as the test sees it: frames can be waited for and sent. */
class PageSocket {
    #socket;
    #unread = [];
    #waiting = [];

    constructor(socket) {
        this.#socket = socket;
        socket.on('message', data => {
            this.#unread.push(JSON.parse(data));
            this.#match();
        });
    }

    /** The next frame with this id; others before it stay unread. */
    expect(id, timeoutMs = PATIENCE_MS) {
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error(
                `the page sent no ${id} (but: ${this.#unread.map(frame => frame.id).join(', ') || 'nothing'})`)), timeoutMs);
            this.#waiting.push({ id, resolve: frame => {
                clearTimeout(timer);
                resolve(frame);
            } });
            this.#match();
        });
    }

    unread(id) {
        return this.#unread.filter(frame => frame.id === id);
    }

    send(message) {
        this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    }

    close(code = 1000) {
        this.#socket.close(code);
    }

    /** Gone without a word, as when the network breaks. */
    cut() {
        this.#socket.terminate();
    }

    get isOpen() {
        return this.#socket.readyState === 1;
    }

    #match() {
        for (const wait of [...this.#waiting]) {
            const at = this.#unread.findIndex(frame => frame.id === wait.id);
            if (at >= 0) {
                this.#waiting.splice(this.#waiting.indexOf(wait), 1);
                wait.resolve(this.#unread.splice(at, 1)[0]);
            }
        }
    }
}

export class FakeServer {
    #http = createServer(serveFile);
    #sockets = new WebSocketServer({ noServer: true });
    #arrived = [];
    #waiting = [];
    accepting = true;
    url = '';

    static async start(host = '127.0.0.1') {
        const server = new FakeServer();
        server.#http.on('upgrade', (request, socket, head) => {
            if (!server.accepting || new URL(request.url, 'http://x').pathname !== '/one2one') {
                socket.destroy();
                return;
            }
            server.#sockets.handleUpgrade(request, socket, head, ws => server.#arrive(new PageSocket(ws)));
        });
        await new Promise(resolve => server.#http.listen(0, host, resolve));
        server.url = `http://${host}:${server.#http.address().port}/`;
        return server;
    }

    /** The next page that opens its WebSocket. */
    nextSocket(timeoutMs = PATIENCE_MS) {
        return new Promise((resolve, reject) => {
            const take = socket => {
                clearTimeout(timer);
                resolve(socket);
            };
            const timer = setTimeout(() => {
                this.#waiting = this.#waiting.filter(waiting => waiting !== take);
                reject(new Error('no page opened its WebSocket'));
            }, timeoutMs);
            this.#waiting.push(take);
            this.#serve();
        });
    }

    async stop() {
        for (const client of this.#sockets.clients) {
            client.terminate();
        }
        this.#http.closeAllConnections();
        await new Promise(resolve => this.#http.close(resolve));
    }

    #arrive(socket) {
        this.#arrived.push(socket);
        this.#serve();
    }

    #serve() {
        while (this.#arrived.length && this.#waiting.length) {
            this.#waiting.shift()(this.#arrived.shift());
        }
    }
}
