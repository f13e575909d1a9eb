/** Every story of a call, told to the state machine: web/js/state.js. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PHASES, REGISTER_TRIES, initialState, step } from '../../web/js/state.js';

/** Plays events; remembers the effects of the last one and everything that was sent. */
class Play {
    state = initialState();
    effects = [];
    sent = [];

    do(type, fields = {}) {
        const result = step(this.state, { type, now: 0, call: this.state.call, ...fields });
        this.state = result.state;
        this.effects = result.effects;
        this.sent.push(...result.effects.filter(effect => effect.do === 'send').map(effect => effect.message));
        return this;
    }

    server(id, fields = {}, now = 0) {
        return this.do('SERVER', { message: { id, ...fields }, now });
    }

    get did() {
        return this.effects.map(effect => effect.do);
    }

    get lastSent() {
        return this.sent.at(-1);
    }
}

const welcome = () => new Play();
const ready = (name = 'alice') => welcome().do('JOIN', { name }).do('LINK_OPENING').do('LINK_OPEN')
    .server('registerResponse', { response: 'accepted' });
const preparing = () => ready().do('CALL', { peer: 'bob' });
const calling = () => preparing().do('OFFER', { sdp: 'offer-a' });
const callerConnecting = () => calling().server('ringing', { callId: 'c1' })
    .server('callResponse', { response: 'accepted', sdpAnswer: 'answer', callId: 'c1' });
const talking = (now = 1000) => callerConnecting().do('MEDIA_UP', { now });
const incoming = () => ready().server('incomingCall', { from: 'bob', callId: 'c2' });
const calleeConnecting = () => incoming().do('ANSWER').do('OFFER', { sdp: 'offer-b' });

test('a name opens the link, the open link registers it with extras', () => {
    const play = welcome().do('JOIN', { name: '  alice ' });
    assert.deepEqual(play.did, ['link-open']);
    play.do('LINK_OPEN');
    assert.deepEqual(play.lastSent, { id: 'register', name: 'alice', extras: true });
    play.server('registerResponse', { response: 'accepted' });
    assert.equal(play.state.phase, 'ready');
    assert.deepEqual(play.effects, [{ do: 'remember-name', name: 'alice' }]);
});

test('names that cannot be are refused before anything is sent', () => {
    for (const [name, key] of [['', 'empty'], ['   ', 'empty'], ['x'.repeat(65), 'long'], ['a\u0007b', 'control']]) {
        const play = welcome().do('JOIN', { name });
        assert.equal(play.state.phase, 'welcome');
        assert.equal(play.state.nameProblem.key, `problem.name-${key}`);
        assert.deepEqual(play.effects, []);
    }
    assert.equal(welcome().do('JOIN', { name: '😀'.repeat(64) }).state.phase, 'joining', '64 characters, not 64 code units');
});

test('a name that somebody has is said so, and another one is asked on the same link', () => {
    const play = welcome().do('JOIN', { name: 'alice' }).do('LINK_OPEN')
        .server('registerResponse', { response: 'rejected ', message: 'User alice is already registered', reason: 'name-taken' });
    assert.equal(play.state.phase, 'welcome');
    assert.equal(play.state.nameProblem.key, 'problem.name-taken');
    play.do('JOIN', { name: 'alice2' });
    assert.deepEqual(play.lastSent, { id: 'register', name: 'alice2', extras: true });
});

test('a server without reasons is understood by its sentences', () => {
    const taken = welcome().do('JOIN', { name: 'alice' }).do('LINK_OPEN')
        .server('registerResponse', { response: "rejected: user 'alice' already registered" });
    assert.equal(taken.state.nameProblem.key, 'problem.name-taken');
    const unknown = calling().server('callResponse', { response: 'rejected: ', message: 'User bob is not registered' });
    assert.equal(unknown.state.ending.reason, 'not-online');
    const java = calling().server('callResponse', { response: "rejected: user 'bob' is not registered" });
    assert.equal(java.state.ending.reason, 'not-online');
    const declined = calling().server('callResponse', { response: 'rejected', message: 'user declined' });
    assert.equal(declined.state.ending.reason, 'declined');
});

