// Duet's own page and the real program: how calls end, as two people see it. What each side reads is
// what docs/protocol.md makes the server say, so a change of either shows here.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SLOW, startServer } from './lib/server.mjs';
import { inPhase, launchBrowser, openPage } from './page/browser.mjs';

const timeout = 90_000 * SLOW;

let server;
let browser;

before(async () => {
    [server, browser] = await Promise.all([startServer(), launchBrowser()]);
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

async function arrive(name, program = server) {
    const page = await openPage(browser);
    await page.goto(`${program.ready.http}/`);
    await page.locator('#name').fill(name);
    await page.locator('#register').click();
    await inPhase(page, 'ready');
    return page;
}

async function call(page, peer) {
    await page.locator('#peer').fill(peer);
    await page.locator('#call').click();
}

async function talk(caller, callee, peer) {
    await call(caller, peer);
    await callee.locator('#answer').click();
    await Promise.all([inPhase(caller, 'talking'), inPhase(callee, 'talking')]);
}

const title = async page => {
    await inPhase(page, 'ended');
    return page.locator('#ended-title').innerText();
};

/** Two people; whatever happens, neither page had a script error. */
function story(name, play) {
    test(name, { timeout }, async () => {
        const [alice, bob] = await Promise.all([arrive('alice'), arrive('bob')]);
        try {
            await play(alice, bob);
            assert.deepEqual([...alice.problems, ...bob.problems], []);
        } finally {
            await Promise.all([alice.context().close(), bob.context().close()]);
        }
    });
}

story('they talk, each sees that the other is heard, the connection is good', async (alice, bob) => {
    await talk(alice, bob, 'bob');
    for (const page of [alice, bob]) {
        await page.getByText('Good', { exact: true }).waitFor();
        await page.waitForFunction(() => /scaleX\(0\.[2-9]|scaleX\(1/.test(document.getElementById('level-them').style.transform));
    }
    await bob.locator('#hang-up').click();
    assert.equal(await title(alice), 'Call ended');
    assert.equal(await alice.locator('#ended-hint').innerText(), 'bob hung up.');
    await alice.locator('#call-again').click();
    await bob.locator('#answer').click();
    await Promise.all([inPhase(alice, 'talking'), inPhase(bob, 'talking')]);
});

story('declined', async (alice, bob) => {
    await call(alice, 'bob');
    await bob.locator('#decline').click();
    assert.equal(await title(alice), 'bob declined');
    await inPhase(bob, 'ready');
});

story('cancelled while it rings: a missed call, called back', async (alice, bob) => {
    await call(alice, 'bob');
    await inPhase(bob, 'incoming');
    await alice.locator('#cancel').click();
    assert.equal(await title(bob), 'Missed call from alice');
    await bob.locator('#call-again').click();
    await alice.locator('#answer').click();
    await Promise.all([inPhase(alice, 'talking'), inPhase(bob, 'talking')]);
});

story('nobody there of that name; busy', async (alice, bob) => {
    await call(alice, 'Bob');
    assert.equal(await title(alice), 'Bob is not here');
    await alice.locator('#back').click();
    await talk(alice, bob, 'bob');
    const carol = await arrive('carol');
    await call(carol, 'bob');
    assert.equal(await title(carol), 'bob is busy');
    assert.equal(await alice.evaluate(() => document.body.dataset.phase), 'talking');
    await carol.context().close();
});

story('both call each other at once', async (alice, bob) => {
    /* Both microphones open only when both have pressed Call: neither is rung before. */
    for (const page of [alice, bob]) {
        await page.evaluate(() => {
            const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            const bothPressed = new Promise(resolve => (globalThis.bothPressed = resolve));
            navigator.mediaDevices.getUserMedia = wanted => bothPressed.then(() => open(wanted));
        });
    }
    await call(alice, 'bob');
    await call(bob, 'alice');
    await Promise.all([alice, bob].map(page => page.evaluate(() => globalThis.bothPressed())));
    await Promise.all([inPhase(alice, 'talking'), inPhase(bob, 'talking')]);
});

story('a second tab with the same name is told so, and is harmless', async (alice, bob) => {
    const again = await openPage(browser);
    await again.goto(`${server.ready.http}/?name=alice`);
    await again.locator('#register').click();
    await again.getByText(/Somebody is already here as “alice”/).first().waitFor();
    await talk(bob, alice, 'alice');
    await again.context().close();
});

story('leaving the page hangs up', async (alice, bob) => {
    await talk(alice, bob, 'bob');
    await alice.goto('about:blank');
    assert.equal(await title(bob), 'Call ended');
});

story('a tab that dies cuts the other off with the right words', async (alice, bob) => {
    await talk(alice, bob, 'bob');
    await alice.context().close();
    assert.match(await title(bob), /^(alice was cut off|Call ended)$/);
});

test('the server is stopped during a call: said so, and after its return the page is there again', { timeout }, async () => {
    const first = await startServer();
    const port = new URL(first.ready.http).port;
    const [alice, bob] = [await arrive('alice', first), await arrive('bob', first)];
    await talk(alice, bob, 'bob');
    await first.stop();
    assert.equal(await title(alice), 'The server was stopped');
    assert.equal(await title(bob), 'The server was stopped');
    const second = await startServer({ 'http.listen': `127.0.0.1:${port}` });
    try {
        for (const page of [alice, bob]) {
            await page.locator('#back').click();
            await page.waitForFunction(() => document.getElementById('ready-status').dataset.online === 'true', null, { timeout: 30_000 });
        }
        await talk(bob, alice, 'alice');
    } finally {
        await alice.context().close();
        await bob.context().close();
        await second.stop();
    }
});
