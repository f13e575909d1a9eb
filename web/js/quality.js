/**
 * The connection in words. Every second getStats() becomes a sample; five samples are judged
 * together, so that one lost packet is no news. Worse is said at once, better after three seconds.
 *
 * The server stands between the two: loss-in is the way from the other side to us, the delay is ours to the
 * server and back. What the server's receiver reports say of loss is of no use here: it is that of both lines
 * (so that Opus protects against both), and to blame ours for the other one would be wrong. Who loses what the
 * server says itself (lines.js).
 */

const WINDOW = 5;
const BETTER_AFTER = 3;

/** No packet at all for so many samples: not a bad line but none. Opus with DTX still sends every 0.4 s. */
const NOTHING_AFTER = 3;

/** A microphone that gives exact zeros this long is switched off or the wrong one [ms]. */
const SILENT_MICROPHONE_MS = 10000;

/** measure → from where on it is fair and poor. Loss as a share, jitter and delay in ms. */
const LIMITS = Object.freeze([
    { measure: 'loss-in', fair: .02, poor: .08 },
    { measure: 'jitter', fair: 25, poor: 60 },
    { measure: 'delay', fair: 250, poor: 500 },
]);

const ORDER = ['good', 'fair', 'poor'];

/**
 * @typedef {object} Sample
 * @property {number} received   packets since the start
 * @property {number} lost       packets since the start; may fall when late ones arrive
 * @property {number|null} jitter    [ms]
 * @property {number|null} delay     round trip [ms]
 * @property {number} samples        that were played since the start
 * @property {number} concealed      of those, invented where a packet was missing; silence left out
 * @property {number} emitted        samples that left the jitter buffer
 * @property {number} bufferedSeconds  that they had spent in it, together
 */

/**
 * @param {Iterable<[string, object]>} report  RTCStatsReport
 * @returns {Sample|null} null = no audio has been received yet
 */
export function sampleOf(report) {
    let inbound = null;
    let remote = null;
    let pair = null;
    for (const [, entry] of report) {
        if (entry.type === 'inbound-rtp' && entry.kind === 'audio') {
            inbound = entry;
        } else if (entry.type === 'remote-inbound-rtp' && entry.kind === 'audio') {
            remote = entry;
        } else if (entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded') {
            pair = entry;
        }
    }
    if (!inbound) {
        return null;
    }
    const seconds = remote?.roundTripTime ?? pair?.currentRoundTripTime ?? null;
    return {
        received: inbound.packetsReceived ?? 0,
        lost: inbound.packetsLost ?? 0,
        jitter: inbound.jitter === undefined ? null : inbound.jitter * 1000,
        delay: seconds === null ? null : seconds * 1000,
        samples: inbound.totalSamplesReceived ?? 0,
        concealed: (inbound.concealedSamples ?? 0) - (inbound.silentConcealedSamples ?? 0),
        emitted: inbound.jitterBufferEmittedCount ?? 0,
        bufferedSeconds: inbound.jitterBufferDelay ?? 0,
    };
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const known = values => values.filter(value => value !== null);

function measures(samples) {
    const first = samples[0];
    const last = samples.at(-1);
    const lost = Math.max(0, last.lost - first.lost);
    const received = last.received - first.received;
    return {
        'loss-in': lost + received > 0 ? lost / (lost + received) : 0,
        'jitter': median(known(samples.map(sample => sample.jitter))),
        'delay': median(known(samples.map(sample => sample.delay))),
    };
}

function judgeOnce(values) {
    let worst = { level: 'good', hint: '' };
    for (const { measure, fair, poor } of LIMITS) {
        const level = values[measure] >= poor ? 'poor' : values[measure] >= fair ? 'fair' : 'good';
        if (ORDER.indexOf(level) > ORDER.indexOf(worst.level)) {
            worst = { level, hint: level === 'poor' ? `${measure}-poor` : measure };
        }
    }
    return worst;
}

/** One object a call. */
export class QualityJudge {
    #samples = [];
    #stalled = 0;
    #said = null;
    #better = 0;

    /**
     * @param {Sample} sample           one second after the one before
     * @param {number} silentMs         how long our microphone has given digital silence; 0 when muted
     * @returns {{level: 'measuring'|'good'|'fair'|'poor', hint: string}} hint: key after
     *          quality.hint. in i18n/, '' = none
     */
    push(sample, silentMs = 0) {
        const before = this.#samples.at(-1);
        this.#stalled = before && before.received === sample.received ? this.#stalled + 1 : 0;
        this.#samples = [...this.#samples, sample].slice(-WINDOW - 1);
        if (this.#stalled >= NOTHING_AFTER) {
            this.#said = { level: 'poor', hint: 'nothing-in' };
            this.#better = 0;
            return this.#said;
        }
        if (this.#samples.length < 3) {
            return { level: 'measuring', hint: '' };
        }
        const verdict = this.#settle(judgeOnce(measures(this.#samples)));
        return verdict.level === 'good' && silentMs >= SILENT_MICROPHONE_MS
            ? { level: 'good', hint: 'silent-microphone' }
            : verdict;
    }

    #settle(found) {
        const isBetter = this.#said && ORDER.indexOf(found.level) < ORDER.indexOf(this.#said.level);
        this.#better = isBetter ? this.#better + 1 : 0;
        if (!isBetter || this.#better >= BETTER_AFTER) {
            this.#said = found;
            this.#better = 0;
        }
        return this.#said;
    }
}
