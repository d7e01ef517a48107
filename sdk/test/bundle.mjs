// Bundles an entry as an application's build would, with Vite's bundler.
import { build } from 'rolldown';

/**
 * The code of what loads with the entry, and of what loads later; external tells what is there already. files has the code by name.
 * modules are files that are nowhere else, by name; define gives expressions for names.
 */
export async function bundle(entry, external = [], modules = {}, define = {}) {
  const given = {
    name: 'given',
    resolveId: (id) => (id in modules ? `${entry}?${id}` : null),
    load: (id) => modules[id.slice(entry.length + 1)] ?? null,
  };
  const { output } = await build({ input: entry, external, plugins: [given], write: false, logLevel: 'silent', transform: { target: 'es2022', define }, output: { format: 'esm', minify: true } });
  const chunks = new Map(output.filter((o) => o.type === 'chunk').map((c) => [c.fileName, c]));
  const first = new Set([...chunks.values()].filter((c) => c.isEntry).map((c) => c.fileName));
  for (const name of first) for (const more of chunks.get(name)?.imports ?? []) first.add(more);
  const code = (at) => [...chunks.values()].filter((c) => first.has(c.fileName) === at).map((c) => c.code).join('');
  return { now: code(true), later: code(false), files: new Map([...chunks].map(([name, c]) => [name, c.code])) };
}
