/**
 * The page put together: events go through the state machine, effects are carried out here, views
 * show the state. Nothing here decides what a call does; that is state.js.
 *
 *     clicks, WebSocket, media ── dispatch ──► state.js: step ──► state ──► views, ringing, title
 *                                                     ╰─ effects ──► WebSocket, media, storage
 */
import { unlockAudio } from './audio.js';
import { httpsAddress, obstacle, signalingUrl, wishes } from './environment.js';
import { initLanguage, onLanguage, t } from './i18n.js';
import { Lines } from './lines.js';
import { CallMedia } from './media.js';
import { CallMeters } from './meters.js';
import { Attention } from './notify.js';
import { Ringer, playOnce } from './ringer.js';
import { Signaling } from './signaling.js';
import { initialState, isInCall, step } from './state.js';
import { recall, remember, rememberPeer } from './storage.js';
import { Banner } from './ui/banner.js';
import { CallView, recordingNotice } from './ui/call.js';
import { byId } from './ui/dom.js';
import { EndedView } from './ui/ended.js';
import { initLanguageButtons } from './ui/language.js';
import { ReadyView } from './ui/ready.js';
import { say, sayNow } from './ui/say.js';
import { SoundDialog } from './ui/sound.js';
import { showView } from './ui/views.js';
import { WelcomeView } from './ui/welcome.js';
import { keepAwake } from './wake.js';

/** A name that a lost connection still holds is asked for again after this pause [ms]. */
const REGISTER_AGAIN_MS = 3000;

function showObstacle(what) {
    const show = () => {
        const address = httpsAddress(location);
        byId('blocked-title').textContent = t(`blocked.${what}.title`);
        byId('blocked-hint').textContent = t(`blocked.${what}.hint`, { detail: address });
        byId('blocked-link').hidden = what !== 'insecure';
        byId('blocked-url').href = address;
        byId('blocked-url').textContent = t('blocked.insecure.link');
    };
    onLanguage(show);
    show();
    showView('blocked');
}

