import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundle } from './bundle.mjs';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const readme = readFileSync(here('../README.md'), 'utf8');
const kB = (code: string) => Math.ceil(gzipSync(code, { level: 9 }).length / 100) / 10;

// The README's claims, minified and gzipped.
it('the package is as small as the README says', async () => {
  const core = await bundle(here('core.ts'));
  const all = await bundle(here('../src/index.ts'));
  expect(kB(core.now)).toBeLessThanOrEqual(8);
  expect(readme).toContain(`**${kB(core.now).toFixed(1)} kB** minified and gzipped; ${kB(core.later).toFixed(1)} kB more`);
  expect(readme).toContain(`everything together ${kB(all.now + all.later).toFixed(1)} kB`);
});
