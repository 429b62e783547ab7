// What a command printed as the record will have it: masked as one text, in its time, and there whatever becomes of the command.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { Access } from "../../../src/domain/access.ts";
import { Faulted, fault } from "../../../src/domain/fault.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import type { StreamSegment } from "../../../src/domain/run.ts";
import { execMatter } from "../../../src/execution/exec.ts";
import { guardCluster } from "../../../src/execution/guarded-cluster.ts";
import { hear, most } from "../../../src/execution/heard.ts";
import type { KubeClient } from "../../../src/kubernetes/contract.ts";
import { promise } from "../../support/promise.ts";
import { ca } from "../kubernetes/certificates.ts";
import { exited, say, serveExec, success, talk, type Play } from "../kubernetes/exec-server.ts";
import { clientOf } from "../kubernetes/server.ts";
import { masker } from "../masking/support.ts";

const secret = "Xk29fLqPz7RtVw83";
const pem = `-----BEGIN EC PRIVATE KEY-----\n${"MHcCAQEEIBase64Base64Base64Base64Base64Base64Base64Base64Base64Ba\n".repeat(20)}-----END EC PRIVATE KEY-----\n`;
const parts = [
  "GET /healthz 200 3ms\n",
  `password=${secret} user=bob\n`,
  `{"token":"${secret}",\n"n":1}\n`,
  "ünïcode ✓ 🙂 line\n",
  pem,
  "\n",
  "no end",
  `Authorization: Bearer ${secret}${secret}\r\n`,
];

interface Chunk {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
  /** Milliseconds after the one before. */
  readonly after: number;
}

/** Hears these chunks on a clock of their own. */
function heardOf(chunks: readonly Chunk[], whole = true) {
  let now = 1000;
  const heard = hear(() => now);
  now += 50;
  heard.began();
  for (const { stream, bytes, after } of chunks) {
    now += after;
    heard.took(stream, bytes);
  }
  return heard.told(masker({}, "heard"), whole);
}

const textOf = (segments: readonly StreamSegment[], stream: string): string =>
  segments
    .filter((one) => one.stream === stream)
    .map((one) => one.text)
    .join("");

/** What the call's stream masker makes of the whole text. */
function streamed(text: string): string {
  const stream = masker({}, "heard").stream();
  return stream.push(text) + stream.end();
}

const text = fc.array(fc.constantFrom(...parts), { maxLength: 30 }).map((some) => some.join(""));
const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 900 })), {
  minLength: 1,
  maxLength: 12,
});

/** The bytes of a text cut anywhere, also inside characters and secrets. */
function chunksOf(stream: Chunk["stream"], all: string, sizes: readonly (readonly [number, number])[]): Chunk[] {
  const bytes = Buffer.from(all);
  const chunks: Chunk[] = [];
  for (let from = 0, turn = 0; from < bytes.length; turn++) {
    const [size, after] = sizes[turn % sizes.length] ?? [1, 0];
    chunks.push({ stream, bytes: bytes.subarray(from, from + size), after });
    from += size;
  }
  return chunks;
}

promise(
  "transcript:streams",
  "whatever the cuts, the segments joined are what the stream masker makes of it all",
  () => {
    fc.assert(
      fc.property(text, text, cuts, (out, err, sizes) => {
        const { text: told, segments } = heardOf([
          ...chunksOf("stdout", out, sizes),
          ...chunksOf("stderr", err, sizes),
        ]);
        expect([told.stdout, told.stderr]).toEqual([streamed(out), streamed(err)]);
        expect([textOf(segments, "stdout"), textOf(segments, "stderr")]).toEqual([told.stdout, told.stderr]);
        expect(segments.length).toBeLessThanOrEqual(most.segments);
        expect(JSON.stringify(segments)).not.toMatch(/Xk29fLqPz7RtVw83|MHcCAQEEI/);
        for (const [number, one] of segments.entries()) {
          expect(one.from).toBeLessThanOrEqual(one.to);
          expect(one.to).toBeGreaterThanOrEqual(segments[number - 1]?.to ?? 0);
        }
        const count = (all: string): number => all.split("[MASKED:").length - 1;
        for (const one of segments) expect(one.masked.reduce((sum, row) => sum + row.count, 0)).toBe(count(one.text));
      }),
      { numRuns: 150 },
    );
  },
);

