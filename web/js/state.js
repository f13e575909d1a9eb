/**
 * The page as a state machine: events in, a new state and effects out. It knows no DOM, no socket
 * and no clock, so that tests/web/state.test.mjs can play every story under node.
 *
 *     welcome → joining → ready ─ call ──→ preparing → calling ──→ connecting → talking → ended
 *                           │                  ↑  (callee)  ╰──────────↑                    │
 *                           ├─ incomingCall → incoming ─ answer → preparing                 │
 *                           ╰←──────────────────────────────────────────────────────────────╯
 *
 * Beside the phase runs the link (the WebSocket): it can be lost and come back in any phase. A call
 * whose audio already flows outlives it, because audio does not pass through the WebSocket.
 *
 * Effects are data; js/main.js carries them out:
 *     { do: 'link-open' }               open the WebSocket, keep it open
 *     { do: 'link-close' }              close it, for good
 *     { do: 'send', message }           one frame
 *     { do: 'register-later' }          come back with REGISTER_AGAIN after a pause
 *     { do: 'media-start', call }       microphone and offer; comes back as OFFER or MEDIA_FAILED
 *     { do: 'media-answer', sdp }       the server's answer
 *     { do: 'media-reanswer', sdp }     the server's answer to a later offer
 *     { do: 'media-unanswered' }        there will be none
 *     { do: 'media-candidate', candidate }
 *     { do: 'media-stop' }              close everything of the call
 *     { do: 'media-mute', muted }
 *     { do: 'remember-name', name }, { do: 'remember-peer', peer }
 */
import { checkName } from './names.js';
import { endingOf } from './reasons.js';

/** Phase → phases that may follow. Checked by every change of phase. */
const NEXT = Object.freeze({
    welcome: ['joining'],
    joining: ['ready', 'welcome'],
    ready: ['preparing', 'incoming', 'welcome'],
    preparing: ['calling', 'connecting', 'ready', 'welcome', 'ended'],
    calling: ['connecting', 'ready', 'welcome', 'ended'],
    incoming: ['preparing', 'ready', 'welcome', 'ended'],
    connecting: ['talking', 'ready', 'welcome', 'ended'],
    talking: ['ended'],
    ended: ['ready', 'welcome', 'preparing', 'incoming'],
});

/** Phases in which there is a call that the other side or the server knows about. */
const IN_CALL = ['preparing', 'calling', 'incoming', 'connecting', 'talking'];

/**
 * After a lost connection the server may hold the old socket, and so the name, until it has missed
 * its pings (20 to 30 s). Only after this many refusals do we believe that somebody else has it.
 */
export const REGISTER_TRIES = 12;

/**
 * @typedef {object} State
 * @property {'welcome'|'joining'|'ready'|'preparing'|'calling'|'incoming'|'connecting'|'talking'|'ended'} phase
 * @property {'closed'|'opening'|'open'|'waiting'} link  waiting = lost, will be tried again
 * @property {boolean} registered  the server knows us by `name` now
 * @property {string} name         our own; '' before the first JOIN
 * @property {string} ownedName    the name that the server gave us last; '' = none yet
 * @property {number} refusals     of that name, one after another, since the link came back
 * @property {{key: string, params?: object}|null} nameProblem  shown at the name
 * @property {{key: string, params?: object}|null} peerProblem  shown at "who do you want to call"
 * @property {string} peer         the other side of the call that is or was
 * @property {'caller'|'callee'} role
 * @property {string} callId       what the server calls it; '' = not told yet
 * @property {number} call         number of the call in this page; events of older calls are ignored
 * @property {boolean} ringing     the server has told us that it rings over there
 * @property {boolean} answered    the server's answer was applied
 * @property {boolean} heldOver    the link was lost during this call
 * @property {boolean} weak        no audio gets through at the moment
 * @property {''|'soon'|'both'|'you'|'them'|'none'|'stopped'} recorded  what the server records of this
 *           call: '' it never said so; soon = it means to; then what it in fact does, of whose voice;
 *           none = it could not begin; stopped = it could not go on
 * @property {boolean} muted
 * @property {number} talkingSince [ms, the clock of the events' `now`]; 0 = not yet
 * @property {{reason: string, detail: string, talkedMs: number}|null} ending
 */

