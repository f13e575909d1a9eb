/**
 * The page for everybody: by keyboard alone, read aloud, in both schemes with enough contrast, on
 * narrow screens, with targets that a finger hits, without motion for those who ask for none.
 */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, answerWithTone, inPhase, join, talk } from './browser.mjs';
import { server, story } from './story.mjs';

const focused = page => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());

/** Each state once; `look` is called in it with its name. Between them as little as possible. */
async function tour(page, look) {
    await page.goto(server.url);
    await page.locator('#register').click();
    await look('welcome');
    const socket = await join(page, server);
    await look('ready');
    socket.send({ id: 'incomingCall', from: 'Grandma', callId: 'c1', recorded: true });
    await inPhase(page, 'incoming');
    await look('incoming');
    socket.send({ id: 'stopCommunication', reason: 'cancelled', callId: 'c1' });
    await inPhase(page, 'ended');
    await look('ended');
    await page.locator('#back').click();
    await page.locator('#peer').fill('bob');
    await page.locator('#call').click();
    await socket.expect('call');
    await look('calling');
    await page.keyboard.press('Escape');
    await inPhase(page, 'ready');
    await socket.expect('stop');
    await talk(page, socket, 'bob', { recorded: true });
    await page.locator('#mute').click();
    await look('talking');
    for (const [what, you, them] of [['half recorded', false, true], ['not recorded', false, false]]) {
        socket.send({ id: 'recording', you, them, callId: '00c0ffee00c0ffee' });
        await page.locator(`#call-recorded[data-recorded="${them ? 'them' : 'stopped'}"]`).waitFor();
        await look(`talking, ${what}`);
    }
    await page.locator('#sound-in-call').click();
    await look('sound');
    await page.locator('#sound-close').click();
    server.accepting = false;
    socket.cut();
    await page.locator('#banner').waitFor();
    await look('talking, connection lost');
    await page.locator('#hang-up').click();
    await inPhase(page, 'ended');
    await page.locator('#back').click();
    await look('ready, not connected');
    server.accepting = true;
}

/* ---- keyboard ---- */

story('a whole call by keyboard alone', {}, async page => {
    await page.goto(server.url);
    assert.equal(await focused(page), 'name', 'with a keyboard at hand the first field has the focus');
    const arriving = server.nextSocket();
    await page.keyboard.type('alice');
    await page.keyboard.press('Enter');
    const socket = await arriving;
    await socket.expect('register');
    socket.send({ id: 'registerResponse', response: 'accepted' });
    await inPhase(page, 'ready');
    assert.equal(await focused(page), 'peer');

    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'decline');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'answer');
    await page.keyboard.press('Enter');
    const { sdpOffer } = await socket.expect('incomingCallResponse');
    socket.send({ id: 'startCommunication', sdpAnswer: await answerWithTone(page, sdpOffer), callId: 'c1' });
    await inPhase(page, 'talking');
    assert.equal(await focused(page), 'call-title', 'what had the focus is gone: reading goes on at the heading');

    const order = [];
    for (let i = 0; i < 3; i++) {
        await page.keyboard.press('Tab');
        order.push(await focused(page));
    }
    assert.deepEqual(order, ['mute', 'sound-in-call', 'hang-up']);
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => document.body.dataset.phase), 'talking', 'Escape never hangs up');
    await page.keyboard.press('Space');
    await inPhase(page, 'ended');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'call-again');
    await page.keyboard.press('Escape');
    await inPhase(page, 'ready');
});

story('Escape: cancels a call of one\'s own, silences the ringing, closes the dialog', {}, async page => {
    const socket = await join(page, server);
    await page.keyboard.type('bob');
    await page.keyboard.press('Enter');
    await socket.expect('call');
    await page.keyboard.press('Escape');
    await inPhase(page, 'ready');
    await socket.expect('stop');

    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.getElementById('say').textContent.startsWith('The ringing is silent'));
    assert.equal(await page.evaluate(() => document.body.dataset.phase), 'incoming');
    await page.locator('#decline').click();

    await page.locator('[data-view="ready"] [data-open="sound"]').click();
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('#sound').isVisible(), false);
    assert.equal(await focused(page), 'Microphone and speaker');
});

