import { networkError, isSessionError } from '../errors.js';
import { call, codeOf, foreign, isObject } from '../http.js';
import type { SessionManager } from '../manager.js';
import type { SessionType } from '../state.js';
import { walletError } from './errors.js';
import type { Chain } from './wallet.js';

export interface Wanted {
  purpose: 'signin' | 'reauthenticate';
  type: SessionType;
  chain: Chain;
  address: string;
  /** The domain that the text must name. */
  domain: string | undefined;
}

/** What the server's texts say of a chain (wallet.Chain): the noun, and its Chain ID line. */
const chains: Record<Chain, [string, RegExp]> = {
  icp: ['Internet Computer', /^Chain ID: icp:[0-9a-f]{32}$/],
  ethereum: ['Ethereum', /^Chain ID: 1$/],
  solana: ['Solana', /^Chain ID: mainnet$/],
};

/** Asks the service for a text, and gives it only if it may be signed. */
export async function challenge(sessions: SessionManager, wanted: Wanted, signal: AbortSignal): Promise<string> {
  const url = `${sessions.apiUrl}/auth/challenge`;
  const { chain, address, type, purpose } = wanted;
  const { message, nonce } = purpose === 'signin'
    ? (await call<Record<string, unknown>>(url, { body: { chain, address, session_type: type } })).data
    : await asked(sessions, url, signal);
  const api = new URL(url, globalThis.location?.href);
  check(message, nonce, wanted, api);
  return message as string;
}

/** The text for who is signed in: the session says whose, so no account is sent. */
async function asked(sessions: SessionManager, url: string, signal: AbortSignal): Promise<Record<string, unknown>> {
  try {
    const answer = await sessions.fetch(url, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"purpose":"reauthenticate"}',
      cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer', signal,
    });
    if (!answer.ok) throw await codeOf(answer) ?? foreign();
    const { data } = await answer.json() as { data: unknown };
    if (!isObject(data)) throw foreign();
    return data;
  } catch (e) {
    throw isSessionError(e) ? e : networkError('The service cannot be reached.', { cause: e });
  }
}

const first = (chain: Chain) => ` wants you to sign in with your ${chains[chain][0]} account:`;
const time = /: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/;
const life = 5 * 60_000;

/**
 * Throws unless the text is a sign-in (EIP-4361) at the service's domain, with
 * this account, this nonce and this type of session, for at most five minutes.
 * All but the statement is known, or has a shape: the text is written again and
 * compared, so nothing else can stand in it. The statement is one line of the
 * marks that EIP-4361 allows.
 */
export function check(message: unknown, nonce: unknown, w: Omit<Wanted, 'purpose'>, api: URL): void {
  const no = (what: string) => walletError('challenge_untrusted', what);
  if (typeof message !== 'string' || message.length > 4096 || typeof nonce !== 'string' || !/^[a-z2-7]{64}$/.test(nonce)) throw no('no text of the service');
  const domain = w.domain ?? api.host;
  const lines = message.split('\n');
  const line = (n: number) => lines[n] ?? '';
  const chain = (Object.keys(chains) as Chain[]).find((c) => line(0).endsWith(first(c)));
  if (!chain || line(0) !== domain + first(chain)) {
    const other = chain ? line(0).slice(0, -first(chain).length).slice(0, 100) : 'something else';
    throw no(`the text is for ${other}, not for ${domain}: public_url of the service and apiUrl here differ, or it is not the service`);
  }
  const scheme = api.protocol === 'http:' && line(5).startsWith('URI: http:') ? 'http' : 'https';
  const text = [
    line(0), line(1), '', line(3), '', `URI: ${scheme}://${domain}/api/auth/sessions`, 'Version: 1', line(7), `Nonce: ${nonce}`,
    line(9), line(10), line(11), 'Resources:', `- urn:mentalverse:session:${w.type}`,
  ].join('\n');
  const [issued, ends] = [9, 10].map((n) => Date.parse(time.exec(line(n))?.[1] ?? '')) as [number, number];
  if (text !== message || !/^[\w\-.~:/?#[\]@!$&'()*+,;= ]+$/.test(line(3)) || !chains[chain][1].test(line(7)) || !/^Request ID: [0-9a-f]{16}$/.test(line(11))
    || !line(9).startsWith('Issued At: ') || !line(10).startsWith('Expiration Time: ') || !(ends > issued && ends - issued <= life)) {
    throw no('the text is not a sign-in');
  }
  if (chain !== w.chain || line(1) !== w.address) throw walletError('wallet_wrong_account');
}
