/** Each state of the page and the ways between them, against a server that does what the test says. */
import assert from 'node:assert/strict';
import { answerWithTone, inPhase, join, talk } from './browser.mjs';
import { browser, server, story } from './story.mjs';
import { until } from '../lib/wait.mjs';

const visible = (page, selector) => page.locator(selector).isVisible();
const text = (page, selector) => page.locator(selector).innerText();

story('a name, then ready; the name is remembered', {}, async page => {
    await join(page, server, 'alice');
    assert.equal(await text(page, '#ready-title'), 'Hello, alice');
    assert.equal(await text(page, '#ready-status'), 'You can be called');
    assert.equal(await text(page, '#invite-link'), `${server.url}?call=alice`);
    await page.goto(server.url);
    assert.equal(await page.inputValue('#name'), 'alice');
});

story('the address fills the fields: ?name= and ?call=', {}, async page => {
    await page.goto(`${server.url}?name=carol&call=bob`);
    assert.equal(await page.inputValue('#name'), 'carol');
    assert.match(await text(page, '[data-view="welcome"] .lead'), /call bob/);
    const arriving = server.nextSocket();
    await page.locator('#register').click();
    const socket = await arriving;
    assert.deepEqual(await socket.expect('register'), { id: 'register', name: 'carol', extras: true });
    socket.send({ id: 'registerResponse', response: 'accepted' });
    await inPhase(page, 'ready');
    assert.equal(await page.inputValue('#peer'), 'bob');
});

story('a recorded call says so before it is answered, and while it lasts', {}, async page => {
    const socket = await join(page, server);
    const notice = '#call-recorded';
    socket.send({ id: 'incomingCall', from: 'bob', callId: 'c1', recorded: true });
    await inPhase(page, 'incoming');
    assert.equal(await text(page, notice), 'This call will be recorded');
    await page.waitForFunction(() => /This call will be recorded\.$/.test(document.getElementById('say-now').textContent));
    await page.locator('#decline').click();
    await inPhase(page, 'ready');

    await page.locator('#peer').fill('bob');
    await page.locator('#call').click();
    await socket.expect('call');
    assert.equal(await visible(page, notice), false);
    socket.send({ id: 'ringing', callId: 'c2', recorded: true });
    await page.locator(notice).waitFor();
    assert.equal(await text(page, notice), 'This call will be recorded');
    await page.keyboard.press('Escape');
    await inPhase(page, 'ready');

    await talk(page, socket, 'bob', { recorded: true });
    assert.equal(await text(page, notice), 'This call will be recorded', 'it has not begun');
    socket.send({ id: 'recording', you: true, them: true, callId: '00c0ffee00c0ffee' });
    await page.getByText('This call is recorded').waitFor();
    await page.locator('[data-language="id"]').click();
    assert.equal(await text(page, notice), 'Panggilan ini direkam');
    await page.locator('[data-language="en"]').click();
    await page.locator('#hang-up').click();
    await inPhase(page, 'ended');
    await page.locator('#back').click();
    await socket.expect('stop');

    await talk(page, socket);
    assert.equal(await visible(page, notice), false, 'the next call is not');
});

story('a recording that fails, or never begins, is not shown as one', {}, async page => {
    const socket = await join(page, server);
    const callId = '00c0ffee00c0ffee';
    const says = sentence => page.waitForFunction(
        wanted => document.getElementById('call-recorded').innerText === wanted, sentence);
    const spoken = sentence => page.waitForFunction(
        wanted => document.getElementById('say').textContent === wanted, sentence);
    await talk(page, socket, 'bob', { recorded: true });
    for (const [you, them, sentence] of [
        [true, true, 'This call is recorded'],
        [true, false, 'Records only you'],
        [false, true, 'Records only them'],
        [false, false, 'No longer recorded'],
    ]) {
        socket.send({ id: 'recording', you, them, callId });
        await says(sentence);
        if (!you || !them) {
            await spoken(`${sentence}.`);
        }
    }
    await page.locator('#hang-up').click();
    await inPhase(page, 'ended');
    await page.locator('#back').click();
    await socket.expect('stop');

    await talk(page, socket, 'bob', { recorded: true });
    socket.send({ id: 'recording', you: false, them: false, callId });
    await says('Not recorded');
    await spoken('Not recorded.');
});