test('an error frame while joining refuses the name', () => {
    const play = welcome().do('JOIN', { name: 'alice' }).do('LINK_OPEN')
        .server('error', { message: 'register.name is wrong', reason: 'bad-field', field: 'name' });
    assert.equal(play.state.nameProblem.key, 'problem.name-refused');
    assert.equal(play.state.nameProblem.params.detail, 'register.name is wrong');
});

test('the caller: offer, ringing, answer, audio', () => {
    const play = preparing();
    assert.deepEqual(play.did, ['remember-peer', 'media-start']);
    play.do('OFFER', { sdp: 'offer-a' });
    assert.deepEqual(play.lastSent, { id: 'call', from: 'alice', to: 'bob', sdpOffer: 'offer-a' });
    play.server('ringing', { callId: 'c1' });
    assert.equal(play.state.ringing, true);
    play.server('callResponse', { response: 'accepted', sdpAnswer: 'answer', callId: 'c1' });
    assert.equal(play.state.phase, 'connecting');
    assert.deepEqual(play.effects, [{ do: 'media-answer', sdp: 'answer' }]);
    play.do('MEDIA_UP', { now: 1000 });
    assert.equal(play.state.phase, 'talking');
});

test('the callee: rung, answer, offer, answer of the server, audio', () => {
    const play = incoming();
    assert.equal(play.state.peer, 'bob');
    play.do('ANSWER');
    assert.equal(play.state.phase, 'preparing');
    play.do('OFFER', { sdp: 'offer-b' });
    assert.deepEqual(play.lastSent,
        { id: 'incomingCallResponse', from: 'bob', callResponse: 'accept', sdpOffer: 'offer-b', callId: 'c2' });
    play.server('startCommunication', { sdpAnswer: 'answer', callId: 'c2' });
    assert.deepEqual(play.effects, [{ do: 'media-answer', sdp: 'answer' }]);
    play.do('MEDIA_UP', { now: 5 });
    assert.equal(play.state.phase, 'talking');
});

test('declining says so and leads home', () => {
    const play = incoming().do('DECLINE');
    assert.deepEqual(play.lastSent,
        { id: 'incomingCallResponse', from: 'bob', callResponse: 'reject', message: 'user declined', callId: 'c2' });
    assert.equal(play.state.phase, 'ready');
});

test('cancelling while it rings stops it; before the offer nobody has to be told', () => {
    const early = preparing().do('HANG_UP');
    assert.deepEqual(early.did, ['media-stop']);
    assert.equal(early.state.phase, 'ready');
    const rings = calling().server('ringing', { callId: 'c1' }).do('HANG_UP');
    assert.deepEqual(rings.lastSent, { id: 'stop', callId: 'c1' });
    assert.equal(rings.state.phase, 'ready');
});

test('an offer that comes after the cancel is dropped', () => {
    const play = preparing();
    const old = play.state.call;
    play.do('HANG_UP').do('CALL', { peer: 'carol' }).do('OFFER', { sdp: 'old', call: old });
    assert.equal(play.state.phase, 'preparing');
    assert.deepEqual(play.effects, []);
});

test('hanging up tells the server and counts the time', () => {
    const play = talking(1000).do('HANG_UP', { now: 66000 });
    assert.deepEqual(play.lastSent, { id: 'stop', callId: 'c1' });
    assert.deepEqual(play.state.ending, { reason: 'hung-up', detail: '', talkedMs: 65000 });
});

