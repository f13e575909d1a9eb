/** Every failure says in plain words what happened and what to do, and leaves a way on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inPhase, join, talk } from './browser.mjs';
import { FakeServer } from './fake-server.mjs';
import { server, story } from './story.mjs';
import { until } from '../lib/wait.mjs';

const text = (page, selector) => page.locator(selector).innerText();
const ended = async page => {
    await inPhase(page, 'ended');
    return text(page, '#ended-title');
};

async function call(page, socket, peer = 'bob') {
    await page.locator('#peer').fill(peer);
    await page.locator('#call').click();
    return socket.expect('call');
}

story('each rejection has its own words, and the way back works', {}, async page => {
    const socket = await join(page, server);
    const cases = {
        'declined': 'bob declined',
        'busy': 'bob is busy',
        'no-answer': 'bob did not answer',
        'not-registered': 'bob is not here',
        'media-failed': 'The call could not be connected',
        'peer-lost': 'bob was cut off',
        'server-full': 'Too many calls right now',
        'server-shutdown': 'The server was stopped',
        'server-error': 'The server has a problem',
        'no-common-codec': 'Your browsers do not understand each other',
        'invalid-offer': 'The call was not possible',
    };
    for (const [reason, title] of Object.entries(cases)) {
        await call(page, socket);
        socket.send({ id: 'callResponse', response: 'rejected', message: 'some words of the server', reason });
        assert.equal(await ended(page), title);
        assert.equal(await page.locator('#ended-detail').isVisible(), reason === 'invalid-offer');
        await page.locator('#back').click();
        await inPhase(page, 'ready');
    }
});

story('a server without reasons is understood as well', {}, async page => {
    const socket = await join(page, server);
    await call(page, socket, 'nobody');
    socket.send({ id: 'callResponse', response: 'rejected: ', message: 'User nobody is not registered' });
    assert.equal(await ended(page), 'nobody is not here');
});

story('the microphone is refused', { microphone: 'refused' }, async page => {
    const socket = await join(page, server);
    await page.locator('#peer').fill('bob');
    await page.locator('#call').click();
    assert.equal(await ended(page), 'The microphone is blocked');
    assert.match(await text(page, '#ended-hint'), /Allow/);
    assert.equal(socket.unread('call').length, 0, 'nobody was rung for nothing');
    assert.equal(await text(page, '#call-again'), 'Try again');
});

for (const [error, title] of [['NotFoundError', 'No microphone found'], ['NotReadableError', 'The microphone is taken'],
    ['TypeError', 'The microphone does not work']]) {
    story(`the microphone fails with ${error}, and the caller is not left waiting`, {}, async page => {
        await page.addInitScript(name => {
            navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('it does not work', name));
        }, error);
        const socket = await join(page, server);
        socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
        await inPhase(page, 'incoming');
        await page.locator('#answer').click();
        assert.equal(await ended(page), title);
        assert.equal((await socket.expect('incomingCallResponse')).callResponse, 'reject');
    });
}

story('the microphone is unplugged during the call: another one takes over', {}, async page => {
    await page.addInitScript(() => {
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        globalThis.opened = [];
        navigator.mediaDevices.getUserMedia = async wanted => {
            const stream = await open(wanted);
            globalThis.opened.push(stream);
            return stream;
        };
    });
    const socket = await join(page, server);
    await talk(page, socket);
    await page.evaluate(() => globalThis.opened[0].getAudioTracks()[0].dispatchEvent(new Event('ended')));
    await page.getByText(/Your microphone was unplugged. Now using: Fake/).waitFor();
    assert.equal(await page.evaluate(() => globalThis.opened.length), 2);
    assert.equal(await page.evaluate(() => document.body.dataset.phase), 'talking');
});

story('an answer that is no SDP', {}, async page => {
    const socket = await join(page, server);
    await call(page, socket);
    socket.send({ id: 'callResponse', response: 'accepted', sdpAnswer: 'this is no answer' });
    assert.equal(await ended(page), 'The call was not possible');
    await socket.expect('stop');
});

story('an error frame in place of an answer', {}, async page => {
    const socket = await join(page, server);
    await call(page, socket);
    socket.send({ id: 'error', message: 'call.sdpOffer has no audio', reason: 'bad-field', field: 'sdpOffer' });
    assert.equal(await ended(page), 'The call was not possible');
    assert.equal(await text(page, '#ended-detail'), 'call.sdpOffer has no audio');
});

story('frames that are no messages are ignored', {}, async page => {
    const socket = await join(page, server);
    for (const frame of ['', 'no json', '[]', 'null', '{"id":5}', '{"id":"__proto__"}', '{"id":"incomingCall"}',
        '{"id":"iceCandidate","candidate":null}', '{"id":"startCommunication"}', '{"id":"stopCommunication"}']) {
        socket.send(frame);
    }
    socket.send({ id: 'incomingCall', from: 'Bob' });
    await inPhase(page, 'incoming');
});

story('a name that is taken: a second tab of the same person', {}, async page => {
    await page.goto(server.url);
    await page.locator('#name').fill('alice');
    const arriving = server.nextSocket();
    await page.keyboard.press('Enter');
    const socket = await arriving;
    await socket.expect('register');
    socket.send({ id: 'registerResponse', response: 'rejected ', message: 'User alice is already registered', reason: 'name-taken' });
    await inPhase(page, 'welcome');
    assert.match(await text(page, '#name-problem'), /Somebody is already here as “alice”/);
    assert.equal(await page.getAttribute('#name', 'aria-invalid'), 'true');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
    await page.locator('#name').fill('alice2');
    await page.keyboard.press('Enter');
    assert.equal((await socket.expect('register')).name, 'alice2', 'the same connection will do');
});

story('names that cannot be', {}, async page => {
    await page.goto(server.url);
    await page.locator('#register').click();
    assert.equal(await text(page, '#name-problem'), 'Please type your name.');
    await join(page, server);
    await page.locator('#peer').fill('');
    await page.locator('#call').click();
    assert.match(await text(page, '#peer-problem'), /type the name of the person/);
    await page.locator('#peer').fill('alice');
    await page.locator('#call').click();
    assert.match(await text(page, '#peer-problem'), /your own name/);
});

story('no server at all: said so, tried again, and it goes on by itself', {}, async page => {
    await page.goto(server.url);
    server.accepting = false;
    await page.locator('#name').fill('alice');
    await page.keyboard.press('Enter');
    await page.getByText('No connection to the server. Trying again by itself…').first().waitFor();
    server.accepting = true;
    const socket = await server.nextSocket();
    await socket.expect('register');
    socket.send({ id: 'registerResponse', response: 'accepted' });
    await inPhase(page, 'ready');
    assert.equal(await page.locator('#banner').isVisible(), false);
});

story('the connection is lost while ready: offline is said, calling explains, it comes back', {}, async page => {
    const socket = await join(page, server);
    server.accepting = false;
    socket.cut();
    await page.getByText('Not connected: nobody can call you').waitFor();
    await page.locator('#peer').fill('bob');
    await page.keyboard.press('Enter');
    assert.match(await text(page, '#peer-problem'), /not connected at the moment/);
    server.accepting = true;
    const arriving = server.nextSocket();
    await page.locator('#banner-retry').click();
    const again = await arriving;
    assert.equal((await again.expect('register')).name, 'alice');
    /* The old socket may still hold the name: the page waits for it instead of giving it up. */
    again.send({ id: 'registerResponse', response: 'rejected ', message: 'User alice is already registered', reason: 'name-taken' });
    await page.getByText('Waiting for your name to be free…').waitFor();
    await again.expect('register');
    again.send({ id: 'registerResponse', response: 'accepted' });
    await page.getByText('You can be called', { exact: true }).waitFor();
    assert.equal(await page.locator('#banner').isVisible(), false);
});

