// What signs in: here with a key that the browser keeps, which only a development
// server offers. With wallets, docs/wallets.md tells how a credential is made.

/** A fresh credential, as SessionManager takes it; with a manager one that proves anew who its session is of. */
export async function credential(manager) {
  const from = (path) => import(/* @vite-ignore */ new URL(path, location.href).href);
  const [{ device }, { base64url }] = await Promise.all([from('/device.js'), from('/wallets.js')]);
  const account = await device.connect();
  const ask = (body) => ({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const answer = manager
    ? await manager.fetch('/api/auth/challenge', ask({ purpose: 'reauthenticate' }))
    : await fetch('/api/auth/challenge', { ...ask({ chain: device.chain, address: account.address, session_type: 'standard' }), credentials: 'omit' });
  if (!answer.ok) throw new Error(`challenge: ${answer.status}`);
  const { message } = (await answer.json()).data;
  return base64url(new TextEncoder().encode(JSON.stringify({ v: 1, message, ...(await account.sign(message)) })));
}