story('whose connection is poor: the page asks, the server knows', {}, async page => {
    const socket = await join(page, server);
    await talk(page, socket);
    const callId = '00c0ffee00c0ffee';
    const question = await socket.expect('quality');
    assert.equal(question.callId, callId);
    for (const [field, most] of [['concealed', 1000], ['jitterBuffer', 10000]]) {
        assert.ok(question[field] === null || (Number.isInteger(question[field]) && question[field] <= most), field);
    }
    const good = { line: 'good' };
    const poor = { line: 'poor', trouble: 'loss-up' };
    const says = async (you, them, words, id = callId) => {
        socket.send({ id: 'quality', you, them, callId: id });
        await page.waitForFunction(expected => document.getElementById('quality-word').textContent === expected, words);
    };
    await says(good, good, 'Good');
    await says(good, poor, 'bob’s connection is poor');
    assert.match(await text(page, '#quality-hint'), /^The cause is over there/);
    await page.waitForFunction(() => /^bob’s connection is poor/.test(document.getElementById('say').textContent));
    await says(poor, poor, 'Both connections are poor');
    await says({ line: 'fair', trouble: 'delay' }, good, 'Your connection is weak');
    assert.equal(await page.locator('#quality').getAttribute('data-level'), 'fair');
    socket.send({ id: 'quality', you: poor, them: poor, callId: '0123456789abcdef' });
    await says(good, good, 'Good');
    await socket.expect('quality');
});

story('calling, ringing, talking, hanging up', {}, async page => {
    const socket = await join(page, server);
    await page.locator('#peer').fill('bob');
    await page.locator('#call').click();
    const call = await socket.expect('call');
    assert.equal(call.to, 'bob');
    assert.match(call.sdpOffer, /m=audio/);
    assert.doesNotMatch(call.sdpOffer, /m=video/);
    assert.equal(await text(page, '#call-status'), 'Calling…');
    socket.send({ id: 'ringing', callId: '00c0ffee00c0ffee' });
    await page.getByText('It is ringing there…').first().waitFor();

    /* The server's candidates may come before its answer: they wait for it. */
    socket.send({ id: 'iceCandidate', candidate: { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 } });
    const sdpAnswer = await answerWithTone(page, call.sdpOffer);
    socket.send({ id: 'callResponse', response: 'accepted', sdpAnswer, callId: '00c0ffee00c0ffee' });
    await inPhase(page, 'talking');
    const { candidate } = await socket.expect('onIceCandidate');
    assert.match(candidate.candidate, /^candidate:/);

    await page.getByText('Good', { exact: true }).waitFor();
    await page.waitForFunction(() => /scaleX\(0\.[3-9]/.test(document.getElementById('level-them').style.transform));
    await page.waitForFunction(() => /^\d+:\d\d$/.test(document.getElementById('call-status').textContent));
    await page.waitForFunction(() => !/^0:0[01]$/.test(document.getElementById('call-status').textContent));
    assert.equal(await page.evaluate(() => document.getElementById('remote').paused), false);

    await page.locator('#hang-up').click();
    assert.deepEqual(await socket.expect('stop'), { id: 'stop', callId: '00c0ffee00c0ffee' });
    await inPhase(page, 'ended');
    assert.equal(await text(page, '#ended-title'), 'Call ended');
    assert.match(await text(page, '#ended-talked'), /^You talked for (?!0:0[01])\d+:\d\d\.$/);
});

story('the microphone is closed when the call is over', {}, async page => {
    await page.addInitScript(() => {
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        globalThis.opened = [];
        navigator.mediaDevices.getUserMedia = async wanted => {
            const stream = await open(wanted);
            globalThis.opened.push(...stream.getTracks());
            return stream;
        };
    });
    const socket = await join(page, server);
    await talk(page, socket);
    assert.deepEqual(await page.evaluate(() => globalThis.opened.map(track => track.readyState)), ['live']);
    socket.send({ id: 'stopCommunication', message: 'remote user hanged out', reason: 'hang-up' });
    await inPhase(page, 'ended');
    assert.deepEqual(await page.evaluate(() => globalThis.opened.map(track => track.readyState)), ['ended']);
});

story('being called: it rings, the title says it, the focus is on nothing that a stray key could press', {}, async page => {
    await page.addInitScript(() => {
        globalThis.notes = 0;
        const create = AudioContext.prototype.createOscillator;
        AudioContext.prototype.createOscillator = function () {
            globalThis.notes += 1;
            return create.call(this);
        };
    });
    const socket = await join(page, server);
    await page.locator('#peer').fill('somebody');
    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    assert.equal(await text(page, '#call-title'), 'Bob');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'call-title');
    await page.waitForFunction(() => globalThis.notes > 0);
    await page.waitForFunction(() => document.title === 'Bob is calling');
    await page.waitForFunction(() => document.title === 'Duet');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Space');
    assert.equal(await page.evaluate(() => document.body.dataset.phase), 'incoming');

    await page.locator('#answer').click();
    const response = await socket.expect('incomingCallResponse');
    assert.equal(response.callResponse, 'accept');
    assert.equal(response.from, 'Bob');
    assert.equal(response.callId, 'c1');
    const sdpAnswer = await answerWithTone(page, response.sdpOffer);
    socket.send({ id: 'startCommunication', sdpAnswer, callId: 'c1' });
    await inPhase(page, 'talking');
    assert.equal(await page.title(), 'Bob – Duet');
    socket.send({ id: 'stopCommunication', message: 'remote user hanged out', callId: 'c1', reason: 'hang-up' });
    await inPhase(page, 'ended');
    assert.equal(await text(page, '#ended-hint'), 'Bob hung up.');
    assert.equal(await page.title(), 'Duet');
});

