// How a body is sealed: AES-256-GCM under a data key of its session and class, which is itself wrapped, so that destroying the key erases all that it sealed.

import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import type { BodyClass } from "../domain/entry.ts";
import { canonical } from "./canonical.ts";

/** What a data key is for. It is bound to this: a wrapped key that is moved to another place opens nothing. */
export interface KeyAbout {
  /** The key's id: 32 hex digits. */
  readonly key: string;
  readonly sid: string;
  readonly class: BodyClass;
  /** The day on which it was made, `2026-03-01` (UTC): it seals nothing of another day. */
  readonly since: string;
}

/** A data key as `bodies/keys.ndjson` has it. */
export interface WrappedKey extends KeyAbout {
  /** Which key it is wrapped under. */
  readonly under: string;
  /** Base64. */
  readonly wrapped: string;
}

/** Wraps data keys under a key-encryption key: one from a file, or one that never leaves a KMS or a Vault. */
export interface KeyWrapping {
  /** Names the key-encryption key; stands in each wrapped key. */
  readonly id: string;
  /** Rejects where the key-encryption key can't be used. */
  readonly wrap: (dataKey: Uint8Array, about: KeyAbout) => Promise<WrappedKey>;
  /** null where this key was not wrapped under the key-encryption key, or was changed. */
  readonly unwrap: (wrapped: WrappedKey) => Promise<Uint8Array | null>;
}

/** A sealed body as a line of `bodies/NNNNNNNN.sealed` has it. */
export interface SealedBody {
  /** SHA-256(salt ‖ plaintext), hex. */
  readonly commit: string;
  readonly key: string;
  /** Base64 of nonce ‖ ciphertext ‖ tag. */
  readonly sealed: string;
}

/** Bytes of the salt before each plaintext: without it a short body could be guessed from its commitment. */
const saltLength = 16;
const nonceLength = 12;
const tagLength = 16;

/** Seals a text under a data key. `random` gives salt and nonce. */
export function sealBody(
  text: string,
  dataKey: KeyObject,
  key: string,
  random: (count: number) => Uint8Array,
): SealedBody {
  const salted = Buffer.concat([random(saltLength), Buffer.from(text)]);
  const commit = hash("sha256", salted, "hex");
  return {
    commit,
    key,
    sealed: encrypt(dataKey, random(nonceLength), salted, bodyContext(key, commit)).toString("base64"),
  };
}

/** The text, or null where the data key is another one, the body was changed, or it is not what was committed to. */
export function openBody(body: SealedBody, dataKey: KeyObject): string | null {
  const salted = decrypt(dataKey, Buffer.from(body.sealed, "base64"), bodyContext(body.key, body.commit));
  if (salted === null || salted.length < saltLength || hash("sha256", salted, "hex") !== body.commit) return null;
  return salted.subarray(saltLength).toString("utf8");
}

const bodyContext = (key: string, commit: string): string => `sallyport.dev/body/v1\n${key}\n${commit}\n`;
const keyContext = ({ key, sid, class: class_, since }: KeyAbout, under: string): string =>
  `sallyport.dev/body-key/v1\n${canonical([key, sid, class_, since, under])}\n`;

/** A data key as it is used: made once, which is most of the work of sealing. */
export function usable(dataKey: Uint8Array): KeyObject {
  return createSecretKey(dataKey);
}

/** Wraps under 32 bytes that lie in a file (AES-256-GCM). */
export function fileWrapping(secret: Uint8Array, random: (count: number) => Uint8Array): KeyWrapping {
  const id = `file:${hash("sha256", Buffer.concat([Buffer.from("sallyport.dev/kek/v1\n"), secret]), "hex").slice(0, 16)}`;
  const own = usable(secret);
  return {
    id,
    async wrap(dataKey, about) {
      const wrapped = encrypt(own, random(nonceLength), dataKey, keyContext(about, id)).toString("base64");
      return await Promise.resolve({ ...about, under: id, wrapped });
    },
    async unwrap(wrapped) {
      if (wrapped.under !== id) return await Promise.resolve(null);
      return decrypt(own, Buffer.from(wrapped.wrapped, "base64"), keyContext(wrapped, id));
    },
  };
}

