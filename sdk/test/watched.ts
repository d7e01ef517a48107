// What a page needs that also warns before the end.
export { SessionManager, SessionMonitor } from '../src/index.js';
