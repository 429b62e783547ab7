// `npm run bench:masking`: how fast the masker is against bare walks over the same bytes, and what it finds and leaves on the corpus.

import { parseArgs } from "node:util";
import { isJsonObject, type Json, type JsonObject } from "../src/domain/json.ts";
import type { SessionId } from "../src/domain/ids.ts";
import { openMasking, type CallMasker } from "../src/masking/mask.ts";
import { shapes } from "../test/corpus/clean-logs.ts";
import { measureClean, measureFormats, measureSettings, type Measured } from "../test/corpus/measure.ts";
import { dice } from "../test/corpus/random.ts";
import { byTurns, median } from "./clock.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "40" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  process.stdout.write(`npm run bench:masking -- [--rounds N] [--json]

Rates in MB/s on one core, each beside its floors of the same run (a bare loop over the bytes, JSON.parse, Buffer.indexOf), then recall and
changes on the project's own corpus, by class. Takes about half a minute.
`);
  process.exit(0);
}
const rounds = Number(values.rounds);

const masking = openMasking({ key: new Uint8Array(32).fill(7) });
const masker = (): CallMasker => masking.forCall({ id: "ses_bench" as SessionId, door: "stdio" }, {});

interface Rate {
  readonly what: string;
  readonly goal: string;
  readonly bytes: number;
  readonly milliseconds: number;
  /** Milliseconds of each bare walk over the same bytes. */
  readonly floors: { readonly [name: string]: number };
}

/** Words that lines about secrets are known by. */
const speaking = /token|secret|passw|auth|key|credential|bearer/i;

/**
 * The eight shapes of clean logs, and every hundredth line with a password. In the corpus a third of the lines speak of
 * secrets, which is what costs and what few logs do; of those one in `kept` stays.
 */
function logs(length: number, kept: number): string {
  const random = dice(11);
  const makers = Object.values(shapes);
  const lines: string[] = [];
  let [size, spoke] = [0, 0];
  for (let turn = 0; size < length; turn++) {
    const line = makers[turn % makers.length]?.(random) ?? "";
    if (speaking.test(line) && spoke++ % kept !== 0) continue;
    lines.push(lines.length % 100 === 0 ? `${line} password=${random.pick("A-Za-z0-9", 16)}\n` : `${line}\n`);
    size += line.length + 1;
  }
  return lines.join("");
}

/** Texts with characters beyond Latin-1 are stored and walked as wider ones. */
const inAnotherLanguage = (line: string, at: number): string => (at % 50 === 0 ? `${line} соединение закрыто` : line);

/** A PodList as an API server sends it: environment, commands, annotations, status. */
function podList(count: number): JsonObject {
  const random = dice(12);
  const container = (at: number): JsonObject => ({
    name: `app-${at}`,
    image: `registry.example.com/shop/api:1.${at}.0`,
    args: ["--port=8080", "--log-level", "info"],
    env: [
      { name: "LOG_LEVEL", value: "info" },
      { name: "DATABASE_URL", value: `postgres://shop:${random.pick("A-Za-z0-9", 20)}@db.shop.svc:5432/shop` },
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "api", key: "token" } } },
    ],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    volumeMounts: [{ name: "config", mountPath: "/etc/app", readOnly: true }],
  });
  const items = Array.from({ length: count }, (_, at): JsonObject => ({
    metadata: {
      name: `api-7bbd5678c7-${random.pick("a-z0-9", 5)}`,
      namespace: "shop",
      uid: `8f9b1c52-0000-4000-8000-${random.pick("a-f0-9", 12)}`,
      labels: { app: "api", "pod-template-hash": "7bbd5678c7" },
      annotations: { "prometheus.io/scrape": "true", "example.com/checksum": random.pick("a-f0-9", 64) },
    },
    spec: { containers: [container(at), container(at + 1)], nodeName: `node-${at % 20}`, serviceAccountName: "api" },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }],
      containerStatuses: [
        { name: `app-${at}`, ready: true, restartCount: 0, imageID: `sha256:${random.pick("a-f0-9", 64)}` },
      ],
    },
  }));
  return { apiVersion: "v1", kind: "PodList", items };
}

/** Objects of which each is the answer of a call of its own. */
function alone(items: Json | undefined, of: (item: JsonObject, at: number) => JsonObject): readonly JsonObject[] {
  return (Array.isArray(items) ? items : []).filter(isJsonObject).map(of);
}
const asPod = (item: JsonObject): JsonObject => ({ apiVersion: "v1", kind: "Pod", ...item });
const asSecret = ({ metadata = {} }: JsonObject, at: number): JsonObject => {
  const encoded = (text: string): string => Buffer.from(text).toString("base64");
  const data = { username: encoded("shop"), password: encoded(dice(at).pick("A-Za-z0-9", 20)) };
  return { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data };
};

