// Signs in on the page with wallets as they come into browsers: the wallets are
// fakes, their keys and signatures are real.
//
//   node wallets.mjs CHROMIUM SERVER [dev]
//
// SERVER is the origin of a running sessiond; with dev it runs with --dev.
import assert from 'node:assert/strict';
import bs58 from 'bs58';
import { Wallet, getAddress, getBytes, hexlify, randomBytes } from 'ethers';
import nacl from 'tweetnacl';
import { launch } from './launch.mjs';

const [executablePath, server, dev] = process.argv.slice(2);
const browser = await launch(executablePath);
let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

// --- wallets: what stands in Node ---

const refuse = (code, message) => { throw Object.assign(new Error(message), { code }); };

// ethereum is an EIP-1193 wallet; spell is how it writes its address, and it
// may answer some methods otherwise.
function ethereum(name, { spell = (a) => a.toLowerCase(), key = Wallet.createRandom(), ...other } = {}) {
  return {
    name,
    address: key.address,
    answer(method, params) {
      if (other[method]) return other[method](params, key);
      if (method === 'eth_requestAccounts') return [spell(key.address)];
      if (method === 'personal_sign') {
        assert.equal(params[1], spell(key.address), 'asked in the spelling it gave');
        return key.signMessage(getBytes(params[0]));
      }
      return refuse(4200, `${method} is not supported`);
    },
  };
}

// solana signs as wallets of the Wallet Standard do.
function solana(name, { sign } = {}) {
  const keys = nacl.sign.keyPair();
  const own = (message) => ({ signedMessage: message, signature: [...nacl.sign.detached(Uint8Array.from(message), keys.secretKey)] });
  return {
    name,
    address: bs58.encode(keys.publicKey),
    answer: (method, message) => (method === 'account' ? [...keys.publicKey] : (sign ?? own)(message, own)),
  };
}

// --- wallets: what stands in the page ---

function inject({ eip6963, injectedEthereum, standard, injectedSolana }) {
  const ask = async (name, method, params) => {
    const { result, error } = await window.askWallet(name, method, params);
    if (error) throw Object.assign(new Error(error.message), { code: error.code });
    return result;
  };
  const provider = (name) => Object.freeze({ request: ({ method, params }) => ask(name, method, params) });
  const announce = (name) => dispatchEvent(new CustomEvent('eip6963:announceProvider', {
    detail: Object.freeze({ info: Object.freeze({ uuid: `uuid of ${name}`, name, icon: 'data:image/svg+xml,<svg/>', rdns: 'test.wallet' }), provider: provider(name) }),
  }));
  addEventListener('eip6963:requestProvider', () => eip6963.forEach((name) => { announce(name); announce(name); })); // some announce twice
  if (injectedEthereum) window.ethereum = provider(injectedEthereum);
  window.announceLate = announce;

  const account = async ([name, address]) => ({ address, publicKey: Uint8Array.from(await ask(name, 'account')), chains: ['solana:mainnet'], features: ['solana:signMessage'] });
  const register = (wallet) => {
    const callback = (api) => { const unregister = api.register(wallet); window.unregister ??= unregister; };
    dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: callback }));
    addEventListener('wallet-standard:app-ready', ({ detail: api }) => callback(api));
  };
  for (const [name, address] of standard) {
    register({
      version: '1.0.0', name, icon: 'data:image/png;base64,', chains: ['solana:mainnet', 'solana:devnet'], accounts: [],
      features: {
        'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [await account([name, address])] }) },
        'solana:signMessage': {
          version: '1.1.0',
          signMessage: async ({ account, message }) => {
            if (account.address !== address) throw new Error('another account');
            const { signedMessage, signature } = await ask(name, 'sign', [...message]);
            return [{ signedMessage: Uint8Array.from(signedMessage), signature: Uint8Array.from(signature) }];
          },
        },
      },
    });
  }
  register({ version: '1.0.0', name: 'Another chain', icon: '', chains: ['sui:mainnet'], accounts: [], features: { 'standard:connect': {} } });
  if (injectedSolana) {
    const [name, address] = injectedSolana;
    const publicKey = { toString: () => address };
    window.solana = {
      connect: async () => ({ publicKey }),
      signMessage: async (message) => ({ publicKey, signature: Uint8Array.from((await ask(name, 'sign', [...message])).signature) }),
    };
  }
}

// visit opens the page in a fresh browser that has these wallets.
const foreign = [];
async function visit({ eip6963 = [], injectedEthereum, standard = [], injectedSolana } = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const all = [...eip6963, ...standard, injectedEthereum, injectedSolana].filter(Boolean);
  await context.exposeFunction('askWallet', async (name, method, params) => {
    try {
      return { result: await all.find((w) => w.name === name).answer(method, params) };
    } catch (e) {
      return { error: { code: e.code, message: e.message } };
    }
  });
  await context.addInitScript(inject, {
    eip6963: eip6963.map((w) => w.name), injectedEthereum: injectedEthereum?.name,
    standard: standard.map((w) => [w.name, w.address]), injectedSolana: injectedSolana && [injectedSolana.name, injectedSolana.address],
  });
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
