import { SessionError, networkError } from './errors.js';
import type { ErrorDetails } from './errors.js';
import { now } from './time.js';

export interface Call {
  /** What is posted, as JSON; without one it is a GET. */
  body?: object;
  headers?: Record<string, string>;
  cookies?: boolean;
  keepalive?: boolean;
  /** Milliseconds until the call is given up, its body included. */
  timeout?: number;
}

/** A genuine answer; `at` is the steady time just before it was asked for, `date` the server's clock, if it may be read. */
export interface Answer<T> { data: T; at: number; date: number | undefined }

const longestText = 1 << 18; // characters of an answer

type Fields = Record<string, unknown>;
export const isObject = (v: unknown): v is Fields => typeof v === 'object' && v !== null && !Array.isArray(v);

/**
 * Calls the service. Only its own envelope counts as an answer: the pages of
 * proxies and captive portals, redirects, broken bodies and silence are all a
 * network_error, which tells nothing about the session.
 */
export async function call<T>(url: string, c: Call = {}): Promise<Answer<T>> {
  const at = now();
  const stop = new AbortController();
  const timer = setTimeout(() => { stop.abort(); }, c.timeout ?? 15_000);
  try {
    const response = await fetch(url, {
      method: c.body ? 'POST' : 'GET',
      headers: { ...(c.body && { 'Content-Type': 'application/json' }), ...c.headers },
      body: c.body ? JSON.stringify(c.body) : null,
      credentials: c.cookies ? 'include' : 'omit',
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      keepalive: !!c.keepalive,
      signal: stop.signal,
    });
    const envelope = await readEnvelope(response);
    if (response.ok && envelope.success === true && isObject(envelope['data'])) {
      return { data: envelope['data'] as T, at, date: Date.parse(response.headers.get('Date') ?? '') || undefined };
    }
    throw refusal(response, envelope);
  } catch (e) {
    if (e instanceof SessionError) throw e;
    throw networkError('The service cannot be reached.', { cause: e });
  } finally {
    clearTimeout(timer);
  }
}

/** The error of an answer that somebody else gave: a portal, a proxy. */
export const foreign = (): SessionError => networkError("The answer is not the service's.");

/** The envelope of an answer. */
async function readEnvelope(response: Response): Promise<Fields & { success: unknown }> {
  if (!/^application\/json\b/i.test(response.headers.get('Content-Type') ?? '')) {
    throw foreign();
  }
  const text = await response.text();
  const envelope: unknown = text.length > longestText ? null : JSON.parse(text);
  if (!isObject(envelope) || typeof envelope['success'] !== 'boolean') {
    throw foreign();
  }
  return envelope as Fields & { success: unknown };
}

function refusal(response: Response, envelope: Fields): SessionError {
  const error = envelope['error'];
  if (response.status < 400 || !isObject(error) || typeof error['code'] !== 'string' || typeof error['message'] !== 'string') {
    return foreign();
  }
  return new SessionError(error['code'], error['message'], {
    status: response.status,
    details: isObject(error['details']) ? (error['details'] as ErrorDetails) : undefined,
    retryAfter: retryAfter(response.headers),
  });
}

/** Milliseconds of a Retry-After, at most an hour in seconds or, against the answer's Date, as a date (RFC 9110 section 10.2.3). */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('Retry-After');
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.parse(headers.get('Date') ?? '');
  return Math.min(Math.max(0, ms), 3_600_000) || undefined;
}

/** The error code and reason of a 401 that somebody else's service gave, read from a copy. */
export async function codeOf(response: Response): Promise<SessionError | undefined> {
  try {
    return refusal(response, await readEnvelope(response.clone()));
  } catch {
    return undefined;
  }
}
