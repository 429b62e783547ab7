// Continuous exports: at least once and in order, over outages, restarts and lost cursors; to a real syslog daemon where there is one.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { exportChecks } from "../../../src/commands/export-checks.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { fileDestination, syslogDestination, type Destination } from "../../../src/transcript/destinations.ts";
import { exporters } from "../../../src/transcript/exporters/index.ts";
import type { Transcript } from "../../../src/transcript/record.ts";
import { startShipping, type Lag, type Shipping } from "../../../src/transcript/shipping.ts";
import { startExporting } from "../../../src/wiring/exporting.ts";
import { promise } from "../../support/promise.ts";
import { callId, openIn, plainRead, quickDisk, start, temporaryFolder } from "./support.ts";

const execute = promisify(execFile);

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 9000; tries++) {
    if (await holds()) return;
    await wait(10);
  }
  throw new Error("it never came to hold");
}

interface Run {
  readonly folder: string;
  readonly transcript: Transcript;
  /** Appends the entries of so many reads and signs the head over them. */
  readonly write: (reads: number) => Promise<void>;
}

async function opened(): Promise<Run> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { disk: quickDisk, segmentSize: 20_000 });
  let calls = 0;
  const write = async (reads: number): Promise<void> => {
    for (let read = 0; read < reads; read++) await transcript.append(plainRead(callId(++calls)));
    await transcript.checkpoint();
  };
  return { folder, transcript, write };
}

interface Ship extends Shipping {
  readonly said: readonly string[];
  readonly pauses: readonly number[];
}

function ship(folder: string, destination: Destination): Ship {
  const said: string[] = [];
  const pauses: number[] = [];
  const shipping = startShipping({
    folder,
    name: "siem",
    exporter: exporters.ocsf,
    destination,
    version: "1.2.3",
    disk: quickDisk,
    now: () => start + 60_000,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
      await wait(5);
    },
    say: (sentence) => void said.push(sentence),
  });
  onTestFinished(() => shipping.stop());
  return { ...shipping, said, pauses };
}

const indexOf = (record: string): number => (JSON.parse(record) as { unmapped: { index: number } }).unmapped.index;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Keeps what arrives; fails while `down`, after it has taken a batch where `down` is "late". */
function memory(): { arrived: number[]; down: "no" | "early" | "late"; destination: Destination; largest: number } {
  const kept = {
    arrived: [] as number[],
    down: "no" as "no" | "early" | "late",
    largest: 0,
    destination: {
      deliver(records: readonly string[]): Promise<void> {
        if (kept.down === "early") return Promise.reject(new Error("connection refused"));
        kept.largest = Math.max(kept.largest, records.join("").length);
        kept.arrived.push(...records.map(indexOf));
        return kept.down === "late" ? Promise.reject(new Error("connection reset")) : Promise.resolve();
      },
    },
  };
  return kept;
}

promise("export:continuous", "signed entries in order and once, and none that is not signed", async () => {
  const { folder, transcript, write } = await opened();
  const siem = memory();
  await write(20);
  const shipping = ship(folder, siem.destination);
  await until(() => siem.arrived.length === 60);
  await transcript.append(plainRead(callId(900)));
  await write(0);
  await until(() => siem.arrived.length === 63);
  await transcript.append(plainRead(callId(901)));
  const before = shipping.pauses.length;
  await until(() => shipping.pauses.length > before + 3);
  expect([siem.arrived, shipping.said]).toEqual([upTo(63), []]);
  expect(await shipping.lag()).toEqual({ name: "siem", entries: 0, age: 0, trouble: null });
});

