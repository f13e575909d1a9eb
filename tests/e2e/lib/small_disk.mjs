// A disk that is full soon: the server alone sees a file system of 16 KiB in the place of a folder.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { binary } from './server.mjs';

const mount = (folder) => `mount -t tmpfs -o size=16k tmpfs ${folder}`;

/** Not everybody may: in a container not even root. */
export const mayMount = () =>
  spawnSync('unshare', ['-m', 'sh', '-c', mount(tmpdir())]).status === 0;

/** For startServer: the program with such a disk at `folder`, which it is written to itself. */
export function withSmallDisk(folder) {
  const program = join(folder, 'small-disk');
  writeFileSync(program, `#!/bin/sh
exec unshare -m sh -c '${mount(folder)} && exec "$0" "$@"' ${binary} "$@"
`, { mode: 0o755 });
  return program;
}
