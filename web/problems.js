// What went wrong, in words for the person.

const texts = {
  account: 'Your wallet gave no account. Unlock it, choose an account for this page, and try again.',
  answer: 'Your wallet answered with something that this page cannot use. Try another wallet.',
  refused: 'You declined in your wallet, so nothing happened. Try again when you like.',
  asking: 'Your wallet is already asking you something. Open it and answer there.',
  network: 'Your wallet is not connected to its network. Choose its main network there and try again.',
  unable: 'This wallet cannot sign a text. Try another wallet.',
  late: 'That took too long, and what was asked is no longer good. Please try again.',
  contract: 'The signature is not of this account’s own key. Accounts that are a contract, also called smart accounts, are not supported: choose an account with a key of its own.',
  signature: 'Your wallet’s signature does not fit the account it gave. Choose the same account again, or try another wallet.',
  busy: 'Too many attempts for now. Wait a minute and try again.',
  service: 'The service cannot be reached right now. Try again in a moment.',
  key: 'This is not a whole private key. Copy all of it, or look for a mistyped letter.',
  closed: 'Private sign-in is not open right now: there are too few members yet to hide among, or the group is being renewed. Try again later.',
  absent: 'Your key is not among the members, or not yet. What was set up becomes usable after some hours at the latest.',
  turn: 'The group of members was just renewed. Please try again.',
  again: 'Please sign in with your wallet once more, and then try again.',
  program: 'What makes the proof could not be loaded. Try again in a moment.',
  prover: 'The proof could not be made in this browser. Try again, or use another browser.',
  proof: 'The service did not take the proof. Please try again.',
  asks: 'The service asked for a proof that could tell who you are, so none was made and nothing was sent. Do not try again here before you know why.',
  group: 'What the service says of its members does not fit together, so nothing was sent. Do not try again here before you know why.',
  history: 'The service shows other members than it showed before, as one would who wants to know who you are. Nothing was sent. Do not try again here before you know why.',
  changed: 'This is not the service that it was when it was first met here, or your key was made for another one. Nothing was sent. Do not try again here before you know why.',
  clock: 'The service’s time is not this device’s. Set this device’s clock, and try again.',
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

// byProof reads what went wrong on the way of a proof. The service's own words
// are for developers.
export function byProof(e) {
  if (e instanceof Problem) return e;
  switch (e.code) {
    case 'challenge_invalid': return new Problem('late');
    case 'credential_invalid': case 'invalid_request': return new Problem('proof');
    case 'rate_limited': return new Problem('busy');
    case 'not_found': return new Problem('turn'); // the page of a group that is no more
    case 'reauthentication_required': case 'session_expired': case 'session_invalid': return new Problem('again');
    default: return new Problem('service');
  }
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