story('no single key does anything', {}, async page => {
    const socket = await join(page, server);
    await talk(page, socket);
    for (const key of 'abcdefghijklmnopqrstuvwxyz0123456789') {
        await page.keyboard.press(key);
    }
    assert.equal(await page.evaluate(() => document.body.dataset.phase), 'talking');
    assert.equal(await page.locator('#mute').innerText(), 'Mute');
});

story('the focus is always seen', {}, async page => {
    await tour(page, async state => {
        await page.keyboard.press('Tab');
        /* Behind the page's last key comes the browser itself, and then its first one. */
        if (await page.evaluate(() => document.activeElement === document.body)) {
            await page.keyboard.press('Tab');
        }
        const outline = await page.evaluate(() => {
            const style = getComputedStyle(document.activeElement);
            return document.activeElement === document.body ? 'none' : `${style.outlineStyle} ${style.outlineWidth}`;
        });
        assert.equal(outline, 'solid 3px', state);
    });
});

/* ---- read aloud ---- */

story('what a screen reader finds: incoming call', {}, async page => {
    const socket = await join(page, server);
    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    await page.waitForFunction(() => document.getElementById('say-now').textContent !== '');
    const tree = await page.locator('body').ariaSnapshot();
    for (const line of ['- alert: Bob is calling you. Answer or decline.', '- heading "Bob" [level=1]',
        '- paragraph: is calling you', '- button "Decline"', '- button "Answer"']) {
        assert.ok(tree.includes(line), `${line}\n${tree}`);
    }
    assert.equal((tree.match(/- button/g) ?? []).length, 4, 'two languages, decline, answer, nothing else');
});

story('what a screen reader finds: talking, and what it is told on the way', {}, async page => {
    const socket = await join(page, server);
    await page.evaluate(() => {
        globalThis.said = [];
        new MutationObserver(() => {
            const text = document.getElementById('say').textContent;
            if (text) {
                globalThis.said.push(text);
            }
        }).observe(document.getElementById('say'), { childList: true });
    });
    await talk(page, socket);
    await page.getByText('Good', { exact: true }).waitFor();
    const tree = await page.locator('main').ariaSnapshot();
    for (const line of ['- region "bob"', '- heading "bob" [level=1]', '- button "Mute"', '- button "Sound"',
        '- button "Hang up"', 'Connection: Good']) {
        assert.ok(tree.includes(line), `${line}\n${tree}`);
    }
    await page.locator('#mute').click();
    assert.ok((await page.locator('main').ariaSnapshot()).includes('- button "Unmute"'));
    await page.locator('#hang-up').click();
    await page.waitForFunction(() => globalThis.said.at(-1) === 'Call ended. You hung up.');
    const said = await page.evaluate(() => globalThis.said);
    assert.ok(said.includes('You are talking with bob.'), said.join(' | '));
});

story('every control has a name, every field a label, every picture is silent', {}, async page => {
    await tour(page, async state => {
        const nameless = await page.evaluate(() => {
            const shown = element => element.checkVisibility();
            const named = element => (element.getAttribute('aria-label') ?? '').trim()
                || element.innerText?.trim() || [...element.labels ?? []].some(label => label.innerText.trim());
            return [...document.querySelectorAll('button, input, select, a[href]')]
                .filter(element => shown(element) && !named(element)).map(element => element.outerHTML)
                .concat([...document.querySelectorAll('svg')].filter(svg => svg.getAttribute('aria-hidden') !== 'true').map(svg => svg.outerHTML));
        });
        assert.deepEqual(nameless, [], state);
        assert.equal(await page.locator('h1:visible').count(), 1, `${state}: one heading`);
    });
});

/* ---- seen ---- */