story('declining', {}, async page => {
    const socket = await join(page, server);
    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    await page.locator('#decline').click();
    const response = await socket.expect('incomingCallResponse');
    assert.deepEqual(response, { id: 'incomingCallResponse', from: 'Bob', callResponse: 'reject', message: 'user declined', callId: 'c1' });
    await inPhase(page, 'ready');
});

story('a hidden page shows a notification, which goes with the ringing', {}, async page => {
    await page.addInitScript(() => {
        globalThis.shown = [];
        globalThis.Notification = class extends EventTarget {
            static permission = 'granted';
            constructor(title, options) {
                super();
                globalThis.shown.push(this);
                Object.assign(this, { title, body: options.body, closed: false });
            }
            close() {
                this.closed = true;
            }
        };
    });
    const socket = await join(page, server);
    await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true }));
    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    assert.deepEqual(await page.evaluate(() => globalThis.shown.map(({ title, closed }) => [title, closed])), [['Bob is calling', false]]);
    socket.send({ id: 'stopCommunication', reason: 'cancelled', message: 'User Bob cancelled the call', callId: 'c1' });
    await inPhase(page, 'ended');
    assert.equal(await page.evaluate(() => globalThis.shown[0].closed), true);
    assert.equal(await text(page, '#ended-title'), 'Missed call from Bob');
    assert.equal(await text(page, '#call-again'), 'Call back');
});

story('a missed call is called back with one press', {}, async page => {
    const socket = await join(page, server);
    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    socket.send({ id: 'stopCommunication', reason: 'no-answer', message: 'User alice did not answer', callId: 'c1' });
    await inPhase(page, 'ended');
    await page.locator('#call-again').click();
    assert.equal((await socket.expect('call')).to, 'Bob');
});

story('cancelling before there is an answer', {}, async page => {
    const socket = await join(page, server);
    await page.locator('#peer').fill('bob');
    await page.locator('#call').click();
    await socket.expect('call');
    socket.send({ id: 'ringing', callId: 'c7' });
    await page.getByText('It is ringing there…').first().waitFor();
    await page.locator('#cancel').click();
    assert.deepEqual(await socket.expect('stop'), { id: 'stop', callId: 'c7' });
    await inPhase(page, 'ready');
});

story('muting stops the sound and says so', {}, async page => {
    const socket = await join(page, server);
    await talk(page, socket);
    /* For how long nothing was heard there [ms]: a sum misses no beep, however seldom it is looked at. */
    await page.evaluate(async () => {
        const element = new Audio(); /* Chromium decodes nothing that nobody plays */
        element.srcObject = new MediaStream(globalThis.farEnd.getReceivers().map(receiver => receiver.track));
        await element.play();
        globalThis.last = { energy: 0, timestamp: 0 };
        globalThis.quiet = async () => {
            const { totalAudioEnergy: energy = 0, timestamp } = [...(await globalThis.farEnd.getStats()).values()]
                .find(entry => entry.type === 'inbound-rtp') ?? {};
            if (energy - globalThis.last.energy > 1e-6) { /* silence is 1e-9 a second */
                globalThis.last = { energy, timestamp };
            }
            return timestamp - globalThis.last.timestamp;
        };
    });
    const isHeard = () => until('it is heard', () => page.evaluate(async () => {
        const before = globalThis.last.energy;
        await globalThis.quiet();
        return globalThis.last.energy > before;
    }));
    await isHeard();
    await page.locator('#mute').click();
    assert.equal(await text(page, '#mute'), 'Unmute');
    assert.equal(await text(page, '#call-hint'), 'Your microphone is off. bob cannot hear you.');
    /* The fake microphone beeps once a second: silence over two seconds is muting. */
    await until('nothing is heard', () => page.evaluate(async () => await globalThis.quiet() > 2000));
    await page.locator('#mute').click();
    assert.equal(await visible(page, '#call-hint'), false);
    await isHeard();
});

