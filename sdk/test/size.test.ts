import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundle } from './bundle.mjs';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const readme = readFileSync(here('../README.md'), 'utf8');
const size = (code: string) => gzipSync(code, { level: 9 }).length;
const kB = (bytes: number) => Math.ceil(bytes / 100) / 10;

// The README's claims, minified and gzipped.
it('the package is as small as the README says', async () => {
  const core = await bundle(here('core.ts'));
  const all = await bundle(here('../src/index.ts'));
  expect(kB(size(core.now))).toBeLessThanOrEqual(8);
  expect(readme).toContain(`**${kB(size(core.now)).toFixed(1)} kB** minified and gzipped; ${kB(size(core.later)).toFixed(1)} kB more`);
  expect(readme).toContain(`everything together ${kB(size(all.now + all.later)).toFixed(1)} kB`);
});

it('the bindings to React add as little as the README says', async () => {
  const beside = async (with_: string, without: string) => {
    const [more, less] = await Promise.all([with_, without].map(async (f) => size((await bundle(here(f), [/^react($|\/)/])).now)));
    return kB((more ?? NaN) - (less ?? NaN));
  };
  const all = await beside('bindings.ts', 'watched.ts');
  expect(all).toBeLessThanOrEqual(2);
  expect(readme).toContain(`adds **${all.toFixed(1)} kB** to the manager and the monitor, the provider and the hooks alone ${(await beside('hooks.ts', 'core.ts')).toFixed(1)} kB`);
});

it('anonymous sign-in adds as little as the README says, beside the prover and its files', async () => {
  const [core, both] = await Promise.all(['core.ts', 'nobody.ts'].map(async (f) => size((await bundle(here(f))).now)));
  const added = kB((both ?? NaN) - (core ?? NaN));
  expect(added).toBeLessThanOrEqual(8);
  expect(readme).toContain(`adds **${added.toFixed(1)} kB** to the manager, without the prover`);
});
