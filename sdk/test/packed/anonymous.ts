// What programs may rely on at compile time of the anonymous part: built against
// the packed tarball by ../packed.mjs, never run.
import { MemoryStorage, SessionManager } from '@mentalverse/session';
import type { SessionData } from '@mentalverse/session';
import { AnonymousDevice } from '@mentalverse/session/anonymous';
import type { AnonymousConfig, AnonymousProblem, Artifacts, Look, MembershipStatus, Pins, Stage, View } from '@mentalverse/session/anonymous';
import { is, same } from './expect.js';

same<Stage, 'loading' | 'group' | 'pages' | 'proving' | 'sending'>(true);
same<MembershipStatus, 'none' | 'waiting' | 'member' | 'replacing' | 'leaving'>(true);
is<AnonymousProblem>('group_forked');
// @ts-expect-error: no such problem
is<AnonymousProblem>('forked');
is<Artifacts>('/files');
is<Artifacts>({ prover: '/a', circuit: new URL('https://cdn.example/b'), key: '/c' });
// @ts-expect-error: all three
is<Artifacts>({ prover: '/a' });

const config: AnonymousConfig = { apiUrl: '/api', pins: { serviceId: 'sessions.example.org' }, storage: 'memory', minMembers: 50, worker: () => new Worker('/worker.js', { type: 'module', credentials: 'omit' }) };
const device = new AnonymousDevice({ ...config, onProgress: (stage, done) => { is<Stage>(stage); is<number>(done); } });
const stranger = new SessionManager({ apiUrl: '/api', storage: new MemoryStorage() });
const { signal } = new AbortController();

is<Promise<void>>(device.create({ signal }));
is<Promise<MembershipStatus>>(device.enrol(stranger));
is<Promise<SessionData>>(device.signIn(stranger, { signal }));
is<Promise<Look>>(device.look());
is<Promise<View | undefined>>(device.known());
is<Promise<string>>(device.backup('twelve letters'));
is<Promise<void>>(device.restore('text'));
device.known().then((v) => { if (v) is<Pins>(v.pins); }, () => undefined);