test('every reason of the server has its ending', () => {
    const endings = {
        'declined': 'declined', 'busy': 'busy', 'no-answer': 'no-answer', 'not-registered': 'not-online',
        'peer-lost': 'peer-lost', 'media-failed': 'media-failed', 'no-common-codec': 'no-common-codec',
        'server-shutdown': 'server-stopped', 'server-full': 'server-full', 'invalid-offer': 'refused',
        'server-error': 'server-error', 'register-first': 'refused', 'a-reason-of-tomorrow': 'refused',
    };
    for (const [reason, ending] of Object.entries(endings)) {
        const play = calling().server('callResponse', { response: 'rejected', message: 'why', reason });
        assert.equal(play.state.phase, 'ended');
        assert.equal(play.state.ending.reason, ending, reason);
        assert.ok(play.did.includes('media-stop'));
    }
    const lost = talking().server('stopCommunication', { reason: 'media-lost', callId: 'c1' });
    assert.equal(lost.state.ending.reason, 'media-lost');
    const broken = talking().server('stopCommunication', { reason: 'server-error', callId: 'c1' });
    assert.equal(broken.state.ending.reason, 'server-error');
    const over = talking(10).server('stopCommunication', { reason: 'hang-up', callId: 'c1' }, 2010);
    assert.deepEqual(over.state.ending, { reason: 'peer-hung-up', detail: '', talkedMs: 2000 });
});

test('whatever stops the ringing here is a missed call', () => {
    for (const reason of ['cancelled', 'no-answer', 'peer-lost', 'hang-up', undefined]) {
        const play = incoming().server('stopCommunication', { reason, message: 'remote user hanged out', callId: 'c2' });
        assert.equal(play.state.ending.reason, 'missed', reason);
    }
    const late = calleeConnecting().server('stopCommunication', { reason: 'not-ringing', message: 'no call from bob is ringing here' });
    assert.equal(late.state.ending.reason, 'missed');
});

test('after a missed call one can be called again, from the last page too', () => {
    const play = incoming().server('stopCommunication', { reason: 'cancelled', callId: 'c2' })
        .server('incomingCall', { from: 'carol', callId: 'c3' });
    assert.equal(play.state.phase, 'incoming');
    assert.equal(play.state.peer, 'carol');
});

test('a late word about another call does not end this one', () => {
    const play = talking().server('stopCommunication', { reason: 'hang-up', callId: 'of-yesterday' });
    assert.equal(play.state.phase, 'talking');
});

test('a third person is told busy, the call goes on', () => {
    for (const play of [talking(), preparing(), calleeConnecting()]) {
        const { phase } = play.state;
        play.server('incomingCall', { from: 'carol', callId: 'c9' });
        assert.equal(play.state.phase, phase);
        assert.deepEqual(play.lastSent,
            { id: 'incomingCallResponse', from: 'carol', callResponse: 'reject', message: 'bussy', callId: 'c9' });
    }
});

test('both call each other: the offer in preparation becomes the answer', () => {
    const play = preparing().server('incomingCall', { from: 'bob', callId: 'c5' });
    assert.equal(play.state.phase, 'preparing');
    play.do('OFFER', { sdp: 'offer-a' });
    assert.equal(play.lastSent.id, 'incomingCallResponse');
    assert.equal(play.lastSent.callId, 'c5');
});

test('both call each other, both calls are under way: nothing is said, the answer comes', () => {
    const play = calling();
    const sent = play.sent.length;
    play.server('incomingCall', { from: 'bob', callId: 'c6' });
    assert.equal(play.sent.length, sent);
    assert.equal(play.state.phase, 'calling');
    play.server('callResponse', { response: 'accepted', sdpAnswer: 'answer', callId: 'c6' });
    assert.equal(play.state.phase, 'connecting');
});

test('a microphone that does not open ends the call and tells the other side', () => {
    const caller = preparing().do('MEDIA_FAILED', { reason: 'microphone-refused' });
    assert.equal(caller.state.ending.reason, 'microphone-refused');
    assert.equal(caller.sent.filter(message => message.id !== 'register').length, 0, 'nobody was called yet');
    const callee = incoming().do('ANSWER').do('MEDIA_FAILED', { reason: 'microphone-none' });
    assert.equal(callee.lastSent.callResponse, 'reject');
    assert.equal(callee.state.ending.reason, 'microphone-none');
});

