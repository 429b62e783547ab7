// Continuous exports beside the gateway: one for each that the configuration names. No call ever waits for one.

import { readFile, stat } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { ExporterSetting } from "../config/exporters.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { Log } from "../log.ts";
import {
  fileDestination,
  syslogDestination,
  type Destination,
  type SyslogAddress,
} from "../transcript/destinations.ts";
import { realDisk, type Disk } from "../transcript/disk.ts";
import type { Exported, Exporter } from "../transcript/exporters/contract.ts";
import { exporters } from "../transcript/exporters/index.ts";
import { severityOf } from "../transcript/severity.ts";
import { startShipping, type Lag, type Shipping } from "../transcript/shipping.ts";
import { syslogMessage } from "../transcript/syslog.ts";

export interface ExportingOptions {
  readonly settings: readonly ExporterSetting[];
  readonly folder: string;
  readonly version: string;
  readonly now: () => number;
  readonly log: Pick<Log, "warn">;
  readonly disk?: Disk;
}

export interface Exporting {
  /** How far each export is behind: for metrics and doctor. */
  lags(): Promise<readonly Lag[]>;
  stop(): Promise<void>;
}

/** Faults: internal, with the operator's sentence, where a file that a setting names can't be used. */
export async function startExporting(options: ExportingOptions): Promise<Exporting> {
  const { settings, folder, version, now, log } = options;
  const destinations = await Promise.all(settings.map(async (one) => [one, await destinationOf(one)] as const));
  const running = destinations.map(([setting, destination]): Shipping => {
    const exporter = exporters[setting.format];
    return startShipping({
      folder,
      name: setting.name,
      exporter,
      ...(setting.kind === "syslog" ? { record: messageWith(exporter) } : {}),
      destination,
      version,
      disk: options.disk ?? realDisk,
      now,
      pause: quietly,
      say: (sentence) => log.warn({ cause: sentence }, "an export"),
    });
  });
  return {
    lags: () => Promise.all(running.map((one) => one.lag())),
    async stop() {
      await Promise.all(running.map((one) => one.stop()));
    },
  };
}

async function quietly(milliseconds: number, signal: AbortSignal): Promise<void> {
  await Promise.allSettled([pause(milliseconds, undefined, { signal, ref: false })]);
}

/** The exporter's record as the text of a syslog message. */
function messageWith(exporter: Exporter): (one: Exported) => string {
  return (one) => {
    const { gateway, ts, kind } = one.entry;
    const about = { severity: severityOf(one.entry), at: ts, host: gateway.id, version: gateway.version, id: kind };
    return syslogMessage({ ...about, text: exporter.record(one).trimEnd() });
  };
}

async function destinationOf(setting: ExporterSetting): Promise<Destination> {
  if (setting.kind === "file") return fileDestination(setting.path);
  return syslogDestination(await addressOf(setting));
}

async function addressOf(setting: Extract<ExporterSetting, { kind: "syslog" }>): Promise<SyslogAddress> {
  const { protocol, hostname, port } = new URL(setting.address);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (protocol === "tcp:") return { host, port: Number(port) };
  const { name, serverName, ca, certificate, key } = setting;
  const told = {
    ...(serverName === undefined ? {} : { name: serverName }),
    ...(ca === undefined ? {} : { ca: await given(name, ca) }),
    ...(certificate === undefined ? {} : { certificate: await given(name, certificate) }),
    ...(key === undefined ? {} : { key: await secret(name, key) }),
  };
  return { host, port: Number(port), tls: told };
}

async function secret(name: string, path: string): Promise<string> {
  const text = await given(name, path);
  if (((await stat(path)).mode & 0o077) !== 0)
    throw unusable(`${path} of the export ${name} can be read by others; chmod 600 it.`);
  return text;
}

async function given(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
    throw unusable(`${path} of the export ${name} can't be read (${code}).`);
  }
}

const unusable = (cause: string): Faulted => new Faulted(fault("internal", {}, cause));
