// A web server for the tests' own pages, on localhost: a secure context, as getUserMedia wants it.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const lib = fileURLToPath(new URL('.', import.meta.url));

const blank = '<!doctype html><meta charset="utf-8"><title>test</title><body></body>';

/**
 * Serves /, the files of lib/, and `extra`: path -> text of a script or page.
 * @param {Record<string, string>} extra
 */
export async function startFixture(extra = {}) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    const type = path.endsWith('js') ? 'text/javascript' : 'text/html; charset=utf-8';
    try {
      const text =
        path === '/'
          ? blank
          : extra[path] ?? (await readFile(lib + path.replace(/[^a-z.-]/g, ''), 'utf8'));
      response.writeHead(200, { 'content-type': type }).end(text);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
