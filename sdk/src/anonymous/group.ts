import { isObject } from '../http.js';
import { sleep } from '../time.js';
import { ask } from './ask.js';
import { Reader, extend, mostMembers } from './chain.js';
import type { Checked, Snapshot } from './chain.js';
import type { Kept } from './kept.js';
import { holds, pinsOf } from './pins.js';
import type { Pins } from './pins.js';
import { problem } from './problems.js';
import { isScalar } from './values.js';

const listed = 1000; // snapshots in one answer
const rounds = 4; // in which the group, or a sibling, may move on while it is followed
const mostAnswers = 1000;
const pageSize = 4096;

// Characters of an answer: a group has at most 256 pages' roots of 77 digits, a
// list 1,000 snapshots of some 400, a page 4,096 numbers.
const longestGroup = 1 << 16;
const longestList = 1 << 20;
const longestPage = 1 << 19;

/** What is known of the service, as of the last time that it was followed. */
export interface State { pins: Pins; head: Checked | undefined }

/** A group that grew out of what was known, as the service shows it now. */
export interface Group { pins: Pins; head: Checked; pageRoots: string[] }

interface Stored { v: 1; pins: Pins; head?: Snapshot }

/** Holds pages against the signed root and size, as the prover does. */
export interface PageCheck {
  path(place: { root: string; size: number; pageRoots: string[]; page: number; members: string[]; commitment: string }): Promise<unknown>;
}

/** The group of one service, followed over the visits of this browser. */
export class Follower {
  readonly #api: string;
  readonly #kept: Kept;
  readonly #given: Partial<Pins>;
  readonly #group: string;
  readonly #pages: string;

  /** api is the address of the service's anonymous calls, with a slash at the end; name the one under which it is kept. */
  constructor(api: string, name: string, kept: Kept, given: Partial<Pins>) {
    this.#api = api;
    this.#kept = kept;
    this.#given = given;
    this.#group = `group ${name}`;
    this.#pages = `page ${name} `;
  }

  /** What is known, without asking; undefined before the first contact. */
  async known(): Promise<State | undefined> {
    return this.#read(await this.#kept.get(this.#group));
  }

  /** What is known, to go along with a backup. */
  export(): Promise<unknown> {
    return this.#kept.get(this.#group);
  }

  /** Forgets the group. The next contact is a first one. */
  async forget(): Promise<void> {
    await this.#kept.remove(this.#group);
    await this.forgetPages();
  }

  /** Brings what is known of the group's history up to now; where nothing is known, what a backup knew. */
  async contact(signal?: AbortSignal, backup?: unknown): Promise<State> {
    for (let round = 0; round < rounds; round++) {
      const stored = await this.#kept.get(this.#group);
      const state = await this.#extend(await this.#read(stored ?? backup), signal);
      if (await this.#save(stored, state)) return state;
    }
    throw problem('group_forked');
  }

  /** The group that the service shows now, if it grew out of what is known. */
  async follow(signal?: AbortSignal): Promise<Group> {
    for (let round = 0; round < rounds; round++) {
      const stored = await this.#kept.get(this.#group);
      const known = await this.#read(stored);
      const shown = await ask(`${this.#api}group`, longestGroup, signal);
      const pins = this.#pins(known?.pins, shown);
      const newest = await (await Reader.of(pins)).read(shown);
      const head = known?.head;
      if (head && newest.number <= head.number) {
        if (newest.hash !== head.hash) throw problem('group_forked');
        return { pins, head, pageRoots: rootsOf(shown['page_roots'], head.size) };
      }
      // What was followed is kept, whatever comes of the rest.
      await this.#save(stored, await this.#extend({ pins, head }, signal));
    }
    throw problem('group_forked');
  }

  /**
   * All pages, of which those that are not kept are asked for, in the group's
   * order and whatever is in them. Each that comes is checked before it is kept.
   */
  async pages({ head, pageRoots }: Group, check: PageCheck, progress: (done: number) => void, signal?: AbortSignal): Promise<string[][]> {
    const pages: string[][] = [];
    for (const [page, root] of pageRoots.entries()) {
      const places = Math.min(head.size - page * pageSize, pageSize);
      const kept = await this.#kept.get(this.#page(root));
      // A root does not tell how many places it stands for.
      const here = typeof kept === 'string' ? kept.split(' ') : [];
      pages.push(here.length === places ? here : await this.#fetch(root, places, (members) =>
        check.path({ root: head.root, size: head.size, pageRoots, page, members, commitment: members[0] ?? '' }), signal));
      progress((page + 1) / pageRoots.length);
    }
    await this.#kept.prune(this.#pages, pageRoots.map((root) => this.#page(root)));
    return pages;
  }

