export { AnonymousDevice } from './device.js';
export type { AnonymousConfig, Look, MembershipStatus, Options, Stage, View } from './device.js';
export type { Artifacts } from './artifacts.js';
export type { Pins } from './pins.js';
export type { AnonymousProblem } from './problems.js';