/** RFC 8410, section 7: an X25519 key behind these fixed bytes. */
const pkcs8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const spki = Buffer.from("302a300506032b656e032100", "hex");
const publicPrefix = "sallyport-auditor:";
const secretPrefix = "SALLYPORT-AUDITOR-SECRET:";

/** A key pair for an auditor, as the texts that they keep and hand out. */
export function makeAuditorKey(): { readonly secret: string; readonly recipient: string } {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  return {
    secret: `${secretPrefix}${privateKey.export({ format: "der", type: "pkcs8" }).subarray(pkcs8.length).toString("base64")}`,
    recipient: recipientText(publicKey),
  };
}

/** Wraps for whoever holds the secret to this recipient, and nobody else; null where the text is no recipient. It can't unwrap. */
export function recipientWrapping(recipient: string, random: (count: number) => Uint8Array): KeyWrapping | null {
  const raw = keyBytes(recipient, publicPrefix);
  if (raw === null) return null;
  const theirs = createPublicKey({ key: Buffer.concat([spki, raw]), format: "der", type: "spki" });
  const id = recipientId(raw);
  return {
    id,
    async wrap(dataKey, about) {
      // A key pair of its own for each wrapping: the sender keeps nothing that could open it again.
      const { publicKey, privateKey } = generateKeyPairSync("x25519");
      const ephemeral = rawPublic(publicKey);
      const shared = agreed(diffieHellman({ privateKey, publicKey: theirs }), ephemeral, raw);
      const sealed = encrypt(shared, random(nonceLength), dataKey, keyContext(about, id));
      return await Promise.resolve({
        ...about,
        under: id,
        wrapped: Buffer.concat([ephemeral, sealed]).toString("base64"),
      });
    },
    unwrap: async () => await Promise.resolve(null),
  };
}

/** Unwraps with an auditor's secret; null where the text is none. It can't wrap. */
export function auditorWrapping(secret: string): Pick<KeyWrapping, "id" | "unwrap"> | null {
  const seed = keyBytes(secret, secretPrefix);
  if (seed === null) return null;
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: "der", type: "pkcs8" });
  const mine = rawPublic(createPublicKey(privateKey));
  const id = recipientId(mine);
  return {
    id,
    async unwrap(wrapped) {
      const bytes = Buffer.from(wrapped.wrapped, "base64");
      if (wrapped.under !== id || bytes.length <= 32) return await Promise.resolve(null);
      const ephemeral = bytes.subarray(0, 32);
      const publicKey = createPublicKey({ key: Buffer.concat([spki, ephemeral]), format: "der", type: "spki" });
      const shared = agreed(diffieHellman({ privateKey, publicKey }), ephemeral, mine);
      return decrypt(shared, bytes.subarray(32), keyContext(wrapped, id));
    },
  };
}

/** HKDF-SHA-256 (RFC 5869) over the X25519 agreement (RFC 7748, section 6.1), bound to both public keys. */
function agreed(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): KeyObject {
  const salt = Buffer.concat([ephemeral, recipient]);
  return usable(Buffer.from(hkdfSync("sha256", shared, salt, "sallyport.dev/auditor/v1", 32)));
}

function rawPublic(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(spki.length);
}

function recipientText(key: KeyObject): string {
  return `${publicPrefix}${rawPublic(key).toString("base64")}`;
}

function recipientId(raw: Uint8Array): string {
  return `x25519:${hash("sha256", raw, "hex").slice(0, 16)}`;
}

function keyBytes(text: string, prefix: string): Buffer | null {
  const line = text.trim();
  if (!line.startsWith(prefix)) return null;
  const bytes = Buffer.from(line.slice(prefix.length), "base64");
  return bytes.length === 32 && bytes.toString("base64") === line.slice(prefix.length) ? bytes : null;
}

function encrypt(key: KeyObject, nonce: Uint8Array, plain: Uint8Array, context: string): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: KeyObject, bytes: Buffer, context: string): Buffer | null {
  if (bytes.length < nonceLength + tagLength) return null;
  const end = bytes.length - tagLength;
  const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceLength), { authTagLength: tagLength });
  cipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(end));
  try {
    return Buffer.concat([cipher.update(bytes.subarray(nonceLength, end)), cipher.final()]);
  } catch {
    return null; // Another key, or bytes that were changed: GCM says no more than that.
  }
}