/** What a call has come to, before anything came: every call begins with this. */
const NO_CALL = Object.freeze({
    ringing: false, answered: false, heldOver: false, weak: false, recorded: '', muted: false,
    talkingSince: 0, ending: null,
});

/** @returns {State} */
export function initialState() {
    return {
        phase: 'welcome', link: 'closed', registered: false,
        name: '', ownedName: '', refusals: 0, nameProblem: null, peerProblem: null,
        peer: '', role: 'caller', callId: '', call: 0, ...NO_CALL,
    };
}

/* ---- changes that several events share ---- */

function to(state, phase, changes = {}) {
    if (phase !== state.phase && !NEXT[state.phase].includes(phase)) {
        throw new Error(`no way from ${state.phase} to ${phase}`);
    }
    return { ...state, phase, ...changes };
}

const send = message => ({ do: 'send', message });
const register = state => send({ id: 'register', name: state.name, extras: true });
const withId = callId => (callId ? { callId } : {});
const answerCall = (from, sdpOffer, callId) =>
    send({ id: 'incomingCallResponse', from, callResponse: 'accept', sdpOffer, ...withId(callId) });
const refuseCall = (from, message, callId) =>
    send({ id: 'incomingCallResponse', from, callResponse: 'reject', message, ...withId(callId) });
const stay = (state, changes, ...effects) => ({ state: { ...state, ...changes }, effects });
const ignore = state => ({ state, effects: [] });

/** Where the user is when there is no call: ready, or back at the name when that was lost meanwhile. */
function home(state) {
    const phase = state.nameProblem ? 'welcome' : 'ready';
    return to(state, phase, { ending: null, peerProblem: null });
}

function begin(state, role, peer, callId) {
    return to(state, 'preparing', { ...NO_CALL, role, peer, callId, call: state.call + 1, peerProblem: null });
}

function end(state, reason, { detail = '', now = 0, tell = null } = {}) {
    const talkedMs = state.talkingSince > 0 ? Math.max(0, now - state.talkingSince) : 0;
    const effects = [];
    if (tell && state.link === 'open') {
        effects.push(tell);
    }
    effects.push({ do: 'media-stop' });
    return { state: to(state, 'ended', { ending: { reason, detail, talkedMs } }), effects };
}

/** What tells the server that we want no more of the call. */
function farewell(state) {
    if (state.phase === 'incoming' || (state.phase === 'preparing' && state.role === 'callee')) {
        return refuseCall(state.peer, 'user declined', state.callId);
    }
    /* A caller who still prepares has told nobody yet. */
    return state.phase === 'preparing' ? null : send({ id: 'stop', ...withId(state.callId) });
}

/* ---- what the user does ---- */

