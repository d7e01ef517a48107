// What test/browser/specification.mjs puts beside consumer.tsx.
declare module 'virtual:manager.js';
declare module 'virtual:provider.jsx' {
  export { SessionProvider, useSession } from '../src/react/index.js';
}
