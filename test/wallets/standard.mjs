// A Solana wallet of the Wallet Standard, as an extension would register it.
import bs58 from 'bs58';
import nacl from 'tweetnacl';

/** A wallet with a key of its own, and its one account. It signs messages and nothing else. */
export function standardWallet() {
  const keys = nacl.sign.keyPair();
  const account = { address: bs58.encode(keys.publicKey), publicKey: keys.publicKey, chains: ['solana:mainnet'], features: ['solana:signMessage', 'solana:signTransaction'] };
  const wallet = {
    version: '1.0.0', name: 'Ours', icon: 'data:image/png;base64,', chains: ['solana:mainnet'], accounts: [account],
    features: {
      'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [account] }) },
      'standard:events': { version: '1.0.0', on: () => () => {} },
      'solana:signTransaction': { version: '1.0.0', supportedTransactionVersions: ['legacy'], signTransaction: () => { throw new Error('not for signing in'); } },
      'solana:signMessage': { version: '1.1.0', signMessage: async ({ message }) => [{ signedMessage: message, signature: nacl.sign.detached(message, keys.secretKey) }] },
    },
  };
  return { account, wallet };
}
