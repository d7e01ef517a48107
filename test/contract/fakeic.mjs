// Checks the certificates of a fake Internet Computer with the real client
// library, and answers with what the library's own passkey identity signs.
// In: {certificates: [{certificate, rootKey, canister}], cose, pkcs8, message}, in
// hex. Out: {certified: [hex], publicKey, signature}.
import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { Certificate } from "@icp-sdk/core/agent";
import { WebAuthnIdentity } from "@icp-sdk/core/identity";
import { Principal } from "@icp-sdk/core/principal";

const hex = (b) => Buffer.from(b).toString("hex");
const bytes = (s) => new Uint8Array(Buffer.from(s, "hex"));
const input = JSON.parse(readFileSync(0, "utf8"));

const certified = [];
for (const c of input.certificates) {
  const canisterId = Principal.fromUint8Array(bytes(c.canister));
  const options = { certificate: bytes(c.certificate), rootKey: bytes(c.rootKey), principal: { canisterId }, disableTimeVerification: true };
  const certificate = await Certificate.create(options);
  certified.push(hex(certificate.lookup_path(["canister", canisterId.toUint8Array(), "certified_data"]).value));
  const foreign = bytes(input.certificates.find((other) => other.rootKey !== c.rootKey).rootKey);
  const refused = await Certificate.create({ ...options, rootKey: foreign }).then(() => false, () => true);
  if (!refused) throw new Error("a certificate held under another root key");
}

// navigator.credentials as a browser's, over one key.
const key = createPrivateKey({ key: Buffer.from(input.pkcs8, "hex"), format: "der", type: "pkcs8" });
Object.defineProperty(globalThis, "navigator", {
  configurable: true,
  value: {
    credentials: {
      async get({ publicKey: { challenge } }) {
        const clientDataJSON = Buffer.from(JSON.stringify({
          type: "webauthn.get", challenge: Buffer.from(challenge).toString("base64url"), origin: "https://a.example", crossOrigin: false,
        }));
        const authenticatorData = Buffer.concat([createHash("sha256").update("a.example").digest(), Buffer.from([5, 0, 0, 0, 1])]);
        const signature = sign("sha256", Buffer.concat([authenticatorData, createHash("sha256").update(clientDataJSON).digest()]), key);
        const view = (b) => new Uint8Array(b);
        return { authenticatorAttachment: null, response: { authenticatorData: view(authenticatorData), clientDataJSON: view(clientDataJSON), signature: view(signature) } };
      },
    },
  },
});
const identity = new WebAuthnIdentity(new Uint8Array(16), bytes(input.cose), undefined);
const signature = await identity.sign(bytes(input.message));
console.log(JSON.stringify({ certified, publicKey: hex(identity.getPublicKey().toDer()), signature: hex(signature) }));
