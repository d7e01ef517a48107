// Signs in on the page with wallets as they come into browsers: the wallets are
// fakes, their keys and signatures are real.
//
//   node wallets.mjs CHROMIUM SERVER [dev]
//
// SERVER is the origin of a running sessiond; with dev it runs with --dev.
import assert from 'node:assert/strict';
import { Wallet, getAddress, getBytes, hexlify, randomBytes } from 'ethers';
import { equip, ethereum, refuse, solana } from './fakewallets.mjs';
import { launch } from './launch.mjs';

const [executablePath, server, dev] = process.argv.slice(2);
const browser = await launch(executablePath);
let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

// visit opens the page in a fresh browser that has these wallets.
const foreign = [];
async function visit(wallets) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  await equip(context, wallets);
  const page = await context.newPage();
  page.on('pageerror', (e) => { throw e; });
  page.on('console', (m) => { if (/Content Security Policy/.test(m.text())) throw new Error(m.text()); });
  page.on('request', (r) => { if (!r.url().startsWith(`${server}/`)) foreign.push(r.url()); });
  await page.goto(`${server}/signin`);
  await page.waitForSelector('#out:not([hidden])');
  return page;
}
const leave = (page) => page.context().close();
const choose = (page, name) => page.click(`#wallets button:has-text("${name}")`);
const offered = (page) => page.$$eval('#wallets button', (all) => all.map((b) => b.innerText.replace(/\s+/g, ' ')));

async function isIn(page, address) {
  await page.waitForSelector('#in:not([hidden])');
  const { status, data } = await page.evaluate(async () => {
    const res = await fetch('/api/auth/sessions/validate');
    return { status: res.status, ...(await res.json()) };
  });
  assert.equal(status, 200);
  assert.equal(data.address, address);
  const cookies = (await page.context().cookies(server)).filter((c) => c.name.startsWith('__Host-'));
  assert.equal(cookies.length, 2);
  assert.ok(cookies.every((c) => c.httpOnly && c.secure), 'in cookies that no script can read');
}

// staysOut chooses a wallet and waits for the reason that the page gives.
async function staysOut(page, name, reason) {
  await choose(page, name);
  await page.waitForFunction(() => document.getElementById('problem').textContent);
  assert.match(await page.textContent('#problem'), reason);
  assert.ok(await page.isHidden('#in'));
  assert.deepEqual((await page.context().cookies(server)).filter((c) => c.name.startsWith('__Host-')), []);
  assert.equal(await page.textContent('#status'), '');
}

{
  const page = await visit();
  assert.ok(await page.isVisible('#none'));
  const addresses = Array.from({ length: 300 }, () => hexlify(randomBytes(20)));
  const spelled = await page.evaluate(async (all) => {
    const { checksum } = await import('/eip55.js');
    return all.map(checksum);
  }, addresses);
  assert.deepEqual(spelled, addresses.map(getAddress));
  ok('300 addresses are spelled as ethers spells them');

  await page.evaluate(() => window.announceLate('Late'));
  assert.deepEqual(await offered(page), ['Late Ethereum']);
  assert.ok(await page.isHidden('#none'));
  ok('without a wallet the page says so, and takes one that comes late');

  const own = await page.$('#device');
  const file = await page.evaluate(async () => (await fetch('/device.js')).status);
  assert.deepEqual([Boolean(own), file], dev ? [true, 200] : [false, 404]);
  if (dev) {
    await own.click();
    await page.waitForSelector('#in:not([hidden])');
  }
  ok(dev ? "the browser's own key signs in" : "the browser's own key is not offered, nor its script");
  await leave(page);
}

{
  const [a, b] = [ethereum('First'), ethereum('Second', { spell: (x) => x })];
  const s = solana('Third');
  const unseen = { injectedEthereum: ethereum('x'), injectedSolana: solana('y') };
  const page = await visit({ eip6963: [a, b], standard: [s], ...unseen });
  assert.deepEqual((await offered(page)).sort(), ['First Ethereum', 'Second Ethereum', 'Third Solana']);
  for (const [wallet, how] of [[a, 'in lower case'], [b, 'spelled right'], [s, 'of Solana']]) {
    await choose(page, wallet.name);
    await isIn(page, wallet.address);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'title', 'the focus does not stay on what is hidden');
    await page.click('#logout');
    await page.waitForSelector('#out:not([hidden])');
    ok(`a wallet of several to choose from signs in: ${how}`);
  }

  await page.evaluate(() => window.unregister());
  assert.deepEqual((await offered(page)).sort(), ['First Ethereum', 'Second Ethereum', 'Browser wallet Solana'].sort());
  await page.reload();
  await page.waitForSelector('#out:not([hidden])');
  await page.focus('body');
  const reached = [];
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement.innerText.replace(/\s+/g, ' ')));
  }
  assert.deepEqual(reached, await offered(page));
  await page.keyboard.press('Enter');
  await isIn(page, { 'First Ethereum': a, 'Second Ethereum': b, 'Third Solana': s }[reached[2]].address);
  ok('by keyboard alone');
  await leave(page);
}

{
  const fallback = { injectedEthereum: ethereum('x'), injectedSolana: solana('y') };
  const page = await visit(fallback);
  assert.deepEqual(await offered(page), ['Browser wallet Ethereum', 'Browser wallet Solana']);
  await choose(page, 'Ethereum');
  await isIn(page, fallback.injectedEthereum.address);
  await page.click('#logout');
  await page.waitForSelector('#out:not([hidden])');
  await choose(page, 'Solana');
  await isIn(page, fallback.injectedSolana.address);
  ok('wallets from before both standards sign in');
  await leave(page);
}