function startPage() {
    const wish = wishes(location);
    const remote = byId('remote');
    const ringer = new Ringer();
    const attention = new Attention();
    let state = initialState();
    let media = null;
    let lines = new Lines();
    let shownLevel = '';

    const now = () => performance.now();
    const speaker = id => remote.setSinkId?.(id) ?? Promise.resolve();

    /* An effect may raise the next event at once: it waits until this one is shown. */
    const waiting = [];
    let isBusy = false;

    function dispatch(event) {
        waiting.push({ now: now(), ...event });
        if (isBusy) {
            return;
        }
        isBusy = true;
        try {
            while (waiting.length > 0) {
                handle(waiting.shift());
            }
        } finally {
            isBusy = false;
        }
    }

    function handle(event) {
        const previous = state;
        const result = step(state, event);
        state = result.state;
        for (const effect of result.effects) {
            EFFECTS[effect.do](effect);
        }
        show(previous);
    }

    const link = new Signaling(signalingUrl(location), {
        opening: () => dispatch({ type: 'LINK_OPENING' }),
        open: () => dispatch({ type: 'LINK_OPEN' }),
        lost: ({ stopped }) => dispatch({ type: 'LINK_LOST', stopped }),
        message: message => {
            if (message.id === 'error') {
                console.warn('the server refused a message:', message.message);
            }
            if (message.id === 'quality' && message.callId === state.callId) {
                lines.told(message, now());
                return;
            }
            dispatch({ type: 'SERVER', message });
        },
    });

    const views = {
        welcome: new WelcomeView(dispatch, { name: wish.name || recall('name'), peer: wish.peer }),
        ready: new ReadyView(dispatch, wish),
        call: new CallView(dispatch),
        ended: new EndedView(dispatch),
        banner: new Banner(() => link.retryNow()),
    };

    const meters = new CallMeters({
        levels: (you, them) => views.call.showLevels(you, them),
        second: () => views.call.showTime(now() - state.talkingSince),
        quality: verdict => showQuality(verdict),
        hearing: hearing => link.send({ id: 'quality', callId: state.callId, ...hearing }),
    });

    const sound = new SoundDialog({
        microphone: id => media?.useMicrophone(id) ?? Promise.resolve(),
        speaker,
        test: () => {
            unlockAudio();
            testSpeaker();
        },
        processed: wish.processed,
    });

    /** Through the remote element's speaker, not the AudioContext's: that one is what is being chosen. */
    function testSpeaker() {
        const context = new AudioContext();
        const chosen = recall('speaker');
        const ready = chosen && context.setSinkId ? context.setSinkId(chosen).catch(() => {}) : Promise.resolve();
        ready.then(() => playOnce('test', context.destination));
        setTimeout(() => context.close(), 2000);
    }

    function startMedia(call) {
        media = new CallMedia({
            offer: sdp => dispatch({ type: 'OFFER', call, sdp }),
            reoffer: sdp => dispatch({ type: 'REOFFER', call, sdp }),
            candidate: candidate => dispatch({ type: 'CANDIDATE', call, candidate }),
            microphone: stream => meters.hearYou(stream),
            remote: stream => playRemote(stream),
            up: () => dispatch({ type: 'MEDIA_UP', call }),
            weak: () => dispatch({ type: 'MEDIA_WEAK', call }),
            failed: (reason, detail) => dispatch({ type: 'MEDIA_FAILED', call, reason, detail }),
            unplugged: label => views.call.notice(
                label ? 'call.microphone-changed' : 'call.microphone-gone', { detail: label }, state),
        }, wish.processed);
        media.start(recall('microphone'));
    }

    async function playRemote(stream) {
        meters.hearThem(stream);
        remote.srcObject = stream;
        try {
            await speaker(recall('speaker'));
        } catch {
            remember('speaker', '');  /* not plugged in any more */
        }
        try {
            await remote.play();
        } catch (error) {
            if (error.name !== 'NotAllowedError') {
                return;  /* the call ended meanwhile */
            }
            views.call.notice('call.tap-to-hear', { peer: state.peer }, state);
            addEventListener('click', () => {
                remote.play().catch(() => {});
                views.call.notice('', {}, state);
            }, { once: true });
        }
    }

    function stopMedia() {
        meters.stop();
        media?.close();
        media = null;
        remote.srcObject = null;
        views.call.clearLevels();
    }

    const EFFECTS = {
        'link-open': () => link.open(),
        'link-close': () => link.close(),
        'send': ({ message }) => link.send(message),
        'register-later': () => setTimeout(() => dispatch({ type: 'REGISTER_AGAIN' }), REGISTER_AGAIN_MS),
        'media-start': ({ call }) => startMedia(call),
        'media-answer': ({ sdp }) => media.answer(sdp),
        'media-reanswer': ({ sdp }) => media.reanswer(sdp),
        'media-unanswered': () => media.unanswered(),
        'media-candidate': ({ candidate }) => media.candidate(candidate),
        'media-mute': ({ muted }) => media.mute(muted),
        'media-stop': stopMedia,
        'remember-name': ({ name }) => remember('name', name),
        'remember-peer': ({ peer }) => rememberPeer(peer),
    };

    /* ---- what follows from the state ---- */

    function showQuality(verdict) {
        if (state.phase === 'talking') {
            const word = state.weak
                ? { level: 'lost', hint: 'reconnecting', whose: '' }
                : lines.word(verdict, now());
            const said = views.call.showQuality(word, state.peer);
            if (word.level !== shownLevel && ['poor', 'lost'].includes(word.level)) {
                say(said);
            }
            shownLevel = word.level;
        }
    }

    function show(previous) {
        for (const view of Object.values(views)) {
            view.render(state, previous);
        }
        const fresh = state.phase !== previous.phase && state.phase === 'incoming';
        if (state.phase === 'incoming' || state.phase === 'ended') {
            sound.close();
        }
        showView(state.phase, fresh);
        if (state.nameProblem && state.nameProblem !== previous.nameProblem && state.phase === 'welcome') {
            views.welcome.focusProblem();
            say(t(state.nameProblem.key, state.nameProblem.params));
        }
        if (state.peerProblem && state.peerProblem !== previous.peerProblem) {
            views.ready.focusProblem();
            say(t(state.peerProblem.key, state.peerProblem.params));
        }
        if (state.weak !== previous.weak && state.phase === 'talking') {
            showQuality({ level: 'measuring', hint: '' });
            if (!state.weak) {
                say(t('call.reconnected-say'));
            }
        }
        if (state.phase !== previous.phase) {
            entered(state.phase, previous);
        }
        /* That what was announced has begun need not be said again; anything else must be. */
        if (state.recorded !== previous.recorded && ['you', 'them', 'none', 'stopped'].includes(state.recorded)) {
            say(`${recordingNotice(state)}.`);
        }
        ring();
        speakLink(previous);
    }

    /** A sentence, and what is recorded. */
    const withNotice = sentence => (state.recorded ? `${sentence} ${recordingNotice(state)}.` : sentence);

    function entered(phase, previous) {
        const { peer } = state;
        if (previous.phase === 'incoming' || previous.phase === 'talking') {
            attention.stop(t('title.idle'));
        }
        keepAwake(isInCall(state));
        const arrive = {
            ready: () => say(`${t('ready.title', { name: state.name })}. ${t('ready.online')}.`),
            preparing: () => say(t('call.preparing')),
            calling: () => say(t('call.calling')),
            incoming: () => {
                attention.start(t('title.incoming', { peer }), t('notification.body'), t('title.idle'));
                sayNow(withNotice(t('call.incoming-say', { peer })));
            },
            connecting: () => say(t('call.connecting')),
            talking: () => {
                document.title = t('title.talking', { peer });
                playOnce('connected');
                lines = new Lines();
                shownLevel = '';
                views.call.showQuality({ level: 'measuring', hint: '', whose: '' }, peer);
                meters.start(media, () => state.muted);
                say(withNotice(t('call.connected-say', { peer })));
            },
            ended: () => {
                const { reason } = state.ending;
                if (previous.phase === 'talking' || previous.phase === 'calling' || previous.phase === 'connecting') {
                    playOnce('ended');
                }
                say(`${t(`ended.${reason}.title`, { peer })}. ${t(`ended.${reason}.hint`, { peer })}`);
            },
        };
        arrive[phase]?.();
    }

    let silenced = false;

    function ring() {
        silenced &&= state.phase === 'incoming';
        const wanted = state.phase === 'incoming' && !silenced ? 'incoming'
            : state.phase === 'calling' && state.ringing ? 'ringback' : '';
        ringer.play(wanted);
    }

    function speakLink(previous) {
        if (previous.link !== 'waiting' && state.link === 'waiting') {
            say(t(isInCall(state) ? 'link.waiting-call' : 'link.waiting'));
        } else if (!previous.registered && state.registered && previous.phase !== 'joining') {
            say(t('link.back-say'));
        }
        if (state.phase === 'calling' && state.ringing && !previous.ringing) {
            say(withNotice(t('call.ringing')));
        }
    }

    /**
     * Escape takes back what is not yet under way, and never ends a conversation. While it rings here
     * it makes silence: a key pressed by mistake must not lose a call.
     */
    const ESCAPE = {
        preparing: () => dispatch({ type: 'HANG_UP' }),
        calling: () => dispatch({ type: 'HANG_UP' }),
        connecting: () => dispatch({ type: 'HANG_UP' }),
        incoming: () => {
            silenced = true;
            ring();
            say(t('call.silenced', { peer: state.peer }));
        },
        ended: () => dispatch({ type: 'DISMISS' }),
    };

    addEventListener('keydown', event => {
        if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) {
            ESCAPE[state.phase]?.();
        }
    });

    for (const gesture of ['pointerdown', 'keydown']) {
        addEventListener(gesture, unlockAudio, { capture: true });
    }

    /* Closed or left: the other side hears it at once, the name is free at once. */
    addEventListener('pagehide', () => {
        if (isInCall(state)) {
            dispatch(state.phase === 'incoming' ? { type: 'DECLINE' } : { type: 'HANG_UP' });
        }
        link.close();
    });

    /* Brought back from the browser's memory: its connection is gone, so it begins anew. */
    addEventListener('pageshow', event => event.persisted && location.reload());

    onLanguage(() => show(state));
    show(state);
}

initLanguage();
initLanguageButtons();

const what = obstacle();
if (what) {
    showObstacle(what);
} else {
    startPage();
}