const USER = {
    JOIN(state, { name: typed }) {
        if (!['welcome', 'joining'].includes(state.phase)) {
            return ignore(state);
        }
        const { name, problem } = checkName(typed);
        if (problem) {
            return { state: to(state, 'welcome', { nameProblem: { key: `problem.name-${problem}` } }), effects: [] };
        }
        const joining = to(state, 'joining', { name, nameProblem: null, refusals: 0 });
        return { state: joining, effects: state.link === 'open' ? [register(joining)] : [{ do: 'link-open' }] };
    },

    /** Back to the name. The socket goes with the name, so that nobody can call it any more. */
    CHANGE_NAME(state) {
        if (state.phase !== 'ready') {
            return ignore(state);
        }
        const next = to(state, 'welcome', { registered: false, ownedName: '', link: 'closed', peerProblem: null });
        return { state: next, effects: [{ do: 'link-close' }] };
    },

    CALL(state, { peer: typed }) {
        if (!['ready', 'ended'].includes(state.phase)) {
            return ignore(state);
        }
        const { name: peer, problem } = checkName(typed);
        const refuse = key => ({ state: { ...home(state), peerProblem: { key } }, effects: [] });
        if (state.nameProblem) {
            return { state: home(state), effects: [] };
        }
        if (problem) {
            return refuse(problem === 'empty' ? 'problem.peer-empty' : `problem.name-${problem}`);
        }
        if (peer === state.name) {
            return refuse('problem.peer-self');
        }
        if (!state.registered) {
            return refuse('problem.offline');
        }
        const next = begin(state, 'caller', peer, '');
        return { state: next, effects: [{ do: 'remember-peer', peer }, { do: 'media-start', call: next.call }] };
    },

    ANSWER(state) {
        if (state.phase !== 'incoming') {
            return ignore(state);
        }
        const next = { ...begin(state, 'callee', state.peer, state.callId), recorded: state.recorded };
        return { state: next, effects: [{ do: 'remember-peer', peer: state.peer }, { do: 'media-start', call: next.call }] };
    },

    DECLINE(state) {
        return state.phase === 'incoming'
            ? { state: home(state), effects: [farewell(state)] }
            : ignore(state);
    },

    /** Cancel before the two are connected, hang up afterwards. */
    HANG_UP(state, { now }) {
        if (state.phase === 'talking') {
            return end(state, 'hung-up', { now, tell: farewell(state) });
        }
        if (!['preparing', 'calling', 'connecting'].includes(state.phase)) {
            return ignore(state);
        }
        const tell = state.link === 'open' ? farewell(state) : null;
        return { state: home(state), effects: [...(tell ? [tell] : []), { do: 'media-stop' }] };
    },

    DISMISS(state) {
        return state.phase === 'ended' ? { state: home(state), effects: [] } : ignore(state);
    },

    MUTE(state, { muted }) {
        return ['talking', 'connecting'].includes(state.phase)
            ? stay(state, { muted }, { do: 'media-mute', muted })
            : ignore(state);
    },
};

/* ---- what the link does ---- */

const LINK = {
    LINK_OPENING: state => stay(state, { link: state.link === 'waiting' ? 'waiting' : 'opening' }),

    LINK_OPEN(state) {
        const open = { ...state, link: 'open', refusals: 0 };
        return { state: open, effects: state.phase === 'welcome' ? [] : [register(open)] };
    },

    /** @param event.stopped  the server closed in order: it is going away */
    LINK_LOST(state, { stopped = false, now }) {
        const lost = { ...state, link: 'waiting', registered: false };
        if (!IN_CALL.includes(state.phase)) {
            return { state: lost, effects: [] };
        }
        /* With the answer applied the audio stands on its own feet: let it go on while it lasts. */
        if (state.answered && !stopped) {
            return { state: { ...lost, heldOver: true }, effects: [] };
        }
        return end(lost, stopped ? 'server-stopped' : 'server-lost', { now });
    },

    REGISTER_AGAIN: state =>
        state.link === 'open' && !state.registered && state.phase !== 'welcome'
            ? { state, effects: [register(state)] }
            : ignore(state),
};

/* ---- what the media does ---- */

