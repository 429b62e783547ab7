// Files that the command line names: what can't be read, or is not what it should be, ends the command with a sentence.

import { readFile } from "node:fs/promises";
import { parseVkey } from "../transcript/note.ts";
import { CommandFailed } from "./io.ts";

/** The text of a file that the command line names. Throws `CommandFailed`. */
export async function given(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
    throw new CommandFailed(`${path} can't be read (${code}).`, 2);
  }
}

/** The text of a verifier key. Another file would make every signature fail, as if the record had been changed. Throws `CommandFailed`. */
export async function givenVkey(path: string): Promise<string> {
  const text = await given(path);
  if (parseVkey(text) === null) throw new CommandFailed(`${path} is no verifier key: --key takes a log.vkey.`, 2);
  return text;
}