story('the connection is lost while it rings: the call is over and said so', {}, async page => {
    const socket = await join(page, server);
    await call(page, socket);
    socket.cut();
    assert.equal(await ended(page), 'The connection to the server was lost');
});

story('the connection is lost while talking: the audio goes on', {}, async page => {
    const socket = await join(page, server);
    await talk(page, socket);
    socket.cut();
    const again = await server.nextSocket();
    await again.expect('register');
    again.send({ id: 'registerResponse', response: 'accepted' });
    await page.locator('#banner').waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate(() => document.body.dataset.phase), 'talking');
    const received = () => page.evaluate(async () => [...(await globalThis.farEnd.getStats()).values()]
        .find(entry => entry.type === 'inbound-rtp').packetsReceived);
    const before = await received();
    await until('the audio goes on', async () => await received() > before + 20);
    /* The far end gives up, as the server does when the socket of a call is gone. */
    await page.evaluate(() => globalThis.farEnd.close());
    assert.equal(await ended(page), 'The connection to the server was lost');
});

story('the server stops in order', {}, async page => {
    const socket = await join(page, server);
    await talk(page, socket);
    socket.send({ id: 'stopCommunication', message: 'the server is shutting down', reason: 'server-shutdown' });
    assert.equal(await ended(page), 'The server was stopped');
    server.accepting = false;
    socket.close(1001);
    await page.locator('#banner').waitFor();
    server.accepting = true;
    await (await server.nextSocket()).expect('register');
});

test('an address without https is explained, with the way out', { timeout: 120000 }, async () => {
    const plainServer = await FakeServer.start();
    const { chromium } = await import('playwright-core');
    const plain = await chromium.launch({ executablePath: '/usr/bin/chromium',
        args: ['--no-sandbox', '--host-resolver-rules=MAP duet.test 127.0.0.1'] });
    try {
        const page = await plain.newPage();
        await page.goto(plainServer.url.replace('127.0.0.1', 'duet.test'));
        await inPhase(page, 'blocked');
        assert.equal(await text(page, '#blocked-title'), 'This address cannot use the microphone');
        assert.equal(await page.getAttribute('#blocked-url', 'href'), 'https://duet.test:8443/');
    } finally {
        await plain.close();
        await plainServer.stop();
    }
});
