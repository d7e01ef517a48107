// What a page in cookie mode needs for a session.
export { SessionManager } from '../src/index.js';
