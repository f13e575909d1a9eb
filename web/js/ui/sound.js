/** The dialog for microphone and speaker, before a call and in it. */
import { canChooseSpeaker, closeStream, listDevices, microphoneReason, openMicrophone } from '../devices.js';
import { unlockAudio } from '../audio.js';
import { onLanguage, t } from '../i18n.js';
import { LevelMeter } from '../levels.js';
import { recall, remember } from '../storage.js';
import { byId, setText } from './dom.js';

/** Louder than this on the meter (0..1) is a voice. */
const HEARD = .3;
const METER_MS = 60;

export class SoundDialog {
    #on;
    #dialog = byId('sound');
    #trial = null;   /* { stream, meter, timer } while the microphone is tested */
    #problem = '';

    /**
     * @param {{microphone: (id: string) => Promise<void>, speaker: (id: string) => Promise<void>,
     *          test: () => void, processed: boolean}} on
     *        microphone, speaker: carry out a choice, reject when it cannot be done
     */
    constructor(on) {
        this.#on = on;
        for (const button of document.querySelectorAll('[data-open="sound"]')) {
            button.addEventListener('click', () => this.open());
        }
        byId('microphone').addEventListener('change', () => this.#chooseMicrophone());
        byId('speaker').addEventListener('change', () => this.#chooseSpeaker());
        byId('try-microphone').addEventListener('click', () => (this.#trial ? this.#stopTrial() : this.#startTrial()));
        byId('try-speaker').addEventListener('click', () => this.#on.test());
        this.#dialog.addEventListener('close', () => this.#stopTrial());
        navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#dialog.open && this.#list());
        onLanguage(() => this.#dialog.open && this.#list());
        byId('speaker-part').hidden = !canChooseSpeaker();
        byId('speaker-none').hidden = canChooseSpeaker();
    }

    open() {
        this.#problem = '';
        this.#label();
        this.#list();
        this.#dialog.showModal();
    }

    /** Somebody calls: that comes first. */
    close() {
        if (this.#dialog.open) {
            this.#dialog.close();
        }
    }

    async #list() {
        const { microphones, speakers } = await listDevices();
        fill(byId('microphone'), microphones, recall('microphone'));
        fill(byId('speaker'), speakers, recall('speaker'));
    }

    async #chooseMicrophone() {
        remember('microphone', byId('microphone').value);
        try {
            await this.#on.microphone(byId('microphone').value);
            if (this.#trial) {
                this.#stopTrial();
                await this.#startTrial();
            }
        } catch (error) {
            this.#explain(error);
        }
    }

    async #chooseSpeaker() {
        remember('speaker', byId('speaker').value);
        try {
            await this.#on.speaker(byId('speaker').value);
        } catch (error) {
            remember('speaker', '');
            byId('speaker').value = '';
            console.warn('the speaker cannot be used:', error.message);
        }
    }

    async #startTrial() {
        unlockAudio();
        this.#problem = '';
        let stream = null;
        try {
            stream = await openMicrophone(recall('microphone'), this.#on.processed);
        } catch (error) {
            this.#explain(error);
            return;
        }
        if (!this.#dialog.open) {
            closeStream(stream);
            return;
        }
        const meter = new LevelMeter(stream);
        const timer = setInterval(() => this.#measure(), METER_MS);
        this.#trial = { stream, meter, timer, heard: false };
        this.#label();
        this.#list();  /* now that it is allowed, devices have names */
    }

    #measure() {
        const level = Math.max(0, this.#trial.meter.read());
        byId('level-try').style.transform = `scaleX(${level.toFixed(3)})`;
        if (level > HEARD && !this.#trial.heard) {
            this.#trial.heard = true;
            this.#label();
        }
    }

    #stopTrial() {
        if (this.#trial) {
            clearInterval(this.#trial.timer);
            this.#trial.meter.close();
            closeStream(this.#trial.stream);
            this.#trial = null;
            byId('level-try').style.removeProperty('transform');
        }
        this.#label();
    }

    #explain(error) {
        this.#problem = microphoneReason(error);
        this.#label();
    }

    #label() {
        setText(byId('try-microphone'), t(this.#trial ? 'sound.stop-microphone' : 'sound.try-microphone'));
        setText(byId('try-text'), this.#trialText());
    }

    #trialText() {
        if (this.#problem) {
            return `${t(`ended.${this.#problem}.title`)}. ${t(`ended.${this.#problem}.hint`)}`;
        }
        if (!this.#trial) {
            return '';
        }
        return t(this.#trial.heard ? 'sound.try-heard' : 'sound.try-speak');
    }
}

/** The system's choice first; a remembered device that is not plugged in counts as the system's choice. */
function fill(select, devices, chosen) {
    const options = [new Option(t('sound.default'), '')];
    for (const device of devices) {
        options.push(new Option(device.label, device.deviceId));
    }
    select.replaceChildren(...options);
    select.value = chosen;
    if (select.selectedIndex < 0) {
        select.value = '';
    }
}
