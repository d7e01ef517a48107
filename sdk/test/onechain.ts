// What a page needs that signs in with Ethereum's wallets only.
export { SessionManager } from '../src/index.js';
export { ethereum, signIn } from '../src/wallets/index.js';
