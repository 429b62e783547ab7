// Sealed boxes (AES-256-GCM), each under a key of its own in another folder: destroying the key erases the box for good.

import { createCipheriv, createDecipheriv } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fault, Faulted } from "../domain/fault.ts";
import type { ApprovalId, CallId } from "../domain/ids.ts";
import { destroyFile, flushFolder, unfinished, writeNew } from "./durable.ts";

/** What lies in a box: the exact arguments of an open request, or the answer that waits for its caller. */
export type Content = "arguments" | "result";

export interface Vault {
  seal(id: ApprovalId | CallId, content: Content, text: string): Promise<void>;
  /** Fault: internal, when the key or the box is gone or was changed. */
  open(id: ApprovalId | CallId, content: Content): Promise<string>;
  destroy(id: ApprovalId | CallId, content: Content): Promise<void>;
  /** Destroys each box and key that `wanted` does not name. */
  sweep(wanted: (id: string, content: string) => boolean): Promise<void>;
  isEmpty(): Promise<boolean>;
}

const nonceLength = 12; // NIST SP 800-38D, section 8.2.2: 96 random bits; no key seals twice
const tagLength = 16;

export async function openVault(folder: string, random: (count: number) => Uint8Array): Promise<Vault> {
  const keys = join(folder, "keys");
  const boxes = join(folder, "sealed");
  for (const path of [keys, boxes]) await mkdir(path, { recursive: true, mode: 0o700 });
  const names = async (): Promise<Set<string>> => new Set([...(await readdir(keys)), ...(await readdir(boxes))]);
  const destroy = async (name: string): Promise<void> => {
    await destroyFile(join(keys, name));
    await flushFolder(keys);
    await rm(join(boxes, name), { force: true });
  };
  return {
    async seal(id, content, text) {
      const name = `${id}.${content}`;
      const key = random(32);
      await Promise.all([writeNew(join(keys, name), key), writeNew(join(boxes, name), box(key, name, text, random))]);
      await Promise.all([flushFolder(keys), flushFolder(boxes)]);
    },
    async open(id, content) {
      const name = `${id}.${content}`;
      try {
        return unbox(await readFile(join(keys, name)), name, await readFile(join(boxes, name)));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Faulted(fault("internal", {}, `the sealed ${content} of ${id} can't be opened: ${why}`));
      }
    },
    destroy: (id, content) => destroy(`${id}.${content}`),
    async sweep(wanted) {
      for (const name of await names()) {
        const [id = "", content = ""] = name.split(".");
        if (name.endsWith(unfinished) || !wanted(id, content)) await destroy(name);
      }
    },
    isEmpty: async () => (await names()).size === 0,
  };
}

/** Nonce, tag, sealed text. The name is authenticated too: a box put in another's place does not open. */
function box(key: Uint8Array, name: string, text: string, random: (count: number) => Uint8Array): Uint8Array {
  const nonce = random(nonceLength);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength }).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

function unbox(key: Uint8Array, name: string, boxed: Uint8Array): string {
  const tagEnd = nonceLength + tagLength;
  const options = { authTagLength: tagLength };
  const decipher = createDecipheriv("aes-256-gcm", key, boxed.subarray(0, nonceLength), options);
  decipher.setAAD(Buffer.from(name)).setAuthTag(boxed.subarray(nonceLength, tagEnd));
  return Buffer.concat([decipher.update(boxed.subarray(tagEnd)), decipher.final()]).toString("utf8");
}