story('another microphone and another speaker, before the call and in it', {}, async page => {
    await page.addInitScript(() => {
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async wanted => (globalThis.microphone = await open(wanted));
    });
    const socket = await join(page, server);
    await talk(page, socket);
    await page.locator('#sound-in-call').click();
    const names = () => page.locator('#microphone option').allInnerTexts();
    await page.waitForFunction(() => document.querySelectorAll('#microphone option').length > 2);
    const [, first, second] = await names();
    assert.match(first, /Fake/);
    await page.locator('#microphone').selectOption({ label: second });
    await page.waitForFunction(label => globalThis.microphone.getAudioTracks()[0].label === label, second);
    const sending = await page.evaluate(() => globalThis.microphone.getAudioTracks()[0].readyState);
    assert.equal(sending, 'live');
    await page.locator('#speaker').selectOption({ index: 1 });
    await page.waitForFunction(() => document.getElementById('remote').sinkId !== '');
    await page.locator('#sound-close').click();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'sound-in-call', 'the focus comes back');
    await page.locator('#hang-up').click();
    await inPhase(page, 'ended');
    await page.locator('#call-again').click();
    await socket.expect('call');
    assert.equal(await page.evaluate(() => globalThis.microphone.getAudioTracks()[0].label), second, 'remembered');
});

story('the microphone can be tried before anybody is called', {}, async page => {
    await join(page, server);
    await page.locator('[data-view="ready"] [data-open="sound"]').click();
    await page.locator('#try-microphone').click();
    await page.getByText('You are heard.').waitFor();
    await page.locator('#try-microphone').click();
    assert.equal(await text(page, '#try-microphone'), 'Test microphone');
});

story('a call that comes while the dialog is open closes the dialog', {}, async page => {
    const socket = await join(page, server);
    await page.locator('[data-view="ready"] [data-open="sound"]').click();
    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    assert.equal(await visible(page, '#sound'), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'call-title');
});

story('names called before are one press away, and names are text, whatever they hold', {}, async page => {
    const socket = await join(page, server);
    const name = '<b onclick=x>"bob"</b> & شهد';
    socket.send({ id: 'incomingCall', from: name, callId: 'c1' });
    await inPhase(page, 'incoming');
    assert.equal(await text(page, '#call-title'), name);
    await page.locator('#answer').click();
    await socket.expect('incomingCallResponse');
    socket.send({ id: 'stopCommunication', reason: 'cancelled', callId: 'c1' });
    await inPhase(page, 'ended');
    await page.locator('#back').click();
    await page.getByRole('button', { name: `Call ${name}` }).click();
    assert.equal((await socket.expect('call')).to, name);
});

story('both call each other at once', {}, async page => {
    const socket = await join(page, server);
    await page.locator('#peer').fill('bob');
    await page.locator('#call').click();
    const { sdpOffer } = await socket.expect('call');
    socket.send({ id: 'incomingCall', from: 'bob', callId: 'c5' });
    const sdpAnswer = await answerWithTone(page, sdpOffer);
    socket.send({ id: 'callResponse', response: 'accepted', sdpAnswer, callId: 'c5' });
    await inPhase(page, 'talking');
    assert.equal(socket.unread('incomingCallResponse').length, 0);
});

story('changing the name leaves the server', {}, async page => {
    const socket = await join(page, server);
    await page.locator('#change-name').click();
    await inPhase(page, 'welcome');
    await page.waitForFunction(() => true);
    const arriving = server.nextSocket();
    await page.locator('#name').fill('anna');
    await page.keyboard.press('Enter');
    const second = await arriving;
    assert.equal((await second.expect('register')).name, 'anna');
    assert.equal(socket.isOpen, false);
});

story('leaving the page hangs up and closes', {}, async page => {
    const socket = await join(page, server);
    await talk(page, socket);
    await page.goto('about:blank');
    await socket.expect('stop');
});

story('Indonesian by the browser, English by hand, remembered', { locale: 'id-ID' }, async page => {
    await page.goto(server.url);
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'id');
    assert.equal(await text(page, '#register'), 'Lanjut');
    await page.getByRole('button', { name: 'English' }).click();
    assert.equal(await text(page, '#register'), 'Continue');
    await page.reload();
    assert.equal(await text(page, '#register'), 'Continue');
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
});
