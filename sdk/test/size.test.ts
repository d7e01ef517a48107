import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundle } from './bundle.mjs';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const readme = readFileSync(here('../README.md'), 'utf8');
const size = (code: string) => gzipSync(code, { level: 9 }).length;
const kB = (bytes: number) => Math.ceil(bytes / 100) / 10;

/** The README must say exactly this. */
const says = (text: string) => { expect(readme.includes(text), `the README does not say: ${text}`).toBe(true); };

// The README's claims, minified and gzipped.
it('the package is as small as the README says', async () => {
  const core = await bundle(here('core.ts'));
  const all = await bundle(here('../src/index.ts'));
  expect(kB(size(core.now))).toBeLessThanOrEqual(8);
  says(`**${kB(size(core.now)).toFixed(1)} kB** minified and gzipped; ${kB(size(core.later)).toFixed(1)} kB more`);
  says(`everything together ${kB(size(all.now + all.later)).toFixed(1)} kB`);
});

it('the bindings to React add as little as the README says', async () => {
  const beside = async (with_: string, without: string) => {
    const [more, less] = await Promise.all([with_, without].map(async (f) => size((await bundle(here(f), [/^react($|\/)/])).now)));
    return kB((more ?? NaN) - (less ?? NaN));
  };
  const all = await beside('bindings.ts', 'watched.ts');
  expect(all).toBeLessThanOrEqual(2);
  says(`adds **${all.toFixed(1)} kB** to the manager and the monitor, the provider and the hooks alone ${(await beside('hooks.ts', 'core.ts')).toFixed(1)} kB`);
});

it('the comparison is about the code of today, within 3 %', async () => {
  const page = readFileSync(here('../../docs/size.md'), 'utf8');
  for (const [name, entry] of [['', 'core.ts'], [', manager, provider and hooks', 'hooks.ts'], [', with monitor, warning, quick exit, status', 'bindings.ts']] as const) {
    const { now } = await bundle(here(entry), [/^react($|\/)/]);
    const row = page.split('\n').find((l) => l.startsWith(`| \`@mentalverse/session\`${name} |`)) ?? '';
    const figures = row.split('|').slice(2, 5).map(Number);
    [now.length, size(now), brotliCompressSync(now).length].forEach((n, i) => {
      expect(Math.abs((figures[i] ?? NaN) * 1000 - n) / n, `docs/size.md says ${figures[i]} kB where it is ${kB(n)}`).toBeLessThan(0.03);
    });
  }
});

it('the wallets add as little as the README says, and nothing of their libraries', async () => {
  const [core, all, one] = await Promise.all(['core.ts', 'signing.ts', 'onechain.ts'].map((f) => bundle(here(f), [/^@icp-sdk\//])));
  if (!core || !all || !one) throw new Error('no bundle');
  const beside = (more: { now: string }) => kB(size(more.now) - size(core.now));
  expect(beside(all)).toBeLessThanOrEqual(5);
  expect(beside(one)).toBeLessThanOrEqual(3);
  says(`add **${beside(all).toFixed(1)} kB** to the manager, Ethereum alone ${beside(one).toFixed(1)} kB`);
  says(`${kB(size(all.later) - size(core.later)).toFixed(1)} kB more load while the person looks at the wallet`);
  expect([...core.files.values()].join('')).not.toMatch(/@icp-sdk|eip6963|eth_requestAccounts/);
});

it('anonymous sign-in adds as little as the README says, beside the prover and its files', async () => {
  const [core, both] = await Promise.all(['core.ts', 'nobody.ts'].map(async (f) => size((await bundle(here(f))).now)));
  const added = kB((both ?? NaN) - (core ?? NaN));
  expect(added).toBeLessThanOrEqual(8);
  const [, told] = /adds \*\*([\d.]+) kB\*\* to the manager, without the prover/.exec(readme) ?? [];
  expect(Math.abs(added - Number(told)), `${added} kB`).toBeLessThanOrEqual(0.15); // what two texts compress to together varies
});
