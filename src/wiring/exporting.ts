// Continuous exports beside the gateway: one for each that the configuration names. No call ever waits for one.

import type { ExporterSetting } from "../config/exporters.ts";
import type { Log } from "../log.ts";
import { fileDestination, syslogDestination, type Destination } from "../transcript/destinations.ts";
import { realDisk, type Disk } from "../transcript/disk.ts";
import type { Exported, Exporter } from "../transcript/exporters/contract.ts";
import { exporters } from "../transcript/exporters/index.ts";
import { severityOf } from "../transcript/severity.ts";
import { startShipping, type Lag, type Shipping } from "../transcript/shipping.ts";
import { syslogMessage } from "../transcript/syslog.ts";
import { quietly } from "./quietly.ts";
import { addressOf } from "./syslog-address.ts";

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
  return syslogDestination(await addressOf(`the export ${setting.name}`, setting));
}