promise(
  "export:continuous",
  "over an outage it tries ever more seldom, holds nothing in memory, and catches up",
  async () => {
    const { folder, write } = await opened();
    const siem = memory();
    siem.down = "early";
    const shipping = ship(folder, siem.destination);
    await write(500);
    await until(() => shipping.pauses.filter((one) => one > 1000).length > 12);
    const waits = shipping.pauses.slice(shipping.pauses.findIndex((one) => one > 1000) - 1);
    expect(waits.slice(0, 9)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(await shipping.lag()).toEqual({ name: "siem", entries: 1500, age: 60_000, trouble: "connection refused" });
    siem.down = "no";
    await until(() => siem.arrived.length === 1500);
    expect(siem.arrived).toEqual(upTo(1500));
    await until(async () => (await shipping.lag()).entries === 0);
    expect(shipping.said).toEqual([
      "The export siem can't go on, and is tried again: connection refused",
      "The export siem reaches its destination again.",
    ]);
    // About a hundred batches of whole lines, none much larger than what is read at once.
    expect(siem.largest).toBeLessThan(4 * 512 * 1024);
  },
);

promise("export:continuous", "what broke off while it arrived is sent again, and nothing is left out", async () => {
  const { folder, write } = await opened();
  const siem = memory();
  siem.down = "late";
  await write(30);
  const shipping = ship(folder, siem.destination);
  await until(() => siem.arrived.length >= 180);
  siem.down = "no";
  await until(async () => (await shipping.lag()).entries === 0);
  expect([...new Set(siem.arrived)].sort((a, b) => a - b)).toEqual(upTo(90));
  expect(siem.arrived.length).toBeGreaterThan(90);
});

promise(
  "export:continuous",
  "a restart goes on from the cursor; a cursor of other segments, or a damaged one, begins again",
  async () => {
    const { folder, write } = await opened();
    await write(10);
    const cursor = join(folder, "exports", "siem.cursor");
    const round = async (): Promise<{ arrived: readonly number[]; said: readonly string[] }> => {
      const siem = memory();
      const shipping = ship(folder, siem.destination);
      await until(async () => (await shipping.lag()).entries === 0 && shipping.pauses.length > 0);
      await shipping.stop();
      return { arrived: siem.arrived, said: shipping.said };
    };
    expect((await round()).arrived).toEqual(upTo(30));
    expect((await round()).arrived).toEqual([]);
    await write(1);
    expect((await round()).arrived).toEqual([30, 31, 32]);
    const sound = await readFile(cursor, "utf8");
    const again = "The cursor of the export siem is not one of this transcript: everything is exported again.";
    const damaged = [
      "",
      "{",
      "null",
      sound.replace(/"leaf":"[0-9a-f]/, '"leaf":"g'),
      sound.replace(/"leaf":"[0-9a-f]{4}/, (found) => `"leaf":"${found.endsWith("0000") ? "1111" : "0000"}`),
    ];
    for (const text of damaged) {
      await writeFile(cursor, text);
      expect([text, await round()]).toEqual([text, { arrived: upTo(33), said: [again] }]);
    }
    // Where the entry before it lies elsewhere now, as after a purge, it goes on behind that one.
    for (const text of [sound.replace(/"offset":\d+/, '"offset":7'), sound.replace(/"segment":\d+/, '"segment":99')]) {
      await writeFile(cursor, text);
      expect([text, await round()]).toEqual([text, { arrived: [], said: [] }]);
      expect([text, await readFile(cursor, "utf8")]).toEqual([text, text]);
    }
    expect((await stat(cursor)).mode & 0o777).toBe(0o600);
  },
);

promise("export:continuous", "a file grows by whole records, whatever was cut in it, and may be rotated", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "out.csv");
  const file = fileDestination(path);
  await file.deliver(["a\r\n", "b\r\n"], "head\r\n");
  await file.deliver(["c\r\n"], "head\r\n");
  expect(await readFile(path, "utf8")).toBe("head\r\na\r\nb\r\nc\r\n");
  await writeFile(path, "head\r\na\r\nb");
  await file.deliver(["b\r\n"], "head\r\n");
  expect(await readFile(path, "utf8")).toBe("head\r\na\r\nb\nb\r\n");
  await rename(path, `${path}.1`);
  await file.deliver(["d\r\n"], "head\r\n");
  expect([await readFile(path, "utf8"), (await stat(path)).mode & 0o777]).toEqual(["head\r\nd\r\n", 0o600]);
});

/** Reads octet-counted messages, strictly. */
function frames(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = bytes.toString("latin1", at, space);
    if (!/^[1-9]\d*$/.test(digits)) throw new Error(`not a count: ${digits.slice(0, 20)}`);
    const end = space + 1 + Number(digits);
    if (end > bytes.length) throw new Error("cut short");
    messages.push(bytes.toString("utf8", space + 1, end));
    at = end;
  }
  return messages;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A receiver that keeps the messages of each connection that it read to its end. */
function receiver(keep: (messages: readonly string[]) => void): (socket: Socket) => void {
  return (socket) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
    socket.on("end", () => keep(frames(Buffer.concat(chunks))));
    socket.on("error", () => undefined);
  };
}

promise("export:syslog", "over TCP each batch arrives whole, or is not taken for delivered", async () => {
  const got: string[] = [];
  const port = await listening(createServer(receiver((messages) => void got.push(...messages))));
  const send = syslogDestination({ host: "127.0.0.1", port }, 5000);
  const long = "x".repeat(60_000);
  await send.deliver(["one é\n", `two ${long}\n`], "");
  await send.deliver(["three\n"], "");
  expect(got).toEqual(["one é", `two ${long}`, "three"]);

  // Closed before it read to the end; never closed; nobody there.
  const hasty = await listening(createServer((socket) => void socket.on("error", () => undefined).destroy()));
  await expect(syslogDestination({ host: "127.0.0.1", port: hasty }).deliver([long, long, long], "")).rejects.toThrow();
  const stuck = await listening(
    createServer({ allowHalfOpen: true }, (socket) => void socket.on("error", () => undefined).resume()),
  );
  await expect(syslogDestination({ host: "127.0.0.1", port: stuck }, 50).deliver(["a\n"], "")).rejects.toThrow(
    "no end after 50 ms",
  );
  const closed = createServer();
  const nobody = await listening(closed);
  await new Promise((done) => closed.close(done));
  await expect(syslogDestination({ host: "127.0.0.1", port: nobody }).deliver(["a\n"], "")).rejects.toThrow(
    "ECONNREFUSED",
  );
});

/** A certificate that signs itself, for `siem.test` and 127.0.0.1; its key is beside it. */
async function certificate(folder: string): Promise<{ readonly cert: string; readonly key: string }> {
  const [key, cert] = [join(folder, "tls.key"), join(folder, "tls.crt")];
  await execute("openssl", [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    key,
    "-out",
    cert,
    "-subj",
    "/CN=siem.test",
    "-addext",
    "subjectAltName=DNS:siem.test",
  ]);
  await chmod(key, 0o600);
  return { cert, key };
}

const hasOpenssl = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "openssl")));
const rsyslogd = ["/usr/sbin/rsyslogd", "/sbin/rsyslogd", "/usr/bin/rsyslogd"].find((path) => existsSync(path));

if (hasOpenssl)
  promise("export:syslog", "over TLS, to the receiver that the certificate is for and to no other", async () => {
    const folder = await temporaryFolder();
    const { cert, key } = await certificate(folder);
    const [ca, secret] = [await readFile(cert, "utf8"), await readFile(key, "utf8")];
    const got: string[] = [];
    const port = await listening(
      createTlsServer(
        { cert: ca, key: secret },
        receiver((messages) => void got.push(...messages)),
      ),
    );
    await syslogDestination({ host: "127.0.0.1", port, tls: { ca, name: "siem.test" } }).deliver(["one\n"], "");
    expect(got).toEqual(["one"]);
    const other = syslogDestination({ host: "127.0.0.1", port, tls: { ca, name: "other.test" } });
    await expect(other.deliver(["two\n"], "")).rejects.toThrow(/altnames|does not match/);
    const unknown = syslogDestination({ host: "127.0.0.1", port, tls: { name: "siem.test" } });
    await expect(unknown.deliver(["three\n"], "")).rejects.toThrow(/self-signed/);
    const plain = await listening(createServer((socket) => void socket.on("error", () => undefined).end("hello\n")));
    await expect(
      syslogDestination({ host: "127.0.0.1", port: plain, tls: { ca } }).deliver(["four\n"], ""),
    ).rejects.toThrow();
    expect(got).toEqual(["one"]);
  });
else test.skip("over TLS: openssl is missing on this machine", () => undefined);

if (rsyslogd !== undefined && hasOpenssl)
  promise(
    "export:syslog",
    "a real rsyslog daemon takes in every entry over TCP and TLS, over its own outage",
    async () => {
      const { folder, write } = await opened();
      const { cert, key } = await certificate(folder);
      await exportsTo(folder, write, { rsyslogd, cert, key });
    },
  );
else
  test.skip(`a real rsyslog daemon: ${rsyslogd === undefined ? "rsyslogd" : "openssl"} is missing on this machine`, () =>
    undefined);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

interface Daemon {
  readonly rsyslogd: string;
  readonly cert: string;
  readonly key: string;
}

async function exportsTo(folder: string, write: Run["write"], told: Daemon): Promise<void> {
  const [tcp, tls] = [await freePort(), await freePort()];
  const out = join(folder, "syslog.out");
  const config = join(folder, "rsyslog.conf");
  const modules =
    'global(workDirectory="FOLDER" maxMessageSize="64k" defaultNetstreamDriverCAFile="CERT" defaultNetstreamDriverCertFile="CERT" defaultNetstreamDriverKeyFile="KEY")';
  await mkdir(join(folder, "spool"));
  await writeFile(
    config,
    [
      modules.replace("FOLDER", join(folder, "spool")).replaceAll("CERT", told.cert).replace("KEY", told.key),
      'module(load="imtcp")',
      'template(name="whole" type="string" string="%inputname% %app-name% %msgid% %structured-data%%msg%\\n")',
      `ruleset(name="keep") { action(type="omfile" file="${out}" template="whole") }`,
      `input(type="imtcp" name="tcp" port="${tcp}" address="127.0.0.1" ruleset="keep")`,
      `input(type="imtcp" name="tls" port="${tls}" address="127.0.0.1" ruleset="keep" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")`,
      "",
    ].join("\n"),
  );
  const begin = (): (() => Promise<void>) => {
    const child = spawn(told.rsyslogd, ["-n", "-f", config, "-i", join(folder, "rsyslog.pid")], { stdio: "ignore" });
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    return async () => {
      child.kill("SIGTERM");
      await gone;
    };
  };
  const { exporters: settings } = configSchema.parse({
    version: 1,
    exporters: [
      { kind: "syslog", name: "by-tcp", address: `tcp://127.0.0.1:${tcp}` },
      {
        kind: "syslog",
        name: "by-tls",
        format: "ocsf",
        address: `tls://127.0.0.1:${tls}`,
        ca: told.cert,
        serverName: "siem.test",
      },
    ],
  });
  let stop = begin();
  onTestFinished(() => stop());
  const exporting = await startExporting({
    settings,
    folder,
    version: "1.2.3",
    now: () => start + 60_000,
    log: { warn: () => undefined },
    disk: quickDisk,
  });
  onTestFinished(() => exporting.stop());
  const arrived = async (): Promise<readonly Lag[]> => exporting.lags();
  const caughtUp = (): Promise<void> => until(async () => (await arrived()).every(({ entries }) => entries === 0));
  await write(20);
  await caughtUp();
  await stop();
  await write(20);
  await until(async () => (await arrived()).every(({ trouble }) => trouble !== null));
  stop = begin();
  await caughtUp();
  // Written to the file a moment after the connection was read.
  const lines = async (): Promise<string[]> => (await readFile(out, "utf8").catch(() => "")).trimEnd().split("\n");
  const seen = (all: readonly string[], input: string, index: RegExp): number[] =>
    [...new Set(all.filter((line) => line.startsWith(`${input} `)).map((line) => Number(index.exec(line)?.[1])))].sort(
      (a, b) => a - b,
    );
  await until(async () => {
    const all = await lines();
    return seen(all, "tcp", / externalId=(\d+)/).length === 120 && seen(all, "tls", /"sequence":(\d+)/).length === 120;
  });
  const all = await lines();
  expect([seen(all, "tcp", / externalId=(\d+)/), seen(all, "tls", /"sequence":(\d+)/)]).toEqual([upTo(120), upTo(120)]);
  expect(all.find((line) => line.startsWith("tcp "))).toMatch(
    /^tcp sallyport call\.received \[origin software="Sallyport" swVersion="1\.2\.3"\] ?CEF:0\|Sallyport\|Sallyport\|1\.2\.3\|call\.received\|/,
  );
}

promise("export:continuous", "the configuration names each once, with what belongs to its way alone", () => {
  const problems = (one: object): readonly string[] => {
    const parsed = configSchema.safeParse({ version: 1, exporters: [one, { kind: "file", name: "other", path: "x" }] });
    return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  };
  const syslog = { kind: "syslog", name: "siem", address: "tls://siem.example:6514" };
  expect(problems(syslog)).toEqual([]);
  expect(problems({ ...syslog, address: "tcp://[::1]:601" })).toEqual([]);
  expect(problems({ ...syslog, name: "other" })).toEqual(["exporters.1.name: other stands twice"]);
  expect(problems({ ...syslog, address: "tcp://siem.example:601", ca: "ca.pem" })).toEqual([
    "exporters.0.ca: is for tls:// alone",
  ]);
  expect(problems({ ...syslog, key: "key.pem" })).toEqual([
    "exporters.0.certificate: and key stand together, or neither does",
  ]);
  for (const address of [
    "tls://siem.example",
    "https://siem.example:1",
    "tls://u:p@siem.example:1",
    "tls://siem.example:1/x",
    "tls://:1",
  ])
    expect([address, problems({ ...syslog, address }).length > 0]).toEqual([address, true]);
  for (const wrong of [{ name: "../x" }, { name: "" }, { format: "csv" }, { colour: 1 }])
    expect([wrong, problems({ ...syslog, ...wrong }).length]).toEqual([wrong, 1]);
});

promise(
  "export:continuous",
  "a file that a setting names and that can't be used stops the start with a sentence",
  async () => {
    const folder = await temporaryFolder();
    const key = join(folder, "key.pem");
    await writeFile(key, randomBytes(10));
    await chmod(key, 0o644);
    const begin = (over: object) => {
      const { exporters: settings } = configSchema.parse({
        version: 1,
        exporters: [{ kind: "syslog", name: "siem", address: "tls://siem.example:1", ...over }],
      });
      return startExporting({ settings, folder, version: "", now: () => start, log: { warn: () => undefined } });
    };
    await expect(begin({ ca: join(folder, "none") })).rejects.toMatchObject({
      fault: { code: "internal", cause: `${join(folder, "none")} of the export siem can't be read (ENOENT).` },
    });
    await expect(begin({ certificate: key, key })).rejects.toMatchObject({
      fault: { cause: `${key} of the export siem can be read by others; chmod 600 it.` },
    });
    await rm(key);
  },
);

promise("export:continuous", "doctor tells how far each is behind, and which file can't be read", async () => {
  const { folder, write } = await opened();
  await write(2);
  const config = configSchema.parse({
    version: 1,
    exporters: [
      { kind: "file", name: "lake", path: join(folder, "lake.ndjson") },
      { kind: "syslog", name: "siem", address: "tls://siem.example:1", ca: join(folder, "none") },
    ],
  });
  const checked = (after: number) => exportChecks({ now: () => start + after }, folder, config);
  const next = "put it there, or correct the path";
  expect(await checked(60_000)).toEqual([
    { name: "export lake", result: "ok", says: "6 entries behind, the oldest of 1 min 0 s ago", next: "" },
    { name: "export siem", result: "failed", says: `${join(folder, "none")} can't be read`, next },
  ]);
  expect((await checked(7_200_000))[0]).toMatchObject({ result: "note" });
  const settings = config.exporters.slice(0, 1);
  const log = { warn: () => undefined };
  const exporting = await startExporting({ settings, folder, version: "", now: () => start, log, disk: quickDisk });
  await until(async () => (await exporting.lags()).every(({ entries }) => entries === 0));
  await exporting.stop();
  const [lake] = await checked(7_200_000);
  expect(lake).toEqual({ name: "export lake", result: "ok", says: "has everything that is signed", next: "" });
});