/** WCAG 2.2, 1.4.3: contrast of every visible text against what is painted behind it. */
const lowContrast = page => page.evaluate(() => {
    const channels = color => color.match(/[\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map(value => value / 255)
        .map(value => (value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4))
        .reduce((sum, value, i) => sum + value * [.2126, .7152, .0722][i], 0);
    const ground = element => {
        for (let at = element; at; at = at.parentElement) {
            const color = channels(getComputedStyle(at).backgroundColor);
            if (color.length === 3 || color[3] === 1) {
                return color;
            }
        }
        return [255, 255, 255];
    };
    const low = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if ((!own && element.tagName !== 'INPUT') || !element.checkVisibility({ visibilityProperty: true })
            || element.closest('.visually-hidden, noscript, select')) {
            continue;
        }
        const style = getComputedStyle(element);
        const [light, dark] = [luminance(channels(style.color)), luminance(ground(element))].sort((a, b) => b - a);
        const ratio = (light + .05) / (dark + .05);
        const size = parseFloat(style.fontSize);
        const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
        if (ratio < needed) {
            low.push(`${ratio.toFixed(2)} "${element.textContent.trim()}" ${style.color}`);
        }
    }
    return low;
});

story('the measure of contrast finds grey on white', {}, async page => {
    await page.goto(server.url);
    await page.evaluate(() => (document.getElementById('name-hint').style.color = '#999'));
    assert.equal((await lowContrast(page)).length, 1);
});

for (const scheme of ['light', 'dark']) {
    for (const viewport of [PHONE, DESKTOP]) {
        story(`contrast, ${scheme}, ${viewport.width} px`, { scheme, viewport, calm: true }, async page => {
            await tour(page, async state => assert.deepEqual(await lowContrast(page), [], state));
        });
    }
}

for (const locale of ['en', 'id']) {
    for (const size of [{ width: 320, height: 568 }, PHONE, { width: 844, height: 390 }]) {
        story(`nothing is cut off or too small to press, ${size.width} x ${size.height}, ${locale}`, { viewport: size, locale, calm: true }, async page => {
            await tour(page, async state => {
                const found = await page.evaluate(() => {
                    const bad = [];
                    if (document.documentElement.scrollWidth > innerWidth) {
                        bad.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);
                    }
                    for (const element of document.querySelectorAll('button, input, select, a[href]')) {
                        const box = element.getBoundingClientRect();
                        if (element.checkVisibility() && (box.width < 44 || box.height < 44)) {
                            bad.push(`small: ${element.textContent.trim()} ${box.width} x ${box.height}`);
                        }
                    }
                    for (const element of document.querySelectorAll('button, h1, p')) {
                        if (element.checkVisibility() && !element.classList.contains('visually-hidden')
                            && element.scrollWidth > element.clientWidth + 1) {
                            bad.push(`cut off: ${element.textContent.trim()}`);
                        }
                    }
                    return bad;
                });
                assert.deepEqual(found, [], state);
                /* What is pressed in a call is reached without scrolling. */
                if (/incoming|calling|talking/.test(state)) {
                    for (const key of await page.locator('.keys:visible .key').all()) {
                        const box = await key.boundingBox();
                        assert.ok(box.y >= 0 && box.y + box.height <= size.height + 1, `${state}: ${await key.innerText()} at ${box.y}`);
                    }
                }
                /* How the line is stands above the keys, in a recorded call, too. */
                if (/^talking(, \w+ recorded)?$/.test(state)) {
                    const word = await page.locator('.quality-word').boundingBox();
                    const keys = await page.locator('#keys-talking .key').first().boundingBox();
                    assert.ok(word.y + word.height <= keys.y, `${state}: the line's word at ${word.y}, keys at ${keys.y}`);
                }
            });
        });
    }
}

story('a name of 64 wide letters fits', { viewport: { width: 320, height: 568 } }, async page => {
    const long = 'W'.repeat(64);
    const socket = await join(page, server, long);
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert.ok(await fits());
    socket.send({ id: 'incomingCall', from: long, callId: 'c1' });
    await inPhase(page, 'incoming');
    assert.ok(await fits());
    socket.send({ id: 'stopCommunication', reason: 'cancelled', callId: 'c1' });
    await inPhase(page, 'ended');
    assert.ok(await fits());
});

story('who asks for no motion gets none', { calm: true }, async page => {
    await page.clock.install();
    const socket = await join(page, server);
    socket.send({ id: 'incomingCall', from: 'Bob', callId: 'c1' });
    await inPhase(page, 'incoming');
    const running = await page.evaluate(() => document.getAnimations()
        .filter(animation => animation.effect.getComputedTiming().duration > 10).length);
    assert.equal(running, 0);
    assert.equal(await page.title(), 'Bob is calling');
    await page.clock.runFor(1000);
    assert.equal(await page.title(), 'Bob is calling', 'the title stands still');
});
