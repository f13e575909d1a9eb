// The networks of the table: one row each. What is given is one hop, in each direction; a call
// through a server has two, and so has a call without one (see systems.mjs).

/**
 * name    of the cell, for --cells
 * title   in the table
 * line    options of duet-impair, for every hop
 * event   a command to one person's line, in the middle of the measured time
 */
export const CELLS = [
  { name: 'loss0', title: 'no loss', line: { delay: 20 } },
  { name: 'loss2', title: '2 % loss', line: { delay: 20, loss: 2 } },
  { name: 'loss5', title: '5 % loss', line: { delay: 20, loss: 5 } },
  { name: 'loss10', title: '10 % loss', line: { delay: 20, loss: 10 } },
  { name: 'loss20', title: '20 % loss', line: { delay: 20, loss: 20 } },
  { name: 'burst', title: 'bursts of loss (3.2 %, 3.3 in a row)', line: { delay: 20, 'burst-p': 1, 'burst-r': 30 } },
  { name: 'jitter', title: 'up to 10 ms jitter', line: { delay: 20, jitter: 10 } },
  { name: 'reorder', title: '5 % of packets 30 ms late', line: { delay: 20, reorder: 5, 'reorder-by': 30 } },
  { name: 'far', title: '100 ms', line: { delay: 100 } },
  { name: 'far5', title: '100 ms, 5 % loss', line: { delay: 100, loss: 5 } },
  { name: 'thin', title: '45 kbit/s, headers counted', line: { delay: 20, rate: 45, queue: 300 } },
  { name: 'blackout', title: 'blackout of 2 s', line: { delay: 20 }, event: 'blackout 2s' },
  { name: 'rebind', title: 'address change', line: { delay: 20 }, event: 'rebind' },
];

/** @param {string} names  'loss2,far', or 'all' */
export function chooseCells(names) {
  if (names === 'all') return CELLS;
  return names.split(',').map((name) => {
    const cell = CELLS.find((one) => one.name === name);
    if (!cell) throw new Error(`no cell "${name}": ${CELLS.map((one) => one.name).join(', ')}`);
    return cell;
  });
}
