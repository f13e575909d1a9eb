/**
 * Chromium for the tests of the page, and the steps that most of them begin with.
 */
import { chromium } from 'playwright-core';

/** Fakes a microphone and allows it; the fake device beeps once a second. */
const FLAGS = [
    '--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream',
    '--autoplay-policy=no-user-gesture-required', '--disable-background-networking',
    /* The page and its echo are one browser: candidates with real addresses reach each other. */
    '--disable-features=WebRtcHideLocalIpsWithMdns', '--allow-loopback-in-peer-connection',
];

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

export const launchBrowser = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });

/**
 * A fresh profile with one page in it.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {{viewport?: object, scheme?: 'light'|'dark', locale?: string, microphone?: 'yes'|'refused',
 *          calm?: boolean}} wishes
 */
export async function openPage(browser, { viewport = DESKTOP, scheme = 'light', locale = 'en-GB',
    microphone = 'yes', calm = false, permissions = [] } = {}) {
    const context = await browser.newContext({
        viewport, locale, colorScheme: scheme,
        reducedMotion: calm ? 'reduce' : 'no-preference',
        permissions: [...(microphone === 'yes' ? ['microphone'] : []), ...permissions],
    });
    const page = await context.newPage();
    page.problems = [];
    page.on('pageerror', error => page.problems.push(`error: ${error.message}`));
    page.on('console', message => {
        if (message.type() === 'error' && !/WebSocket connection to/.test(message.text())) {
            page.problems.push(`console: ${message.text()}`);
        }
    });
    return page;
}

/** Waits until the page is in a phase of its state machine. */
export const inPhase = (page, phase) =>
    page.waitForFunction(wanted => document.body.dataset.phase === wanted, phase, { timeout: 30000 });

/** Type a name and be accepted. @returns the page's socket */
export async function join(page, server, name = 'alice', query = '') {
    await page.goto(server.url + query);
    await page.locator('#name').fill(name);
    const arriving = server.nextSocket();
    await page.locator('#register').click();
    const socket = await arriving;
    await socket.expect('register');
    socket.send({ id: 'registerResponse', response: 'accepted' });
    await inPhase(page, 'ready');
    return socket;
}

/**
 * The far end of a call: a peer connection inside the page that answers with a tone of its own.
 * Stands in for the server's media; the page's own code does not know it.
 *
 * @returns {Promise<string>} the answer
 */
export function answerWithTone(page, offer) {
    return page.evaluate(async sdp => {
        const far = new RTCPeerConnection();
        globalThis.farEnd = far;
        const context = new AudioContext();
        const tone = context.createOscillator();
        const gain = context.createGain();
        const out = context.createMediaStreamDestination();
        gain.gain.value = .2;
        tone.connect(gain).connect(out);
        tone.start();
        far.addTrack(out.stream.getAudioTracks()[0], out.stream);
        await far.setRemoteDescription({ type: 'offer', sdp });
        await far.setLocalDescription(await far.createAnswer());
        await new Promise(resolve => {
            const check = () => far.iceGatheringState === 'complete' && resolve();
            far.addEventListener('icegatheringstatechange', check);
            check();
        });
        return far.localDescription.sdp;
    }, offer);
}

/** Ready page → talking with bob, who was called. */
export async function talk(page, socket, peer = 'bob', extra = {}) {
    await page.locator('#peer').fill(peer);
    await page.locator('#call').click();
    const { sdpOffer } = await socket.expect('call');
    socket.send({ id: 'ringing', callId: '00c0ffee00c0ffee', ...extra });
    const sdpAnswer = await answerWithTone(page, sdpOffer);
    socket.send({ id: 'callResponse', response: 'accepted', sdpAnswer, callId: '00c0ffee00c0ffee', ...extra });
    await inPhase(page, 'talking');
}
