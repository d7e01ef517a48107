// As watched.ts, with all that React needs.
export { SessionManager, SessionMonitor } from '../src/index.js';
export * from '../src/react/index.js';
