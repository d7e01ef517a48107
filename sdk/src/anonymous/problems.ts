import { SessionError } from '../errors.js';

const texts = {
  no_identity: 'This browser keeps no identity: create one, or restore a backup.',
  identity_exists: 'This browser keeps an identity already. It is not written over: wipe it first.',
  identity_damaged: 'The identity that this browser keeps cannot be read any more. Wipe it and restore a backup.',
  passphrase_short: 'A passphrase has at least twelve characters.',
  backup_invalid: 'This is not a whole backup, or not its passphrase.',
  storage_unavailable: 'This browser keeps nothing for this page. Use storage: "memory", and a backup.',
  state_damaged: 'What this browser kept of the group cannot be read. forgetGroup() begins anew, which trusts the service anew.',
  service_changed: 'This is not the service that was known here, or the identity was made for another one. Nothing was proven.',
  group_invalid: 'What the service says of its members does not fit together. Nothing was proven.',
  group_forked: 'The service shows another history of the group than before. Nothing was proven.',
  group_small: 'There are too few members to hide among.',
  clock_wrong: "The service's time is not this device's.",
  challenge_refused: 'The service asked for a proof that could tell who this is. Nothing was proven.',
  epoch_turned: 'The group was just renewed. Try again.',
  not_member: 'The identity is not among the members, or not yet: an enrolment waits for others, which hides when it came.',
  prover_unavailable: 'The prover, the circuit or the key could not be loaded, or is not the pinned one.',
  prover_failed: 'No proof could be made in this browser.',
  manager_invalid: 'The SessionManager is of another apiUrl.',
} as const;

/** Why a device does not go on, beside the service's own codes and `network_error`. */
export type AnonymousProblem = keyof typeof texts;

/** The error of a problem. None holds a secret, or what the service chose. */
export const problem = (code: AnonymousProblem): SessionError => new SessionError(code, texts[code]);
