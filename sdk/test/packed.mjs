// Packs the package as it is published, holds it against publint and
// are-the-types-wrong, and compiles against it what programs may rely on
// (packed/) and the README's samples; an application that is built with it has
// the prover's whole worker.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';

const dir = mkdtempSync(join(tmpdir(), 'pack-'));
const run = (...command) => execFileSync(command[0], command.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** Compiles what is in the folder as a program of the package's users would be. */
function compile(module, moduleResolution) {
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { target: 'ES2022', lib: ['ES2022', 'DOM', 'DOM.Iterable'], jsx: 'react-jsx', types: [], strict: true, noEmit: true, module, moduleResolution },
    include: ['packed', 'samples'],
  }));
  try {
    run('npx', '--no-install', 'tsc', '-p', dir);
  } catch (e) {
    throw new Error(`with moduleResolution ${moduleResolution}:\n${e.stdout}`);
  }
}

/** The samples in a text, each as a file. */
function writeSamples(text) {
  const samples = [...text.matchAll(/^```(ts|tsx|js|jsx)\n(.*?)^```$/gms)];
  if (samples.length < 3) throw new Error(`the README has ${samples.length} samples`);
  mkdirSync(join(dir, 'samples'));
  samples.forEach(([, kind, code], i) => { writeFileSync(join(dir, 'samples', `readme${i + 1}.${kind.endsWith('x') ? 'tsx' : 'ts'}`), code); });
}

try {
  const [{ filename, files }] = JSON.parse(run('npm', 'pack', '--silent', '--json', '--pack-destination', dir));
  const odd = files.map((f) => f.path).filter((p) => !/^(dist\/((react|wallets|anonymous)\/)?[a-z0-9]+\.(js|d\.ts)|dist\/anonymous\/wasm_exec\.(js|LICENSE)|package\.json|README\.md|LICENSE)$/.test(p));
  if (odd.length) throw new Error(`the package holds ${odd.join(', ')}`);
  run('npx', '--no-install', 'publint', '--strict', join(dir, filename));
  run('npx', '--no-install', 'attw', '--profile', 'esm-only', '--no-definitely-typed', join(dir, filename));

  const modules = join(dir, 'node_modules');
  mkdirSync(join(modules, '@mentalverse/session'), { recursive: true });
  run('tar', '-xzf', join(dir, filename), '-C', join(modules, '@mentalverse/session'), '--strip-components=1');
  mkdirSync(join(modules, '@types'));
  for (const name of ['react', '@types/react', 'csstype']) symlinkSync(resolve('node_modules', name), join(modules, name));
  cpSync('test/packed', join(dir, 'packed'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
  writeSamples(readFileSync('README.md', 'utf8'));
  compile('esnext', 'bundler');
  compile('node16', 'node16');

  const app = join(dir, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'index.html'), '<!doctype html><script type="module" src="./main.js"></script>');
  writeFileSync(join(app, 'main.js'), "import { AnonymousDevice } from '@mentalverse/session/anonymous'; window.open = () => new AnonymousDevice({ apiUrl: '/api' });");
  await build({ root: app, logLevel: 'silent' });
  const worker = readdirSync(join(app, 'dist/assets')).find((f) => /^worker-.*\.js$/.test(f));
  const code = worker ? readFileSync(join(app, 'dist/assets', worker), 'utf8') : '';
  for (const part of ['getWitness', 'gojs', 'force-cache']) if (!code.includes(part)) throw new Error(`the built worker (${worker}) lacks ${part}`);
} finally {
  rmSync(dir, { recursive: true });
}
