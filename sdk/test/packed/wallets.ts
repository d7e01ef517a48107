// What programs may rely on of the wallets.
import type { AuthData, SessionData, SessionManager } from '@mentalverse/session';
import { WALLET_ERRORS, credential, discover, ethereum, identity, internetIdentity, plug, reauthenticate, signIn, solana } from '@mentalverse/session/wallets';
import type { Account, EthereumProvider, InternetIdentity, Signed, Wallet, WalletErrorCode } from '@mentalverse/session/wallets';
import { is, same } from './expect.js';

declare const sessions: SessionManager;
declare const wallet: Wallet;

same<ReturnType<typeof signIn>, Promise<SessionData>>(true);
same<ReturnType<typeof reauthenticate>, Promise<SessionData>>(true);
is<Promise<Pick<AuthData, 'signature'>>>(credential(sessions, wallet, { purpose: 'reauthenticate' }));
is<readonly Wallet[]>(discover().getSnapshot());
is<() => void>(discover().subscribe(() => undefined));
is<InternetIdentity>(internetIdentity({ maxTimeToLive: 1n, identityProvider: new URL('https://id.ai') }));
is<Wallet[]>([internetIdentity(), plug(), identity(async () => { throw new Error('none'); })]);

// What is in a page: perhaps nothing.
declare const page: { ethereum?: EthereumProvider; solana?: { signMessage(m: Uint8Array): Promise<Uint8Array>; publicKey: { toString(): string } | null } };
is<Wallet>(ethereum(page.ethereum, { name: 'Mine' }));
is<Wallet>(solana(page.solana));

// Each code has its name.
same<WalletErrorCode, (typeof WALLET_ERRORS)[keyof typeof WALLET_ERRORS]>(true);
is<WalletErrorCode>('wallet_rejected');
// @ts-expect-error there is no such code
is<WalletErrorCode>('wallet_broken');

// An anonymous session has no wallet.
is<Promise<SessionData>>(signIn(sessions, wallet, { type: 'professional', duration: 60, deviceLabel: 'Firefox', signal: new AbortController().signal }));
// @ts-expect-error it would name the person
void signIn(sessions, wallet, { type: 'anonymous' });

// A wallet of the page's own.
is<Wallet>({
  name: 'Mine', chain: 'ethereum', source: page,
  connect: async (): Promise<Account> => ({ address: '0x', sign: async (text): Promise<Signed> => ({ type: 'eip191', signature: text }) }),
});
