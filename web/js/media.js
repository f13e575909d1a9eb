/**
 * The media of one call: microphone, RTCPeerConnection, and what becomes of them. Both people's pages
 * make offers; the server answers both (docs/protocol.md).
 *
 * One object a call: made, start()ed, close()d, thrown away. After close() no handler is called.
 */
import { closeStream, microphoneReason, openMicrophone } from './devices.js';
import { Reconnect } from './reconnect.js';

/** A server that does not know later offers says nothing of use: this long is waited for one [ms]. */
const REANSWER_MS = 5000;

/**
 * Send what the microphone gives. Without `adaptivePtime` Chromium keeps Opus at 32 kbit/s and 20 ms whatever
 * the line; with it a thin line gets longer frames and fewer bits. Who does not know the word ignores it.
 *
 * @returns {RTCRtpSender}
 */
export function sendMicrophone(connection, stream) {
    const track = stream.getAudioTracks()[0];
    try {
        return connection.addTransceiver(track, {
            streams: [stream],
            sendEncodings: [{ adaptivePtime: true }],
        }).sender;
    } catch (error) {
        console.warn('the audio will not adapt to thin lines:', error.message);
        return connection.addTrack(track, stream);
    }
}

/**
 * @typedef {object} MediaHandlers
 * @property {(sdp: string) => void} offer
 * @property {(sdp: string) => void} reoffer           a later one, to find another way for the audio
 * @property {(candidate: object) => void} candidate   always after its offer
 * @property {(stream: MediaStream) => void} microphone  it is open, or another one took its place
 * @property {(stream: MediaStream) => void} remote    what the other side says
 * @property {() => void} up                           audio flows, or flows again
 * @property {() => void} weak                         nothing gets through, it may come back
 * @property {(reason: string, detail: string) => void} failed  for good; reason of reasons.js
 * @property {(label: string) => void} unplugged       the microphone is gone; now used: label, '' = none
 */

export class CallMedia {
    #on;
    #processed;
    #connection = null;
    #microphone = null;
    #sender = null;
    #muted = false;
    #closed = false;
    #wasUp = false;
    #offered = false;
    #earlyLocal = [];   /* ours, found before the offer was handed out */
    #earlyRemote = [];  /* the server's, before its answer was applied */
    #reconnect;
    #reanswerTimer = 0;
    #networkChanged = () => this.#reconnect.networkChanged();