{
  let declines = true;
  const no = (then) => (...args) => (declines ? refuse(4001, 'User rejected the request.') : then(...args));
  const list = [
    ethereum('Declines to connect', { eth_requestAccounts: no((_, key) => [key.address]), spell: (a) => a }),
    ethereum('Declines to sign', { personal_sign: no((params, key) => key.signMessage(getBytes(params[0]))) }),
  ];
  const declining = solana('Declines', { sign: (message, own) => (declines ? refuse(undefined, 'User rejected the request.') : own(message)) });
  for (const wallet of [...list, declining]) {
    declines = true;
    const page = await visit(wallet === declining ? { standard: [wallet] } : { eip6963: [wallet] });
    await staysOut(page, wallet.name, /You declined/);
    assert.match(await page.evaluate(() => document.activeElement.innerText), new RegExp(wallet.name), 'the focus stays');
    declines = false;
    await page.keyboard.press('Enter');
    await isIn(page, wallet.address);
    assert.equal(await page.textContent('#problem'), '');
    await leave(page);
  }
  ok('a person who declines is told so, and may try again');
}

{
  const other = Wallet.createRandom();
  for (const [reason, behaviour] of [
    [/already asking/, { eth_requestAccounts: () => refuse(-32002, "Request of type 'wallet_requestPermissions' already pending") }],
    [/gave no account/, { eth_requestAccounts: () => [] }],
    [/gave no account/, { eth_requestAccounts: () => refuse(4100, 'Unauthorized') }],
    [/cannot use/, { eth_requestAccounts: () => ['vitalik.eth'] }],
    [/not connected to its network/, { personal_sign: () => refuse(4900, 'Disconnected') }],
    [/not connected to its network/, { personal_sign: () => refuse(4901, 'Chain disconnected') }],
    [/cannot sign a text/, { personal_sign: () => refuse(4200, 'Unsupported') }],
    [/cannot use/, { personal_sign: () => 'signed' }],
    [/contract/, { personal_sign: (params) => other.signMessage(getBytes(params[0])) }],
    [/contract/, { personal_sign: async (params, key) => (await key.signMessage(getBytes(params[0]))) + '6492'.repeat(16) }],
  ]) {
    const page = await visit({ eip6963: [ethereum('Wallet', behaviour)] });
    await staysOut(page, 'Wallet', reason);
    await leave(page);
  }
  for (const [reason, sign] of [
    [/cannot use/, (message, own) => own([0xff, ...message])], // it adds to the text
    [/does not fit/, (message, own) => ({ ...own([1, 2, 3]), signedMessage: message })],
  ]) {
    const page = await visit({ standard: [solana('Wallet', { sign })] });
    await staysOut(page, 'Wallet', reason);
    await leave(page);
  }
  ok('whatever a wallet does wrong, the page says it in words');
}

{
  const wallet = ethereum('Wallet');
  const page = await visit({ eip6963: [wallet] });
  const [first] = await Promise.all([page.waitForResponse('**/api/auth/challenge'), choose(page, 'Wallet')]);
  const body = await first.text();
  await isIn(page, wallet.address);
  await page.click('#logout');
  await page.waitForSelector('#out:not([hidden])');
  await page.route('**/api/auth/challenge', (route) => route.fulfill({ body, contentType: 'application/json' })); // as of a page that slept
  await staysOut(page, 'Wallet', /no longer good/);
  await page.unroute('**/api/auth/challenge');
  await page.route('**/api/auth/challenge', (route) => route.abort());
  await staysOut(page, 'Wallet', /cannot be reached/);
  await leave(page);
  ok('a text that is no longer good, and a service that does not answer');
}

{
  let asked;
  const reached = new Promise((done) => { asked = done; });
  const silent = ethereum('Silent', { eth_requestAccounts: () => { asked(); return new Promise(() => {}); } });
  const wallet = ethereum('Wallet');
  const page = await visit({ eip6963: [silent, wallet] });
  await page.clock.install();
  await page.reload();
  await page.waitForSelector('#out:not([hidden])');
  await choose(page, 'Silent');
  await reached;
  assert.match(await page.textContent('#status'), /asks you now/);
  await choose(page, 'Wallet'); // another one is not held up
  await isIn(page, wallet.address);
  await page.click('#logout');
  await page.waitForSelector('#out:not([hidden])');
  await page.clock.fastForward('06:00');
  await page.waitForFunction(() => document.getElementById('problem').textContent);
  assert.match(await page.textContent('#problem'), /took too long/);
  assert.equal(await page.getAttribute('#wallets button', 'aria-disabled'), null);
  await leave(page);
  ok('a wallet that never answers is given up, and holds no other up');
}

{
  const name = '<img src=x onerror="document.title=1">'.padEnd(60, '!');
  const page = await visit({ eip6963: [ethereum(name)] });
  assert.equal(await page.$('#wallets img'), null);
  assert.equal(await page.title(), 'Account');
  assert.equal((await page.textContent('#wallets .name')).length, 40);
  await leave(page);
  ok("a wallet's name is text, and short");
}

assert.deepEqual(foreign, []);
ok('nothing was asked of another host');

await browser.close();
console.log(`${told} passed, 0 failed`);