test('candidates go out only when the server has the offer, and reach the media of this call only', () => {
    assert.deepEqual(preparing().do('CANDIDATE', { candidate: 1 }).effects, []);
    assert.deepEqual(calling().do('CANDIDATE', { candidate: 1 }).lastSent, { id: 'onIceCandidate', candidate: 1 });
    assert.deepEqual(calling().server('iceCandidate', { candidate: 2 }).effects, [{ do: 'media-candidate', candidate: 2 }]);
    assert.deepEqual(ready().server('iceCandidate', { candidate: 2 }).effects, []);
});

test('the link is lost while ready: it comes back and registers again', () => {
    const play = ready().do('LINK_LOST');
    assert.equal(play.state.registered, false);
    assert.equal(play.state.phase, 'ready');
    play.do('CALL', { peer: 'bob' });
    assert.equal(play.state.peerProblem.key, 'problem.offline');
    play.do('LINK_OPENING').do('LINK_OPEN');
    assert.equal(play.lastSent.id, 'register');
    play.server('registerResponse', { response: 'accepted' });
    assert.equal(play.state.registered, true);
});

test('our own name, still held by the lost connection, is asked for again, not for ever', () => {
    const play = ready().do('LINK_LOST').do('LINK_OPEN');
    for (let i = 0; i < REGISTER_TRIES; i++) {
        play.server('registerResponse', { response: 'rejected ', reason: 'name-taken' });
        assert.deepEqual(play.did, ['register-later']);
        play.do('REGISTER_AGAIN');
        assert.equal(play.lastSent.id, 'register');
    }
    play.server('registerResponse', { response: 'rejected ', reason: 'name-taken' });
    assert.equal(play.state.phase, 'welcome');
    assert.equal(play.state.nameProblem.key, 'problem.name-taken');
});

test('the link is lost before the answer: the call is over', () => {
    for (const play of [preparing(), calling(), incoming(), calleeConnecting()]) {
        play.do('LINK_LOST');
        assert.equal(play.state.ending.reason, 'server-lost');
        assert.ok(play.did.includes('media-stop'));
    }
});

test('the link is lost while talking: the audio goes on, and ends by itself', () => {
    const play = talking().do('LINK_LOST');
    assert.equal(play.state.phase, 'talking');
    play.do('LINK_OPENING').do('LINK_OPEN').server('registerResponse', { response: 'accepted' });
    assert.equal(play.state.phase, 'talking');
    play.do('MEDIA_WEAK');
    assert.equal(play.state.ending.reason, 'server-lost');
});

test('without a lost link weak audio is waited for', () => {
    const play = talking().do('MEDIA_WEAK');
    assert.equal(play.state.weak, true);
    play.do('MEDIA_UP', { now: 9 });
    assert.equal(play.state.weak, false);
    play.do('MEDIA_WEAK').do('MEDIA_FAILED', { reason: 'media-lost' });
    assert.equal(play.state.ending.reason, 'media-lost');
    assert.equal(play.lastSent.id, 'stop');
});

test('another way for the audio: offered, answered; a refusal changes nothing', () => {
    const play = talking().do('REOFFER', { sdp: 'offer-2' });
    assert.deepEqual(play.lastSent, { id: 'reoffer', sdpOffer: 'offer-2', callId: 'c1' });
    play.server('reofferResponse', { response: 'accepted', sdpAnswer: 'answer-2', callId: 'c1' });
    assert.deepEqual(play.effects, [{ do: 'media-reanswer', sdp: 'answer-2' }]);
    play.server('reofferResponse', { response: 'rejected', reason: 'too-many-offers', callId: 'c1' });
    assert.deepEqual(play.effects, [{ do: 'media-unanswered' }]);
    assert.equal(play.state.phase, 'talking');
    play.server('reofferResponse', { response: 'accepted', sdpAnswer: 'late', callId: 'c0' });
    assert.deepEqual(play.effects, []);
});