    /**
     * @param {MediaHandlers} on
     * @param {boolean} processed  see openMicrophone
     */
    constructor(on, processed) {
        this.#on = on;
        this.#processed = processed;
        this.#reconnect = new Reconnect({
            restart: () => this.#restart(),
            giveUp: () => this.#fail(this.#wasUp ? 'media-lost' : 'media-failed', ''),
        });
        addEventListener('online', this.#networkChanged);
        navigator.connection?.addEventListener?.('change', this.#networkChanged);
    }

    /** @param {string} microphoneId  '' = the system's choice */
    async start(microphoneId) {
        try {
            const stream = await openMicrophone(microphoneId, this.#processed);
            if (this.#closed) {
                closeStream(stream);
                return;
            }
            this.#adopt(stream);
        } catch (error) {
            this.#fail(microphoneReason(error), error.message);
            return;
        }
        try {
            await this.#offer();
        } catch (error) {
            this.#fail('media-failed', error.message);
        }
    }

    /** The server's answer; candidates that came before it follow. */
    async answer(sdp) {
        try {
            await this.#connection.setRemoteDescription({ type: 'answer', sdp });
            for (const candidate of this.#earlyRemote.splice(0)) {
                this.#add(candidate);
            }
        } catch (error) {
            this.#fail('refused', error.message);
        }
    }

    /** The answer to `reoffer`. */
    async reanswer(sdp) {
        clearTimeout(this.#reanswerTimer);
        try {
            await this.#connection.setRemoteDescription({ type: 'answer', sdp });
        } catch (error) {
            console.warn('a later answer of the server was ignored:', error.message);
            this.unanswered();
        }
    }

    /** `reoffer` was refused, or nobody answers it: all is as it was. */
    unanswered() {
        clearTimeout(this.#reanswerTimer);
        if (!this.#closed && this.#connection.signalingState === 'have-local-offer') {
            this.#connection.setLocalDescription({ type: 'rollback' }).catch(error =>
                console.warn('an offer could not be taken back:', error.message));
        }
    }

    candidate(candidate) {
        if (this.#connection?.remoteDescription) {
            this.#add(candidate);
        } else {
            this.#earlyRemote.push(candidate);
        }
    }

    mute(muted) {
        this.#muted = muted;
        for (const track of this.#microphone?.getTracks() ?? []) {
            track.enabled = !muted;
        }
    }

    /**
     * @param {string} id  deviceId, '' = the system's choice
     * @throws {DOMException} nothing was changed
     */
    async useMicrophone(id) {
        const stream = await openMicrophone(id, this.#processed);
        if (this.#closed) {
            closeStream(stream);
            return;
        }
        const old = this.#microphone;
        this.#adopt(stream);
        await this.#sender?.replaceTrack(stream.getAudioTracks()[0]);
        closeStream(old);
    }

    /** @returns {Promise<RTCStatsReport|null>} */
    async stats() {
        return this.#connection && !this.#closed ? this.#connection.getStats() : null;
    }

    close() {
        this.#closed = true;
        this.#reconnect.close();
        clearTimeout(this.#reanswerTimer);
        removeEventListener('online', this.#networkChanged);
        navigator.connection?.removeEventListener?.('change', this.#networkChanged);
        this.#connection?.close();
        closeStream(this.#microphone);
    }

    async #offer() {
        const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
        this.#connection = connection;
        connection.addEventListener('icecandidate', ({ candidate }) => this.#found(candidate));
        connection.addEventListener('connectionstatechange', () => this.#changed(connection.connectionState));
        connection.addEventListener('track', ({ track, streams }) =>
            !this.#closed && this.#on.remote(streams[0] ?? new MediaStream([track])));
        this.#sender = sendMicrophone(connection, this.#microphone);
        await connection.setLocalDescription(await connection.createOffer());
        if (this.#closed) {
            return;
        }
        this.#on.offer(connection.localDescription.sdp);
        this.#releaseEarly();
    }

    #releaseEarly() {
        this.#offered = true;
        for (const candidate of this.#earlyLocal.splice(0)) {
            this.#on.candidate(candidate);
        }
    }

    /** One at a time: while an offer waits for its answer, nothing is offered. */
    async #restart() {
        const connection = this.#connection;
        if (this.#closed || connection?.signalingState !== 'stable') {
            return;
        }
        this.#offered = false;
        try {
            connection.restartIce();
            await connection.setLocalDescription(await connection.createOffer());
        } catch (error) {
            console.warn('the audio could not be reconnected:', error.message);
            return;
        }
        if (this.#closed) {
            return;
        }
        this.#reanswerTimer = setTimeout(() => this.unanswered(), REANSWER_MS);
        this.#on.reoffer(connection.localDescription.sdp);
        this.#releaseEarly();
    }

    #adopt(stream) {
        this.#microphone = stream;
        this.mute(this.#muted);
        stream.getAudioTracks()[0].addEventListener('ended', () => this.#unplugged(stream));
        this.#on.microphone(stream);
    }

    /** `ended` is not raised by our own stop(): the device went away. The system's choice takes its place. */
    async #unplugged(stream) {
        if (this.#closed || this.#microphone !== stream) {
            return;
        }
        try {
            await this.useMicrophone('');
        } catch {
            this.#on.unplugged('');
            return;
        }
        if (!this.#closed) {
            this.#on.unplugged(this.#microphone.getAudioTracks()[0].label);
        }
    }

    /** The end of candidates (null or empty) is not sent: the server does not wait for it. */
    #found(candidate) {
        if (this.#closed || !candidate?.candidate) {
            return;
        }
        if (this.#offered) {
            this.#on.candidate(candidate.toJSON());
        } else {
            this.#earlyLocal.push(candidate.toJSON());
        }
    }

    /** One that cannot be used costs nothing: there are others. */
    #add(candidate) {
        this.#connection.addIceCandidate(candidate).catch(error =>
            console.warn('a candidate of the server was ignored:', error.message));
    }

    #changed(state) {
        if (this.#closed) {
            return;
        }
        if (state === 'connected') {
            this.#wasUp = true;
            this.#on.up();
        } else if (state === 'disconnected' || (state === 'failed' && this.#wasUp)) {
            this.#on.weak();
        }
        this.#reconnect.state(state);
    }

    #fail(reason, detail) {
        if (!this.#closed) {
            this.#on.failed(reason, detail);
        }
    }
}
