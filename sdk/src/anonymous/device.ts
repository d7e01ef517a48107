import { SessionError } from '../errors.js';
import type { SessionManager } from '../manager.js';
import type { SessionData } from '../state.js';
import type { components } from '../openapi.js';
import type { Artifacts } from './artifacts.js';
import { ask, dataOf } from './ask.js';
import { Follower, count, find } from './group.js';
import type { Group } from './group.js';
import { Vault } from './identity.js';
import { InMemory, inDatabase } from './kept.js';
import { isSealed, read, seal, secretFor, unseal, write } from './key.js';
import { isNear } from './pins.js';
import type { Pins } from './pins.js';
import { problem } from './problems.js';
import { Prover } from './prover.js';
import type { Proof, Statement } from './prover.js';
import { base64url, enrolScopeOf, isName, messageOf, scopeOf } from './values.js';

export type MembershipStatus = components['schemas']['Membership']['status'];

/** The stages of what takes long, in the order of a sign-in; enrolling has no group. */
export type Stage = 'loading' | 'group' | 'pages' | 'proving' | 'sending';

export interface AnonymousConfig {
  /** The service's address with its `/api`, as of a SessionManager. */
  apiUrl: string;
  /** What is known of the service beforehand. What is not given is taken on trust at the first contact, and kept. */
  pins?: Partial<Pins>;
  /** The prover's files; the service's own unless given. */
  artifacts?: Artifacts;
  /** Starts the worker, where a bundler does not take `worker.js` along. It must be a module without cookies. */
  worker?: () => Worker;
  /** `memory`: nothing outlives the page. */
  storage?: 'browser' | 'memory';
  /** The smallest crowd to hide in, counted here; 20 unless given, and 1 beside a development server. */
  minMembers?: number;
  /** Called with the part of a stage that is done, from 0 to 1. */
  onProgress?: (stage: Stage, done: number) => void;
}

export interface Options { signal?: AbortSignal }

/** What a device knows of the group, to be compared with what others know. */
export interface View {
  pins: Pins;
  epoch: number;
  number: number;
  /** The name of the newest snapshot and all before it: who sees another for the same number sees another group. */
  head: string;
}

export interface Look extends View {
  /** Those who have a place, counted here, each once. */
  members: number;
  /** Whether the identity is among them; false without one. */
  entered: boolean;
}

const rounds = 3; // in which the epoch may turn, or the group's pages change
const longestAnswer = 1 << 16; // characters

/**
 * One browser's membership of one service: what lets it sign in so that the
 * service cannot tell its members apart. It trusts the service with nothing
 * again that it saw before, and computes all that it proves itself.
 *
 * Failures are SessionErrors, with the service's codes or an AnonymousProblem's.
 * For use under a name (`enrol`, `leave`) it takes the manager of that session;
 * `signIn` takes another one, which has a MemoryStorage.
 */
export class AnonymousDevice {
  readonly #config: AnonymousConfig;
  readonly #name: string;
  readonly #follower: Follower;
  readonly #vault: Vault;

  constructor(config: AnonymousConfig) {
    this.#config = config;
    this.#name = nameOf(config.apiUrl);
    const kept = config.storage === 'memory' ? new InMemory() : inDatabase;
    this.#follower = new Follower(`${this.#name}/auth/anonymous/`, this.#name, kept, config.pins ?? {});
    this.#vault = new Vault(kept, this.#name);
  }

  // --- the identity ---

  hasIdentity(): Promise<boolean> {
    return this.#vault.has();
  }