async function measure(): Promise<readonly Rate[]> {
  const [text, hard] = [logs(4_000_000, 20), logs(4_000_000, 1)];
  const wide = text.split("\n").map(inAnotherLanguage).join("\n");
  const list = podList(500);
  const json = JSON.stringify(list);
  const [pods, secrets] = [alone(list["items"], asPod), alone(list["items"], asSecret)];
  const line = logs(1_000_000, 1).replaceAll("\n", " ");
  return [
    await rate("logs, 1 line in 28 about secrets", "100 MB/s", text, () => masker().text(text)),
    await rate("the same logs, 1 line in 50 in Russian", "", wide, () => masker().text(wide)),
    await rate("the corpus, 1 line in 3 about secrets", "", hard, () => masker().text(hard)),
    await rate("the corpus, as a stream", "", hard, () => {
      const stream = masker().stream();
      stream.push(hard);
      stream.end();
    }),
    await rate("a PodList, walked", "40 MB/s", json, () => masker().object(list)),
    await rate("500 Pods, a call each", "", JSON.stringify({ pods }), () => pods.map((pod) => masker().object(pod))),
    await rate("500 Secrets, a call each", "", JSON.stringify({ secrets }), () =>
      secrets.map((secret) => masker().object(secret)),
    ),
    await rate("1 MB in one line", "200 ms", line, () => masker().text(line)),
  ];
}

async function rate(what: string, goal: string, text: string, work: () => unknown): Promise<Rate> {
  const bytes = Buffer.from(text);
  const quoted = text.startsWith("{") ? text : JSON.stringify(text);
  const [own = [], loop = [], parse = [], search = []] = await byTurns(rounds, [
    async () => work(),
    async () => walked(bytes),
    async () => JSON.parse(quoted) as unknown,
    async () => bytes.indexOf("[a text that stands nowhere in it]"),
  ]);
  const floors = { "bare loop": median(loop), "JSON.parse": median(parse), "Buffer.indexOf": median(search) };
  return { what, goal, bytes: bytes.length, milliseconds: median(own), floors };
}

/** Looks at every byte; the sum keeps the loop from being optimised away. */
function walked(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) sum = (sum + (bytes[at] ?? 0)) | 0;
  return sum;
}

interface Class {
  readonly what: string;
  readonly measured: Measured;
  readonly goal: string;
}

function corpus(): readonly Class[] {
  const mask = (text: string): string => masker().text(text);
  const clean = measureClean(mask, 300, 33);
  return [
    { what: "vendor formats missed", measured: measureFormats(mask, 20, 31), goal: "at most 3 %" },
    { what: "generic credentials missed", measured: measureSettings(mask, 30, 32), goal: "at most 20 %" },
    { what: "look-alikes changed", measured: clean.lookalikes, goal: "0" },
    { what: "clean log lines changed", measured: clean.logs, goal: "at most 0.5 %" },
  ];
}

const perSecond = (bytes: number, milliseconds: number): string => `${(bytes / milliseconds / 1000).toFixed(0)} MB/s`;
const share = ({ tried, missed }: Measured): string =>
  `${missed.length} of ${tried} (${((100 * missed.length) / tried).toFixed(2)} %)`;

/** What was missed or changed, by class, most first. */
function byClass({ missed }: Measured): string {
  const counts = Map.groupBy(missed, (one) => one.from);
  const rows = [...counts].map(([from, all]) => ({ from, count: all.length })).sort((a, b) => b.count - a.count);
  return rows.map(({ from, count }) => `      ${count} ${from.slice(0, 100)}\n`).join("");
}

process.stderr.write("Measuring rates …\n");
const rates = await measure();
process.stderr.write("Measuring the corpus …\n");
const classes = corpus();
if (values.json) {
  const found = classes.map(({ what, goal, measured }) => ({
    what,
    goal,
    tried: measured.tried,
    missed: measured.missed.length,
  }));
  process.stdout.write(`${JSON.stringify({ rates, corpus: found }, null, 2)}\n`);
} else {
  for (const { what, goal, bytes, milliseconds, floors } of rates) {
    const beside = Object.entries(floors).map(
      ([name, time]) => `${name} ${perSecond(bytes, time)} (${(milliseconds / time).toFixed(1)}x)`,
    );
    process.stdout.write(
      `${what}: ${perSecond(bytes, milliseconds)}, ${milliseconds.toFixed(1)} ms${goal === "" ? "" : `; goal ${goal}`}\n    ${beside.join("; ")}\n`,
    );
  }
  for (const { what, goal, measured } of classes)
    process.stdout.write(`${what}: ${share(measured)}; goal ${goal}\n${byClass(measured)}`);
}
