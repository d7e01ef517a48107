export type Chain = 'icp' | 'ethereum' | 'solana';

/** What an account gave for a text: the parts of a credential that are its own. Bytes are unpadded base64url. */
export interface Signed {
  type: 'icp:icrc32' | 'eip191' | 'solana:ed25519';
  signature: string;
  publicKey?: string;
  delegations?: { delegation: { pubkey: string; expiration: string }; signature: string }[];
}

/** An account of a wallet, for one text. */
export interface Account {
  /** In the chain's one canonical spelling. */
  readonly address: string;
  sign(text: string): Promise<Signed>;
  /** Calls back when the wallet no longer stands on this account; the answer stops that. */
  watch?(gone: () => void): () => void;
}

/** Something that may sign in: what the functions beside this one make, or a page's own. */
export interface Wallet {
  /** As it calls itself, at most 40 characters. It is a stranger's word: show it as text. */
  readonly name: string;
  /** A `data:` address of an image, for `<img src>`. */
  readonly icon?: string | undefined;
  readonly chain: Chain;
  /** What is behind it: two wallets with one source are the same. */
  readonly source: unknown;
  /** Asks the person for an account. It is called before anything is awaited, for the sake of windows that only a click may open. */
  connect(): Promise<Account>;
}