promise("transcript:streams", "segments of a second or 16 KiB at line ends, each in its own time", () => {
  const line = (words: string, after: number, stream: Chunk["stream"] = "stdout"): Chunk => ({
    stream,
    bytes: Buffer.from(words),
    after,
  });
  const short = heardOf([
    line("one\n", 10),
    line("two\n", 400),
    line("warn\n", 100, "stderr"),
    line("three\n", 600),
    line("pass", 2000),
    line(`word=${secret.slice(0, 8)}`, 300),
    line(`${secret.slice(8)}\n`, 300),
    line("half", 0),
  ]);
  expect(short.segments).toEqual([
    { stream: "stdout", from: 10, to: 410, text: "one\ntwo\n", masked: [] },
    { stream: "stderr", from: 510, to: 510, text: "warn\n", masked: [] },
    { stream: "stdout", from: 1110, to: 1110, text: "three\n", masked: [] },
    {
      stream: "stdout",
      from: 3110,
      to: 3710,
      text: expect.stringMatching(/^password=\[MASKED:password:[0-9a-f]{8}\]\nhalf$/),
      masked: [{ type: "password", count: 1 }],
    },
  ]);
  const large = heardOf([line(`${"x".repeat(99)}\n`.repeat(400), 5), line(`${"y".repeat(20_000)}\n`, 0)]);
  expect(large.segments.map(({ text: one }) => one.length)).toEqual([16_300, 16_300, 7_400, 20_001]);
  // A key whose lines come one by one is one token, in the time that all of it took.
  const key = heardOf(pem.split(/(?<=\n)/).map((one) => line(one, 700)));
  expect(key.segments).toEqual([
    {
      stream: "stdout",
      from: 700,
      to: 700 * 22,
      text: expect.stringMatching(/^\[MASKED:private_key:[0-9a-f]{8}\]\n?$/),
      masked: [{ type: "private_key", count: 1 }],
    },
  ]);
});

promise("transcript:streams", "a command that prints for long is told of in wider segments, never in more", () => {
  const tick = (number: number, stream: Chunk["stream"]): Chunk => ({
    stream,
    bytes: Buffer.from(`${number}\n`),
    after: 550,
  });
  const ticks = Array.from({ length: 120 }, (_, at) => tick(at, at % 2 === 0 ? "stdout" : "stderr"));
  const { segments } = heardOf(ticks);
  expect(segments.length).toBeLessThanOrEqual(most.segments);
  expect(segments.length).toBeGreaterThan(most.segments / 2);
  expect(segments.every(({ from, to }) => to - from <= 8 * most.time)).toBe(true);
});

const pods = {
  group: "",
  version: "v1",
  resource: "pods",
  kind: "Pod",
  namespaced: true,
  verbs: [],
  shortNames: [],
  subresources: [],
};
const pod: JsonObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", namespace: "shop", uid: "u1" },
  spec: { containers: [{ name: "web", image: "web:1" }] },
  status: { containerStatuses: [{ name: "web", state: { running: {} } }] },
};
const command = { container: "web", command: ["tail", "app.log"], seconds: 20 };
const access = (verb: Access["verb"], subresource: string): Access => ({
  cluster: "c",
  verb,
  group: "",
  version: "v1",
  resource: "pods",
  subresource,
  kind: "Pod",
  namespace: "shop",
  name: "web-1",
  optional: false,
});

