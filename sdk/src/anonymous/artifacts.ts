/**
 * The files that the prover needs, by the SHA-256 of their content. Of another
 * content none is run: the worker checks all three. sdk/test/anonymous.test.ts holds these against anonymous/artifacts.
 */
export const pinned = {
  prover: '68bfc9fc48d338711b079540fda23475e09da86f8b89cbda3366f4b2f6c4afae',
  circuit: '6f71e55586929e520e76027ebe067daac8b41e2f4b8057313a5fd0304e1e44ee',
  key: '33f9a067a80c7daf90e085449073613a9559a1904dd40aeb6d603afb7988c2cc',
} as const;

/** Bytes of all three, unpacked. */
export const totalSize = 10_226_169;

/**
 * Where the files lie: a folder that names them by their digests, as the
 * service has one, or an address for each. They may be packed with gzip.
 */
export type Artifacts = string | URL | Record<keyof typeof pinned, string | URL>;

export function addressesOf(artifacts: Artifacts): Record<keyof typeof pinned, string> {
  const at = (name: keyof typeof pinned) => {
    if (typeof artifacts === 'object' && 'prover' in artifacts) return new URL(artifacts[name], location.href).href;
    return new URL(pinned[name], new URL(`${String(artifacts).replace(/\/+$/, '')}/`, location.href)).href;
  };
  return { prover: at('prover'), circuit: at('circuit'), key: at('key') };
}