  /** Forgets the pages, which turned out not to be what they were. */
  async forgetPages(): Promise<void> {
    await this.#kept.prune(this.#pages, []);
  }

  async #fetch(root: string, places: number, check: (members: string[]) => Promise<unknown>, signal: AbortSignal | undefined): Promise<string[]> {
    const { members } = await ask(`${this.#api}pages/${root}`, longestPage, signal);
    if (!Array.isArray(members) || members.length !== places || !members.every(isScalar)) throw problem('group_invalid');
    await check(members);
    const key = this.#page(root);
    await this.#kept.swap(key, await this.#kept.get(key), members.join(' '));
    return members;
  }

  #page(root: string): string {
    return this.#pages + root;
  }

  /** What the service says of itself, held against what was known and what the caller knows. */
  #pins(known: Pins | undefined, answer: Record<string, unknown>): Pins {
    const pins = pinsOf(answer);
    if (!holds(known ?? {}, pins) || !holds(this.#given, pins)) throw problem('service_changed');
    return pins;
  }

  /**
   * Follows the published list to its end, in steps of a thousand from where
   * everybody asks: an exact number would tell when this browser was here last.
   */
  async #extend(known: State | undefined, signal: AbortSignal | undefined): Promise<State> {
    let pins = known?.pins;
    let head = known?.head;
    for (let answer = 0; answer < mostAnswers; answer++) {
      const from = head && Math.max(0, Math.floor((head.number + 1) / listed) * listed - 1);
      const list = await ask(`${this.#api}roots${from === undefined ? '' : `?after=${from}`}`, longestList, signal);
      pins = this.#pins(pins, list);
      const { roots } = list;
      if (!Array.isArray(roots) || roots.length > listed) throw problem('group_invalid');
      const before = head?.number;
      head = await extend(await Reader.of(pins), head, from, roots);
      if (roots.length < listed || head?.number === before) return { pins, head };
    }
    throw problem('group_invalid');
  }

  #save(stored: unknown, { pins, head }: State): Promise<boolean> {
    if (!head) return this.#kept.swap(this.#group, stored, { v: 1, pins });
    const { number, root, size, epoch, created_at, previous, signature } = head;
    return this.#kept.swap(this.#group, stored, { v: 1, pins, head: { number, root, size, epoch, created_at, previous, signature } });
  }

  async #read(stored: unknown): Promise<State | undefined> {
    if (stored === undefined) return undefined;
    try {
      const { v, pins, head } = stored as Stored;
      if (v !== 1 || !isObject(pins)) throw problem('state_damaged');
      const known = pinsOf({ service_id: pins.serviceId, epoch_length: pins.epochLength, key: pins.key });
      return { pins: known, head: head && (await (await Reader.of(known)).read(head)) };
    } catch {
      throw problem('state_damaged');
    }
  }
}

function rootsOf(pageRoots: unknown, size: number): string[] {
  if (!Array.isArray(pageRoots) || pageRoots.length !== Math.ceil(Math.min(size, mostMembers) / pageSize) || !pageRoots.every(isScalar)) throw problem('group_invalid');
  return pageRoots;
}

/** Which page a commitment is on; undefined when it is on none. */
export function find(pages: string[][], commitment: string): { page: number; members: string[] } | undefined {
  const page = pages.findIndex((members) => members.includes(commitment));
  const members = pages[page];
  return members && { page, members };
}

/** How many members there are, each counted once; it stops counting at `enough`. A million are counted in pieces, so that no page stands still. */
export async function count(pages: string[][], enough = Infinity): Promise<number> {
  const seen = new Set<string>();
  for (const [page, members] of pages.entries()) {
    for (const m of members) {
      if (m !== '0') seen.add(m);
      if (seen.size >= enough) return enough;
    }
    if (page % 8 === 7) await sleep(0);
  }
  return seen.size;
}