  /** Makes an identity, at random and on this device. It fails when there is one. */
  async create(options: Options = {}): Promise<void> {
    if (await this.#vault.has()) throw problem('identity_exists');
    const { pins } = await this.#follower.contact(options.signal);
    const { secret } = await this.#withProver(options, (prover) => prover.call('identity', {}));
    await this.#vault.put(await write(secret, pins));
  }

  /**
   * The identity under a passphrase, as a text to be kept elsewhere. What is known
   * of the group goes along: who restores it is still shown no other history.
   */
  async backup(passphrase: string): Promise<string> {
    const key = await this.#vault.get();
    return seal(JSON.stringify({ key, group: await this.#follower.export() }), passphrase);
  }

  /** The identity as the text that the service's own page takes. Whoever has it is this member: show it, and keep it nowhere. */
  reveal(): Promise<string> {
    return this.#vault.get();
  }

  /** Takes over what `backup` or `reveal` gave. It fails when there is an identity, and for a service that is not the one it was made for. */
  async restore(text: string, passphrase = '', options: Options = {}): Promise<void> {
    const { key, group } = isSealed(text) ? opened(await unseal(text, passphrase)) : { key: text, group: undefined };
    const { secret } = await read(key);
    if (await this.#vault.has()) throw problem('identity_exists');
    const { pins } = await this.#follower.contact(options.signal, group);
    await secretFor(key, pins);
    await this.#vault.put(await write(secret, pins));
  }

  /** Removes all that this browser keeps of the service: the identity, which only a backup brings back, and the group. */
  async wipe(): Promise<void> {
    await Promise.all([this.#vault.wipe(), this.#follower.forget()]);
  }

  // --- under a name ---

  /**
   * Puts the identity among the members, in the name of the manager's session,
   * in place of an earlier one. When it enters the group is the service's to
   * say: it waits for others, to hide when it came.
   */
  async enrol(manager: SessionManager, options: Options = {}): Promise<MembershipStatus> {
    this.#same(manager);
    const text = await this.#vault.get();
    const { pins } = await this.#follower.contact(options.signal);
    const secret = await secretFor(text, pins);
    return this.#withProver(options, async (prover) => {
      const commitment = await prover.call('commitment', { secret });
      const { nonce, scope, message } = await this.#named(manager, 'POST', '/challenge', { session_type: 'anonymous', purpose: 'enrol' }, options);
      if (!isName(nonce) || scope !== (await enrolScopeOf(pins.serviceId, nonce)) || message !== (await messageOf(pins.serviceId, nonce))) throw problem('challenge_refused');
      // In a group of one the root is the member: the path is empty.
      const proof = await this.#prove(prover, { secret, index: 0, siblings: [], message, scope }, commitment);
      this.#tell('sending', 0);
      return statusOf(await this.#named(manager, 'POST', '/anonymous/members', { commitment, challenge: nonce, proof }, options));
    });
  }

  /** Takes the session's member out of the group, when the epoch is over. The identity stays. */
  async leave(manager: SessionManager, options: Options = {}): Promise<MembershipStatus> {
    this.#same(manager);
    return statusOf(await this.#named(manager, 'DELETE', '/anonymous/members', undefined, options));
  }

  // --- as nobody in particular ---

  /** What is kept of the group, without asking; undefined before the first contact, or while it was empty. */
  async known(): Promise<View | undefined> {
    const state = await this.#follower.known();
    return state?.head && viewOf({ pins: state.pins, head: state.head });
  }

  /** Follows the group and downloads what is missing of it, as every sign-in does. */
  async look(options: Options = {}): Promise<Look> {
    const group = await this.#follow(options);
    const text = (await this.#vault.has()) ? await this.#vault.get() : undefined;
    const secret = text && (await secretFor(text, group.pins));
    return this.#withProver(options, async (prover) => {
      const pages = await this.#pages(prover, group, options);
      const entered = secret !== undefined && find(pages, await prover.call('commitment', { secret })) !== undefined;
      return { ...viewOf(group), members: await count(pages), entered };
    });
  }

  /**
   * Opens an anonymous session in a manager that has a MemoryStorage. It asks for
   * nothing that could tell one member from another: no label, no life and no
   * permissions of its own.
   */
  async signIn(manager: SessionManager, options: Options = {}): Promise<SessionData> {
    this.#same(manager);
    const text = await this.#vault.get();
    return this.#withProver(options, async (prover) => {
      for (let round = 1; ; round++) {
        try {
          const signature = await this.#credential(prover, text, options);
          options.signal?.throwIfAborted();
          this.#tell('sending', 0);
          return await manager.createSession({ type: 'anonymous', signature });
        } catch (e) {
          // not_found: a page of a group that is no more.
          if (round === rounds || !(e instanceof SessionError) || !['epoch_turned', 'not_found'].includes(e.code)) throw e;
        }
      }
    });
  }

  /** Forgets the group, but not the identity. The next contact is a first one: what the service then shows is taken on trust, within the pins. */
  forgetGroup(): Promise<void> {
    return this.#follower.forget();
  }

  /** The credential of a sign-in. The group comes first, so that the challenge is fresh when it is answered. */
  async #credential(prover: Prover, text: string, options: Options): Promise<string> {
    const group = await this.#follow(options);
    const { pins, head, pageRoots } = group;
    const secret = await secretFor(text, pins);
    const pages = await this.#pages(prover, group, options);
    const enough = this.#config.minMembers ?? 20;
    if ((await count(pages, enough)) < enough) throw problem('group_small');
    const commitment = await prover.call('commitment', { secret });
    const found = find(pages, commitment);
    if (!found) throw problem('not_member');
    const path = await prover.call('path', { place: { root: head.root, size: head.size, pageRoots, ...found, commitment } }).catch(async (e: unknown) => {
      await this.#follower.forgetPages(); // damaged here: they were checked when they came
      throw e;
    });
    const { nonce, epoch, scope, message } = await ask(`${this.#name}/auth/challenge`, longestAnswer, options.signal, { session_type: 'anonymous' });
    if (!isName(nonce) || !isNear(epoch, pins) || scope !== (await scopeOf(pins.serviceId, epoch)) || message !== (await messageOf(pins.serviceId, nonce))) {
      throw problem('challenge_refused');
    }
    if (epoch !== head.epoch) throw problem('epoch_turned'); // its members would be refused there
    const proof = await this.#prove(prover, { secret, index: path.index, siblings: path.siblings, message, scope }, head.root);
    return base64url(new TextEncoder().encode(JSON.stringify({ v: 1, type: 'semaphore:v4', challenge: nonce, proof })));
  }

  async #prove(prover: Prover, statement: Statement, root: string): Promise<Proof> {
    const { merkleTreeDepth, merkleTreeRoot, nullifier, message, scope, points } = await prover.call('prove', { statement }, (done) => { this.#tell('proving', done); });
    if (merkleTreeRoot !== root || message !== statement.message || scope !== statement.scope) throw problem('prover_failed');
    return { merkleTreeDepth, merkleTreeRoot, nullifier, message, scope, points };
  }

  #follow(options: Options): Promise<Group> {
    this.#tell('group', 0);
    return this.#follower.follow(options.signal);
  }

  #pages(prover: Prover, group: Group, options: Options): Promise<string[][]> {
    const check = { path: (place: object) => prover.call('path', { place }).catch(() => { throw problem('group_invalid'); }) };
    return this.#follower.pages(group, check, (done) => { this.#tell('pages', done); }, options.signal);
  }

  async #withProver<T>(options: Options, work: (prover: Prover) => Promise<T>): Promise<T> {
    const files = this.#config.artifacts ?? `${this.#name}/auth/anonymous/artifacts`;
    const prover = await Prover.start(files, this.#config.worker, (done) => { this.#tell('loading', done); }, options.signal);
    try {
      return await work(prover);
    } finally {
      prover.stop();
    }
  }

  /** A call under the name of the manager's session. */
  async #named(manager: SessionManager, method: string, path: string, body: unknown, { signal }: Options): Promise<Record<string, unknown>> {
    const init: RequestInit = { method, redirect: 'error', signal: signal ?? null };
    if (body !== undefined) Object.assign(init, { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
    return dataOf(await manager.fetch(`${this.#name}/auth${path}`, init), longestAnswer);
  }

  #same(manager: SessionManager): void {
    if (nameOf(manager.apiUrl) !== this.#name) throw problem('manager_invalid');
  }

  #tell(stage: Stage, done: number): void {
    this.#config.onProgress?.(stage, done);
  }
}

const nameOf = (apiUrl: string): string => new URL(apiUrl, (globalThis as Partial<typeof globalThis>).location?.href).href.replace(/\/+$/, '');

const viewOf = ({ pins, head }: Pick<Group, 'pins' | 'head'>): View => ({ pins, epoch: head.epoch, number: head.number, head: head.hash });

/** What stands in a backup: whoever has its passphrase wrote it. */
function opened(text: string): { key: string; group: unknown } {
  try {
    const { key, group } = JSON.parse(text) as Record<string, unknown>;
    if (typeof key === 'string') return { key, group };
  } catch { /* below */ }
  throw problem('backup_invalid');
}

const statuses: MembershipStatus[] = ['none', 'waiting', 'member', 'replacing', 'leaving'];

function statusOf({ status }: Record<string, unknown>): MembershipStatus {
  const known = statuses.find((s) => s === status);
  if (!known) throw problem('group_invalid');
  return known;
}
