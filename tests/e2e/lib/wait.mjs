// Waiting for an event instead of sleeping.

/** Resolves with the first truthy result of `probe`; rejects with `what` after `ms`. */
export async function until(what, probe, ms = 10_000, every = 50) {
  const end = performance.now() + ms;
  for (;;) {
    const result = await probe();
    if (result) return result;
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await pause(every);
  }
}

/**
 * As `until`, but the page itself looks: nothing passes while a question is on its way to it.
 * @param probe  must not be async: waitForFunction takes the promise itself for a yes (Playwright 1.60)
 */
export function untilInPage(what, page, probe, argument, ms = 10_000, every = 50) {
  if (probe.constructor !== Function) throw new TypeError(`${what}: the page does not wait for an async probe`);
  return page.waitForFunction(probe, argument, { timeout: ms, polling: every }).catch((cause) => {
    throw new Error(`not within ${ms} ms: ${what}`, { cause });
  });
}

/** For letting media flow for a while; never for "should be done by now". */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
