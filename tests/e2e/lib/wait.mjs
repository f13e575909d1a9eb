// Waiting for an event instead of sleeping.

/** Resolves with the first truthy result of `probe`; rejects with `what` after `ms`. */
export async function until(what, probe, ms = 10_000, every = 50) {
  const end = Date.now() + ms;
  for (;;) {
    const result = await probe();
    if (result) return result;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await pause(every);
  }
}

/** For letting media flow for a while; never for "should be done by now". */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
