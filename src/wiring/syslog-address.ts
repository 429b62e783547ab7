// The address of a syslog receiver from its setting, with the certificates and keys that it names read.

import { readFile, stat } from "node:fs/promises";
import type { SyslogPlace } from "../config/syslog.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { SyslogAddress } from "../transcript/destinations.ts";

/** `whose`: for the sentence. Faults: internal, where a file that the setting names can't be used. */
export async function addressOf(whose: string, setting: SyslogPlace): Promise<SyslogAddress> {
  const { protocol, hostname, port } = new URL(setting.address);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (protocol === "tcp:") return { host, port: Number(port) };
  const { serverName, ca, certificate, key } = setting;
  const told = {
    ...(serverName === undefined ? {} : { name: serverName }),
    ...(ca === undefined ? {} : { ca: await given(whose, ca) }),
    ...(certificate === undefined ? {} : { certificate: await given(whose, certificate) }),
    ...(key === undefined ? {} : { key: await secret(whose, key) }),
  };
  return { host, port: Number(port), tls: told };
}

async function secret(whose: string, path: string): Promise<string> {
  const text = await given(whose, path);
  if (((await stat(path)).mode & 0o077) !== 0)
    throw unusable(`${path} of ${whose} can be read by others; chmod 600 it.`);
  return text;
}

async function given(whose: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
    throw unusable(`${path} of ${whose} can't be read (${code}).`);
  }
}

const unusable = (cause: string): Faulted => new Faulted(fault("internal", {}, cause));
