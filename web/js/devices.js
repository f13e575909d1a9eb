/** Microphones and speakers: open, list, and say in one word why it does not work. */

/** DOMException names of getUserMedia to the reasons of reasons.js. */
const MICROPHONE_REASONS = Object.freeze({
    NotAllowedError: 'microphone-refused',
    SecurityError: 'microphone-refused',
    NotFoundError: 'microphone-none',
    NotReadableError: 'microphone-in-use',
    AbortError: 'microphone-in-use',
});

/** @returns {string} a key of ENDINGS (reasons.js) */
export function microphoneReason(error) {
    return MICROPHONE_REASONS[error?.name] ?? 'microphone-failed';
}

/**
 * @param {string} id          deviceId; '' = the system's choice. One that is gone counts as ''.
 * @param {boolean} processed  echo cancellation, noise suppression and gain control
 * @returns {Promise<MediaStream>} with one audio track; the caller stops it
 * @throws {DOMException} see microphoneReason
 */
export async function openMicrophone(id, processed = true) {
    const processing = {
        echoCancellation: processed,
        noiseSuppression: processed,
        autoGainControl: processed,
    };
    if (id !== '') {
        try {
            return await navigator.mediaDevices.getUserMedia({ audio: { ...processing, deviceId: { exact: id } } });
        } catch (error) {
            if (!['OverconstrainedError', 'NotFoundError'].includes(error.name)) {
                throw error;
            }
        }
    }
    return navigator.mediaDevices.getUserMedia({ audio: processing });
}

export function closeStream(stream) {
    for (const track of stream?.getTracks() ?? []) {
        track.stop();
    }
}

/**
 * Before the microphone was allowed once, browsers give devices without names: then the lists are empty.
 *
 * @returns {Promise<{microphones: MediaDeviceInfo[], speakers: MediaDeviceInfo[]}>}
 */
export async function listDevices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    const named = kind => all.filter(device => device.kind === kind && device.label !== '' && device.deviceId !== 'default');
    return { microphones: named('audioinput'), speakers: named('audiooutput') };
}

/** Safari and older Firefox leave the speaker to the system. */
export const canChooseSpeaker = () => 'setSinkId' in HTMLMediaElement.prototype;