const MEDIA = {
    OFFER(state, { sdp }) {
        if (state.phase !== 'preparing') {
            return ignore(state);
        }
        return state.role === 'caller'
            ? { state: to(state, 'calling'),
                effects: [send({ id: 'call', from: state.name, to: state.peer, sdpOffer: sdp })] }
            : { state: to(state, 'connecting'), effects: [answerCall(state.peer, sdp, state.callId)] };
    },

    /** Only the server that has the call can answer it. */
    REOFFER(state, { sdp }) {
        const hasCall = ['connecting', 'talking'].includes(state.phase) && state.answered
            && state.link === 'open' && !state.heldOver;
        return hasCall
            ? { state, effects: [send({ id: 'reoffer', sdpOffer: sdp, ...withId(state.callId) })] }
            : { state, effects: [{ do: 'media-unanswered' }] };
    },

    CANDIDATE(state, { candidate }) {
        /* `call` and the answer go out first: a candidate belongs to an offer that the server has. */
        return ['calling', 'connecting', 'talking'].includes(state.phase) && state.link === 'open' && !state.heldOver
            ? { state, effects: [send({ id: 'onIceCandidate', candidate })] }
            : ignore(state);
    },

    MEDIA_UP(state, { now }) {
        if (state.phase === 'connecting') {
            return { state: to(state, 'talking', { talkingSince: now, weak: false }), effects: [] };
        }
        return state.phase === 'talking' ? stay(state, { weak: false }) : ignore(state);
    },

    MEDIA_WEAK(state, { now }) {
        if (state.phase !== 'talking') {
            return ignore(state);
        }
        /* The server forgot this call with our socket: what is weak now does not come back. */
        return state.heldOver ? end(state, 'server-lost', { now }) : stay(state, { weak: true });
    },

    MEDIA_FAILED(state, { reason, detail = '', now }) {
        if (!['preparing', 'calling', 'connecting', 'talking'].includes(state.phase)) {
            return ignore(state);
        }
        return end(state, state.heldOver ? 'server-lost' : reason, { detail, now, tell: farewell(state) });
    },
};

/* ---- what the server says (docs/protocol.md) ---- */

/** What is to come of the call, as the server means it. */
const meant = ({ recorded }) => (recorded === true ? 'soon' : '');

const textOf = message => (typeof message.message === 'string' ? message.message : '');

const NAME_PROBLEMS = Object.freeze({
    'server-full': 'problem.server-full',
    'server-shutdown': 'problem.server-stopped',
});

/** The name was refused. Ours from before a lost connection is asked for again; a new one is not. */
function nameRefused(state, message) {
    const taken = message.reason === 'name-taken' || /already registered/.test(`${textOf(message)}${message.response}`);
    if (taken && state.ownedName === state.name && state.refusals < REGISTER_TRIES) {
        return stay(state, { refusals: state.refusals + 1 }, { do: 'register-later' });
    }
    const key = taken ? 'problem.name-taken' : NAME_PROBLEMS[message.reason] ?? 'problem.name-refused';
    const nameProblem = { key, params: { name: state.name, detail: textOf(message) } };
    const refused = { ...state, registered: false, ownedName: '', nameProblem };
    return ['joining', 'ready'].includes(state.phase)
        ? { state: to(refused, 'welcome'), effects: [] }
        : { state: refused, effects: [] };
}