test('another way for the audio is not asked of a server that forgot the call', () => {
    const lost = talking().do('LINK_LOST');
    assert.deepEqual(lost.do('REOFFER', { sdp: 'offer-2' }).effects, [{ do: 'media-unanswered' }]);
    const back = lost.do('LINK_OPEN').server('registerResponse', { response: 'accepted' });
    assert.deepEqual(back.do('REOFFER', { sdp: 'offer-2' }).effects, [{ do: 'media-unanswered' }]);
    assert.deepEqual(calling().server('reofferResponse', { response: 'rejected' }).effects, []);
});

test('the server goes away in order: said so, also while talking', () => {
    assert.equal(talking().do('LINK_LOST', { stopped: true }).state.ending.reason, 'server-stopped');
    const told = talking().server('stopCommunication', { reason: 'server-shutdown', callId: 'c1' });
    assert.equal(told.state.ending.reason, 'server-stopped');
});

test('the name is lost during a call: the way home leads to the name', () => {
    const play = talking().do('LINK_LOST').do('LINK_OPEN')
        .server('registerResponse', { response: 'rejected ', reason: 'server-full' });
    assert.equal(play.state.phase, 'talking');
    play.do('HANG_UP').do('DISMISS');
    assert.equal(play.state.phase, 'welcome');
    assert.equal(play.state.nameProblem.key, 'problem.server-full');
});

test('an error ends the call only while its answer is awaited', () => {
    const waiting = calling().server('error', { message: 'call.sdpOffer is …', reason: 'bad-field' });
    assert.equal(waiting.state.ending.reason, 'refused');
    assert.equal(talking().server('error', { message: 'x' }).state.phase, 'talking');
    assert.equal(calling().server('error', { reason: 'too-many-candidates' }).state.phase, 'calling');
});

test('calling oneself, nobody, or without a connection is explained at the field', () => {
    assert.equal(ready().do('CALL', { peer: 'alice' }).state.peerProblem.key, 'problem.peer-self');
    assert.equal(ready().do('CALL', { peer: ' ' }).state.peerProblem.key, 'problem.peer-empty');
    assert.equal(ready().do('CALL', { peer: 'Alice' }).state.phase, 'preparing', 'case matters');
});

test('changing the name closes the link', () => {
    const play = ready().do('CHANGE_NAME');
    assert.deepEqual(play.did, ['link-close']);
    assert.equal(play.state.phase, 'welcome');
    assert.deepEqual(play.do('JOIN', { name: 'anna' }).did, ['link-open']);
});

test('mute only where there is something to mute, and never into the next call', () => {
    assert.deepEqual(ready().do('MUTE', { muted: true }).effects, []);
    const play = talking().do('MUTE', { muted: true });
    assert.deepEqual(play.effects, [{ do: 'media-mute', muted: true }]);
    play.do('HANG_UP').do('CALL', { peer: 'bob' });
    assert.equal(play.state.muted, false);
    const rung = talking().do('MUTE', { muted: true }).do('HANG_UP').server('incomingCall', { from: 'bob', callId: 'c8' });
    assert.equal(rung.state.muted, false);
});

test('unknown messages are ignored, unknown events are bugs', () => {
    assert.equal(ready().server('hello', {}).state.phase, 'ready');
    assert.equal(ready().server('constructor', {}).state.phase, 'ready');
    assert.throws(() => ready().do('NONSENSE'), /unknown event/);
});

