// What a page needs that signs in with every wallet.
export { SessionManager } from '../src/index.js';
export * from '../src/wallets/index.js';