const SERVER = {
    registerResponse(state, message) {
        if (state.phase === 'welcome') {
            return ignore(state);
        }
        if (message.response !== 'accepted') {
            return nameRefused(state, message);
        }
        const known = { ...state, registered: true, ownedName: state.name, refusals: 0, nameProblem: null };
        return {
            state: state.phase === 'joining' ? to(known, 'ready') : known,
            effects: [{ do: 'remember-name', name: state.name }],
        };
    },

    incomingCall(state, message) {
        const { from, callId = '' } = message;
        const recorded = meant(message);
        if (typeof from !== 'string' || from === '') {
            return ignore(state);
        }
        if (['ready', 'ended'].includes(state.phase)) {
            const rung = { ...NO_CALL, peer: from, role: 'callee', callId, recorded, peerProblem: null };
            return { state: to(state, 'incoming', rung), effects: [] };
        }
        if (from === state.peer && state.role === 'caller') {
            /* Both call each other. Still preparing: our offer becomes the answer to their call.
             * Already sent: the server takes our call for the answer, there is nothing to say. */
            if (state.phase === 'preparing') {
                return stay(state, { role: 'callee', callId, recorded });
            }
            if (state.phase === 'calling') {
                return ignore(state);
            }
        }
        return IN_CALL.includes(state.phase)
            ? { state, effects: [refuseCall(from, 'bussy', callId)] }
            : ignore(state);
    },

    ringing: (state, message) =>
        (state.phase === 'calling'
            ? stay(state, { ringing: true, callId: message.callId ?? '', recorded: meant(message) })
            : ignore(state)),

    callResponse(state, message, now) {
        if (state.phase !== 'calling') {
            return ignore(state);
        }
        if (message.response !== 'accepted') {
            return end(state, endingOf(message, 'caller', false), { detail: textOf(message), now });
        }
        return {
            state: to(state, 'connecting', {
                answered: true, callId: message.callId ?? state.callId, recorded: meant(message),
            }),
            effects: [{ do: 'media-answer', sdp: message.sdpAnswer }],
        };
    },

    startCommunication(state, message) {
        return state.phase === 'connecting' && !state.answered
            ? stay(state, { answered: true, recorded: meant(message) }, { do: 'media-answer', sdp: message.sdpAnswer })
            : ignore(state);
    },

    /** What it in fact records, from now on. */
    recording(state, { you, them }) {
        if (!['connecting', 'talking'].includes(state.phase)) {
            return ignore(state);
        }
        const begun = ['both', 'you', 'them', 'stopped'].includes(state.recorded);
        const nothing = begun ? 'stopped' : 'none';
        return stay(state, { recorded: you && them ? 'both' : you ? 'you' : them ? 'them' : nothing });
    },

    /** A refusal changes nothing: the audio has the way that it had, or none. */
    reofferResponse(state, message) {
        if (!['connecting', 'talking'].includes(state.phase)) {
            return ignore(state);
        }
        return message.response === 'accepted'
            ? { state, effects: [{ do: 'media-reanswer', sdp: message.sdpAnswer }] }
            : { state, effects: [{ do: 'media-unanswered' }] };
    },

    stopCommunication(state, message, now) {
        if (!IN_CALL.includes(state.phase)) {
            return ignore(state);
        }
        /* A caller who prepares has no call at the server yet: this is the echo of an older one. */
        if (state.phase === 'preparing' && state.role === 'caller') {
            return ignore(state);
        }
        const accepted = !['incoming', 'preparing'].includes(state.phase);
        return end(state, endingOf(message, state.role, accepted), { detail: textOf(message), now });
    },

    iceCandidate: (state, { candidate }) =>
        (['calling', 'connecting', 'talking'].includes(state.phase)
            ? { state, effects: [{ do: 'media-candidate', candidate }] }
            : ignore(state)),

    /** A frame of ours was refused. It matters when it was the one that we wait for. */
    error(state, message, now) {
        if (state.phase === 'joining') {
            return nameRefused(state, message);
        }
        const waiting = state.phase === 'calling' || (state.phase === 'connecting' && !state.answered);
        return waiting && message.reason !== 'too-many-candidates'
            ? end(state, 'refused', { detail: textOf(message), now, tell: farewell(state) })
            : ignore(state);
    },
};

/** A late word about a call that is over here must not end the next one. */
function isOfAnotherCall(state, { id, callId }) {
    return ['callResponse', 'startCommunication', 'recording', 'reofferResponse', 'stopCommunication'].includes(id)
        && Boolean(callId) && state.callId !== '' && callId !== state.callId;
}

/**
 * One event.
 *
 * @param {State} state
 * @param {{type: string, now?: number, call?: number}} event  `now` [ms]; `call` with media events:
 *        the number that media-start named
 * @returns {{state: State, effects: Array<{do: string}>}}
 *
 * Unknown messages of the server are ignored (it may be newer than this page); an unknown event type
 * is a bug and throws.
 */
export function step(state, event) {
    if (event.type === 'SERVER') {
        const { message } = event;
        const handler = Object.hasOwn(SERVER, message.id) ? SERVER[message.id] : null;
        return handler && !isOfAnotherCall(state, message)
            ? handler(state, message, event.now ?? 0)
            : ignore(state);
    }
    if (Object.hasOwn(MEDIA, event.type)) {
        return event.call === state.call ? MEDIA[event.type](state, event) : ignore(state);
    }
    const handler = USER[event.type] ?? LINK[event.type];
    if (!handler) {
        throw new Error(`unknown event ${event.type}`);
    }
    return handler(state, event);
}

/** Whether the machine is in a call of any kind. */
export const isInCall = state => IN_CALL.includes(state.phase);

export { NEXT as PHASES };