test('any order of events whatsoever keeps to the table of phases', () => {
    let seed = 20;
    const random = n => {
        seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
        return (seed >> 8) % n;
    };
    const events = [
        () => ['JOIN', { name: ['alice', ''][random(2)] }], () => ['CHANGE_NAME'], () => ['CALL', { peer: ['bob', 'alice'][random(2)] }],
        () => ['ANSWER'], () => ['DECLINE'], () => ['HANG_UP'], () => ['DISMISS'], () => ['MUTE', { muted: random(2) === 1 }],
        () => ['LINK_OPENING'], () => ['LINK_OPEN'], () => ['LINK_LOST', { stopped: random(4) === 0 }], () => ['REGISTER_AGAIN'],
        () => ['OFFER', { sdp: 'o' }], () => ['REOFFER', { sdp: 'o' }], () => ['CANDIDATE', { candidate: {} }], () => ['MEDIA_UP'], () => ['MEDIA_WEAK'],
        () => ['MEDIA_FAILED', { reason: 'media-lost' }],
    ];
    const frames = [
        { id: 'registerResponse', response: 'accepted' }, { id: 'registerResponse', response: 'rejected ', reason: 'name-taken' },
        { id: 'incomingCall', from: 'bob', callId: 'x' }, { id: 'ringing', callId: 'x' },
        { id: 'callResponse', response: 'accepted', sdpAnswer: 's', callId: 'x' }, { id: 'callResponse', response: 'rejected', reason: 'busy' },
        { id: 'startCommunication', sdpAnswer: 's' }, { id: 'stopCommunication', reason: 'hang-up' }, { id: 'iceCandidate', candidate: {} },
        { id: 'reofferResponse', response: 'accepted', sdpAnswer: 's' }, { id: 'reofferResponse', response: 'rejected' },
        { id: 'error', message: 'e' },
    ];
    const seen = new Set();
    let running = 0;
    const play = new Play();
    for (let i = 0; i < 40000; i++) {
        if (random(2) === 0) {
            play.do('SERVER', { message: frames[random(frames.length)] });
        } else {
            play.do(...events[random(events.length)]());
        }
        seen.add(play.state.phase);
        running += play.did.filter(what => what === 'media-start').length;
        running -= play.did.filter(what => what === 'media-stop').length > 0 ? running : 0;
        assert.ok(running <= 1, 'media of one call at a time');
        if (['welcome', 'joining', 'ready', 'incoming', 'ended'].includes(play.state.phase)) {
            assert.equal(running, 0, `no microphone is open in ${play.state.phase}`);
        }
    }
    assert.equal(seen.size, Object.keys(PHASES).length, 'every phase was visited');
});

test('a call is to be recorded when the server says so, and only that call', () => {
    const told = { recorded: true };
    const play = calling();
    assert.equal(play.state.recorded, '');
    assert.equal(play.server('ringing', { callId: 'c1', ...told }).state.recorded, 'soon');
    play.server('callResponse', { response: 'accepted', sdpAnswer: 'answer', callId: 'c1', ...told });
    assert.equal(play.do('MEDIA_UP').state.recorded, 'soon', 'it has not begun');
    play.do('HANG_UP');
    assert.equal(play.server('incomingCall', { from: 'bob', callId: 'c2' }).state.recorded, '');

    const callee = ready().server('incomingCall', { from: 'bob', callId: 'c2', ...told });
    assert.equal(callee.state.recorded, 'soon');
    assert.equal(callee.do('ANSWER').state.recorded, 'soon');
    callee.do('OFFER', { sdp: 'o' }).server('startCommunication', { sdpAnswer: 'a', callId: 'c2', ...told });
    assert.equal(callee.state.recorded, 'soon');

    const crossing = preparing().server('incomingCall', { from: 'bob', callId: 'c3', ...told });
    assert.equal(crossing.state.recorded, 'soon');
});

test('what is recorded is what the server says last', () => {
    const accepted = { response: 'accepted', sdpAnswer: 'answer', callId: 'c1', recorded: true };
    const begun = () => calling().server('ringing', { callId: 'c1', recorded: true }).server('callResponse', accepted);
    const told = (play, you, them) => play.server('recording', { you, them, callId: 'c1' }).state.recorded;

    const play = begun();
    assert.equal(told(play, true, true), 'both', 'before its own audio flows');
    play.do('MEDIA_UP');
    assert.equal(play.state.recorded, 'both');
    assert.equal(told(play, false, true), 'them');
    assert.equal(told(play, false, false), 'stopped');
    assert.equal(told(play, false, false), 'stopped');
    assert.equal(told(play, true, false), 'you');
    play.server('recording', { you: true, them: true, callId: 'another' });
    assert.equal(play.state.recorded, 'you', 'another call');
    play.do('HANG_UP');
    assert.equal(told(play, true, true), 'you', 'it is over');

    assert.equal(told(begun(), false, false), 'none', 'it never began');
});