/** Runs the command on this stage: how it ended, and what was kept of its output for the record. */
async function ranOn(play: Play, { masks = true, signal = new AbortController().signal } = {}) {
  const { url } = await serveExec(play);
  const client: KubeClient = {
    ...clientOf(url, { tls: { ca, insecure: false } }),
    cluster: "c",
    request: () => Promise.resolve({ status: 200, body: pod, warnings: [] }),
  };
  const kept: StreamSegment[][] = [];
  const own = masker({}, "ran");
  const broken = (): never => {
    throw new Faulted(fault("output_withheld"));
  };
  const cluster = guardCluster({
    client,
    accesses: [access("get", ""), access("get", "exec"), access("create", "exec")],
    forbids: () => false,
    leftOut: 0,
    authorization: () => "Bearer token-of-a-test",
    masking: { ...own, asRead: (read) => own.object(read), ...(masks ? {} : { pieces: broken }) },
    rehearse: false,
    preconditions: [
      {
        resource: "pods/exec",
        namespace: "shop",
        name: "web-1",
        uid: "u1",
        resourceVersion: "",
        substance: execMatter(own.object(pod), command).substance,
      },
    ],
    nextAuditId: () => "call_0190.1",
    agent: "test",
    signal,
    timeout: 60_000,
    now: () => 0,
    streamed: (segments) => void kept.push([...segments]),
  });
  const ended = await cluster.exec({ kind: pods, namespace: "shop", name: "web-1" }, command).then(
    (result) => result,
    (thrown: unknown) => (thrown instanceof Faulted ? [thrown.fault.code, thrown.fault.effect] : String(thrown)),
  );
  return { ended, kept: kept.map((some) => some.map(({ stream, text: one }) => [stream, one])) };
}

const password = expect.stringMatching(/^password=\[MASKED:password:[0-9a-f]{8}\]\nok\n$/);
const halves = [`pass`, `word=${secret.slice(0, 5)}`, `${secret.slice(5)}\no`, "k\n"];

promise("transcript:streams", "a secret that came in pieces is hidden in the answer and on record alike", async () => {
  const fine = talk((socket) => {
    for (const half of halves) say(socket, 1, half);
    say(socket, 2, "careful");
    say(socket, 3, exited(3));
    socket.close(1000);
  });
  const { ended, kept } = await ranOn(fine);
  expect(ended).toEqual({ kind: "exited", code: 3, stdout: password, stderr: "careful" });
  expect(kept).toEqual([
    [
      ["stdout", password],
      ["stderr", "careful"],
    ],
  ]);
});

promise(
  "transcript:streams",
  "a connection that breaks or a caller that leaves: the whole lines that came",
  async () => {
    const breaking = talk((socket) => {
      for (const half of halves) say(socket, 1, half);
      say(socket, 1, `password=${secret.slice(0, 12)}`);
      socket.close(1000);
    });
    const { ended, kept } = await ranOn(breaking);
    expect([ended, kept]).toEqual([["deadline_exceeded", "unknown"], [[["stdout", password]]]]);
    const leaving = new AbortController();
    const left = await ranOn(
      talk((socket) => {
        for (const half of halves) say(socket, 1, half);
        // Everything before it has been read when the answer to a ping is back.
        socket.once("pong", () => leaving.abort());
        socket.ping();
      }),
      { signal: leaving.signal },
    );
    expect([left.ended, left.kept]).toEqual([["cancelled", "unknown"], [[["stdout", password]]]]);
  },
);

promise("transcript:streams", "what can't be masked is not kept, and the fault stays the command's own", async () => {
  const printing = (end: boolean): Play =>
    talk((socket) => {
      say(socket, 1, `password=${secret}\n`);
      if (end) say(socket, 3, success);
      socket.close(1000);
    });
  const ended = await ranOn(printing(true), { masks: false });
  expect([ended.ended, ended.kept]).toEqual([["output_withheld", "none"], []]);
  const broke = await ranOn(printing(false), { masks: false });
  expect([broke.ended, broke.kept]).toEqual([["deadline_exceeded", "unknown"], [[]]]);
});
