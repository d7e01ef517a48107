import { SessionError, networkError } from '../errors.js';
import { codeOf, foreign, isObject } from '../http.js';

const patience = 60_000; // ms for a whole answer

type Data = Record<string, unknown>;

/**
 * Asks as nobody: no cookie goes along, no token, and no connection that ever
 * had a cookie. `longest` bounds the answer in characters.
 */
export async function ask(url: string, longest: number, signal?: AbortSignal, body?: unknown): Promise<Data> {
  const stop = new AbortController();
  const cancel = () => { stop.abort(); };
  const timer = setTimeout(cancel, patience);
  signal?.addEventListener('abort', cancel);
  try {
    signal?.throwIfAborted();
    return await dataOf(await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer', signal: stop.signal,
    }), longest);
  } catch (e) {
    if (e instanceof SessionError) throw e;
    signal?.throwIfAborted();
    throw networkError('The service cannot be reached.', { cause: e });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

/** What an answer gives; a refusal is a SessionError, and what is no answer of the API's a network_error. */
export async function dataOf(response: Response, longest: number): Promise<Data> {
  const text = await bounded(response, longest);
  if (!response.ok) throw (await codeOf(new Response(text, { status: response.status, headers: response.headers }))) ?? foreign();
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch {
    throw foreign();
  }
  if (!isObject(envelope) || envelope['success'] !== true || !isObject(envelope['data'])) throw foreign();
  return envelope['data'];
}

/** An answer's text. One that does not end is not waited for. */
async function bounded(response: Response, longest: number): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length > longest) {
      void reader?.cancel().catch(() => undefined);
      throw foreign();
    }
  }
}
