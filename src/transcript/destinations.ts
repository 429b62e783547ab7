// Where continuous exports go: a file, or a syslog receiver over TCP or TLS. Each says for itself when a batch has arrived.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { counted } from "./syslog.ts";

export interface Destination {
  /** Returns once the records have arrived; rejects where that is not known. Those of a batch that is sent again arrive twice. */
  deliver(records: readonly string[], head: string): Promise<void>;
}

/**
 * A file that only grows, 0600; `head` stands before its first record. It is opened anew for each batch, so that it may
 * be rotated at any time.
 */
export function fileDestination(path: string): Destination {
  return {
    async deliver(records, head) {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
      const file = await open(path, flags, 0o600);
      try {
        const { size } = await file.stat();
        const last = Buffer.alloc(1);
        if (size > 0) await file.read(last, 0, 1, size - 1);
        // A record that a crash cut short ends here, so that the next one begins on its own line.
        const before = size === 0 ? head : last[0] === 0x0a ? "" : "\n";
        await file.appendFile(before + records.join(""));
        await file.datasync();
      } finally {
        await file.close();
      }
    },
  };
}

export interface SyslogAddress {
  readonly host: string;
  readonly port: number;
  /** TLS (RFC 5425): the certificate is checked against `ca` (PEM), or against the system's where it is absent. Absent: plain TCP. */
  readonly tls?: {
    readonly ca?: string;
    /** The name that the certificate must be for; the host where it is absent. */
    readonly name?: string;
    /** What the receiver is shown of us, PEM. */
    readonly certificate?: string;
    readonly key?: string;
  };
}

/** How long a batch may take, in milliseconds. */
const patience = 30_000;
/** How long the end of our stream is kept back, in milliseconds: who closes in this time did not read to it. */
const grace = 200;

/**
 * A syslog receiver. Syslog answers nothing, so each batch has its own connection: it counts as arrived when the receiver
 * closes its side after ours has ended, and not before. One that goes away with a part unread resets the connection.
 */
export function syslogDestination(address: SyslogAddress, wait: number = patience): Destination {
  return {
    deliver: (records) => {
      const bytes = records.map((record) => counted(record.trimEnd())).join("");
      return new Promise((arrived, failed) => {
        const socket = connectTo(address);
        const done = (thrown: Error | null): void => {
          socket.destroy();
          if (thrown === null) arrived();
          else failed(thrown);
        };
        let ended = false;
        socket.setTimeout(wait, () => done(new Error(`no end after ${wait} ms`)));
        socket.on("error", done);
        socket.on("end", () => done(ended ? null : new Error("closed before it had read everything")));
        socket.on("close", () => done(new Error("closed before it had read everything")));
        // What a receiver says is not asked for, and must not fill memory.
        socket.resume();
        const end = (): void => {
          ended = true;
          socket.end();
        };
        socket.once(address.tls === undefined ? "connect" : "secureConnect", () =>
          socket.write(bytes, () => setTimeout(end, grace)),
        );
      });
    },
  };
}

function connectTo({ host, port, tls }: SyslogAddress): Socket {
  if (tls === undefined) return connect({ host, port });
  const { ca, name, certificate, key } = tls;
  return connectTls({
    host,
    port,
    minVersion: "TLSv1.2",
    ...(name === undefined && isIP(host) > 0 ? {} : { servername: name ?? host }),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
  });
}
