// What a page with anonymous sign-in imports, for the size test.
export { SessionManager } from '../src/manager.js';
export { AnonymousDevice } from '../src/anonymous/index.js';
