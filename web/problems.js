// What went wrong, in words for the person.

const texts = {
  account: 'Your wallet gave no account. Unlock it, choose an account for this page, and try again.',
  answer: 'Your wallet answered with something that this page cannot use. Try another wallet.',
  refused: 'You declined in your wallet, so nothing happened. Try again when you like.',
  asking: 'Your wallet is already asking you something. Open it and answer there.',
  network: 'Your wallet is not connected to its network. Choose its main network there and try again.',
  unable: 'This wallet cannot sign a text. Try another wallet.',
  late: 'That took too long, and the text to sign is no longer good. Please try again.',
  contract: 'The signature is not of this account’s own key. Accounts that are a contract, also called smart accounts, are not supported: choose an account with a key of its own.',
  signature: 'Your wallet’s signature does not fit the account it gave. Choose the same account again, or try another wallet.',
  busy: 'Too many attempts for now. Wait a minute and try again.',
  service: 'The service cannot be reached right now. Try again in a moment.',
};

// Problem is one of the above.
export class Problem extends Error {
  constructor(kind) { super(texts[kind]); }
}

// What wallets answer: EIP-1193, section "Errors", and EIP-1474.
const walletCodes = { 4001: 'refused', 4100: 'account', 4200: 'unable', 4900: 'network', 4901: 'network', [-32601]: 'unable', [-32002]: 'asking' };

// byWallet reads what a wallet threw.
export function byWallet(e) {
  if (e instanceof Problem) return e;
  const kind = walletCodes[e?.code]
    ?? (/reject|declin|cancel|denied/i.test(`${e?.name} ${e?.message}`) ? 'refused' : 'answer');
  return new Problem(kind);
}

// byService reads what the service refused a wallet's answer with.
export function byService(e, chain) {
  if (!e.status || e.status >= 500) return new Problem('service');
  switch (e.code) {
    case 'challenge_invalid': return new Problem('late');
    case 'credential_invalid': return new Problem(chain === 'ethereum' ? 'contract' : 'signature');
    case 'rate_limited': return new Problem('busy');
    case 'invalid_request': return new Problem('answer');
    default: return e;
  }
}
