/**
 * What is measured while two people talk: levels many times a second, quality and time once. Started
 * and stopped with the call.
 */
import { LevelMeter } from './levels.js';
import { ASK_EVERY_S, ASK_FIRST_S, hearingOf } from './lines.js';
import { QualityJudge, sampleOf } from './quality.js';
import { Ticker } from './timer.js';

/** Fast enough for the eye, slow enough for a phone's battery. */
const LEVEL_MS = 80;
const SECOND_MS = 1000;

/** How much of a level is left at the next reading: bars jump up and glide down. */
const FALL = .72;

export class CallMeters {
    #on;
    #you = null;
    #them = null;
    #shown = { you: 0, them: 0 };
    #silentSince = 0;
    #fast = new Ticker();
    #slow = new Ticker();

    /**
     * @param {{levels: (you: number, them: number) => void, second: () => void,
     *          quality: (verdict: object) => void, hearing: (hearing: object) => void}} on
     *        hearing: every few seconds, what was heard since the last time (lines.js)
     */
    constructor(on) {
        this.#on = on;
    }

    /** @param {MediaStream} stream */
    hearYou(stream) {
        this.#you?.close();
        this.#you = new LevelMeter(stream);
    }

    /** @param {MediaStream} stream */
    hearThem(stream) {
        this.#them?.close();
        this.#them = new LevelMeter(stream);
    }

    /** @param {import('./media.js').CallMedia} media  @param {() => boolean} isMuted */
    start(media, isMuted) {
        const judge = new QualityJudge();
        let seconds = 0;
        let last = null;
        this.#silentSince = 0;
        this.#fast.start(() => this.#readLevels(isMuted()), LEVEL_MS);
        this.#slow.start(async () => {
            this.#on.second();
            const report = await media.stats();
            const sample = report && sampleOf(report);
            seconds += 1;
            if (sample && seconds % ASK_EVERY_S === ASK_FIRST_S) {
                this.#on.hearing(hearingOf(last ?? sample, sample));
                last = sample;
            }
            if (sample) {
                this.#on.quality(judge.push(sample, this.#silentMs()));
            }
        }, SECOND_MS);
    }

    stop() {
        this.#fast.stop();
        this.#slow.stop();
        this.#you?.close();
        this.#them?.close();
        this.#you = null;
        this.#them = null;
        this.#shown = { you: 0, them: 0 };
    }

    #readLevels(muted) {
        const you = this.#you?.read() ?? 0;
        const them = this.#them?.read() ?? 0;
        if (muted || you >= 0) {
            this.#silentSince = 0;
        } else if (this.#silentSince === 0) {
            this.#silentSince = performance.now();
        }
        this.#shown.you = Math.max(muted ? 0 : you, this.#shown.you * FALL, 0);
        this.#shown.them = Math.max(them, this.#shown.them * FALL, 0);
        this.#on.levels(this.#shown.you, this.#shown.them);
    }

    #silentMs() {
        return this.#silentSince > 0 ? performance.now() - this.#silentSince : 0;
    }
}
