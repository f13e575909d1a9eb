// The options of bench/compare: one table, from which come the parser, the defaults and the help.

import os from 'node:os';

const list = (text) => text.split(',').filter(Boolean);
const numbers = (text) => {
  const values = list(text).map(Number);
  if (values.some((n) => !Number.isInteger(n) || n < 1 || n > 20000)) {
    throw new Error('whole numbers from 1 to 20000, separated by commas');
  }
  return values;
};
const count = (text) => {
  const [n, ...more] = numbers(text);
  if (!n || more.length) throw new Error('one whole number from 1 to 20000');
  return n;
};
const priority = (text) => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0 || n > 99) throw new Error('a whole number from 0 to 99');
  return n;
};
const word = (text) => text;

// name, value, default, how it is read, help
const table = [
  ['servers', 'LIST', 'duet,janus,rtpengine', list, 'who takes part'],
  ['calls', 'LIST', '1,10,100,400', numbers, 'calls at the same time, for all servers'],
  ['alone', 'LIST', '1000,2000', numbers, 'and for Duet alone; empty = none'],
  ['runs', 'N', '3', count, 'rounds, in which the servers alternate; the table has the medians'],
  ['hold', 'SECONDS', '10', count, 'the steady state that is measured'],
  ['memory-hold', 'SECONDS', '60', count, 'age of the calls whose memory is measured (100 calls)'],
  ['realtime', 'N', '0', priority, 'real-time priority of servers, load and floor, for a machine where others work; needs root; 0 = none'],
  ['address', 'IP', '', word, 'of the servers’ media; not the loopback, which libnice does not serve'],
  ['json', 'FILE', '', word, 'write all results'],
  ['svg', 'FILE', '', word, 'write the plot'],
  ['docs', 'FILE', '', word, 'put the tables between the markers of this page'],
  ['from', 'FILE', '', word, 'measure nothing: table and plot of an earlier --json'],
];

export const help = `bench/compare: Duet, Janus and rtpengine under the same load

    bench/compare                                  everything, about 25 minutes
    bench/compare --calls 10,100 --alone= --runs 1 --memory-hold 5       a look, 3 minutes
    bench/compare --from docs/performance.json --svg docs/performance.svg --docs docs/PERFORMANCE.md

Each server is started afresh for each measurement, on its own ports, with the packages' default
settings; duet-load plays all the users. Everything that is started ends with this program.

${table
  .map(([name, value, standard, , text]) => `  --${`${name} ${value}`.padEnd(22)} ${text}${standard ? ` (${standard})` : ''}`)
  .join('\n')}

A quiet machine is needed for times (set-up, latency); CPU time per packet stands some company.
`;

function firstAddress() {
  const all = Object.values(os.networkInterfaces()).flat();
  return all.find((a) => a.family === 'IPv4' && !a.internal)?.address ?? '';
}

/** @returns {{[name: string]: any}}; throws an Error whose message is for the user */
export function parseOptions(argv) {
  const options = {};
  for (const [name, , standard, read] of table) options[name] = read(standard);
  options.address = firstAddress();
  for (let i = 0; i < argv.length; i++) {
    const [, name, , given] = /^--([a-z-]+)(=(.*))?$/.exec(argv[i]) ?? [];
    const row = table.find((r) => r[0] === name);
    if (!row) throw new Error(`there is no option ${argv[i]} (see --help)`);
    const text = given ?? argv[++i];
    if (text === undefined) throw new Error(`--${name} takes a value`);
    try {
      options[name] = row[3](text);
    } catch (error) {
      throw new Error(`--${name} ${text}: ${error.message} is needed`);
    }
  }
  return options;
}
