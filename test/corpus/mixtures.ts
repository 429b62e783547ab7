// Texts and objects in which secrets, look-alikes, encodings and signs of every notation meet at random: seeded, so that they can be compared.

import { gzipSync } from "node:zlib";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { formats } from "../../src/masking/formats-table.ts";
import { shapes } from "./clean-logs.ts";
import { lookalikes } from "./lookalikes.ts";
import { exampleOf } from "./measure.ts";
import type { Dice } from "./random.ts";
import { bareSettings, quotedSettings, secretValue } from "./settings.ts";

/** Signs and words that some check stops, starts or turns at. */
const signs: readonly string[] = [
  "[MASKED:password]",
  "[MASKED:token:01234567]",
  "[MASKED:",
  "password",
  "token",
  "key",
  "secret",
  "name: DB_PASS",
  "=",
  ": ",
  ":",
  "=>",
  "->",
  "<",
  ">",
  "/",
  "(",
  ")",
  "]",
  "?",
  "+",
  "|",
  "||",
  "*",
  '"',
  "\\",
  "\\\\",
  "'",
  "`",
  "\n",
  "\r\n",
  "\\n",
  " ",
  "\t",
  "%3D",
  "%22",
  "%20",
  "\\u003d",
  "\\u0022",
  "&quot;",
  "&",
  ",",
  ";",
  "{",
  "}",
  "[",
  "://",
  "@",
  "%40",
  "@tcp(",
  "-----BEGIN PRIVATE KEY-----",
  "-----END PRIVATE KEY-----",
  "kind: Secret\ndata:\n  ",
  "value: ",
  '"value": "',
  "</key><string>",
  " { default = ",
  "is ",
  "--",
  "-p ",
  "mysql ",
  "login ",
  "Bearer ",
  "\u200b",
  "\u001b[0m",
  "é",
  "🔑",
  "\u00ad",
  "\u0000",
  "中文",
  "4111 1111 1111 1111",
  "4111111111111111",
  "eyJ",
];

const wrapped = (text: string): string =>
  Buffer.from(text)
    .toString("base64")
    .replace(/(.{76})/g, "$1\n");
/** Without compression and with one system's mark, so that the bytes are the same everywhere. */
function packed(text: string): string {
  const bytes = gzipSync(text, { level: 0 });
  bytes[9] = 3;
  return bytes.toString("base64");
}
const encodings: readonly ((text: string) => string)[] = [
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(text).toString("base64url"),
  (text) => Buffer.from(Buffer.from(text).toString("base64")).toString("base64"),
  packed,
  (text) => encodeURIComponent(text),
  (text) => JSON.stringify(text),
  (text) => JSON.stringify(JSON.stringify({ a: text })),
  (text) => Buffer.from(text, "utf16le").toString("base64"),
  wrapped,
];

function piece(random: Dice): string {
  const makers: readonly (() => string)[] = [
    () => random.one(quotedSettings).replace("§", () => secretValue(random, false)),
    () => random.one(bareSettings).replace("§", () => secretValue(random, true)),
    () => exampleOf(random.one(formats), random),
    () => random.one(Object.values(shapes))(random),
    () => random.one(Object.values(lookalikes))(random),
    () => random.one(signs),
    () => random.one(signs),
    () => random.pick("A-Za-z0-9+/=_.:,;%- ", 1 + random.roll(40)),
  ];
  return random.one(makers)();
}

/** Up to seven pieces, joined in one manner, now and then encoded. */
export function mixture(random: Dice): string {
  const glue = random.one([" ", "\n", "", ",", "&", "; "]);
  const text = Array.from({ length: 1 + random.roll(7) }, () =>
    random.roll(8) === 0 ? random.one(encodings)(piece(random)) : piece(random),
  ).join(glue);
  return random.roll(12) === 0 ? random.one(encodings)(text) : text;
}

const names: readonly string[] = [
  "password",
  "data",
  "stringData",
  "binaryData",
  "name",
  "value",
  "kind",
  "token",
  "args",
  "command",
  "spec",
  "key",
  "items",
  "x",
  "dsn",
  "adminPassword",
  "secretName",
  "env",
  "path",
  "patch",
  "rows",
  "kty",
  "d",
  "auth",
  "tokens",
  "config.yaml",
  ".npmrc",
  "keystore.jks",
  "a-rather-long-key-that-is-looked-at",
  "annotations",
  "cookie",
  "passwords",
];

/** A tree of such texts under names that masking knows and others. */
export function mixedObject(random: Dice): JsonObject {
  const node = (depth: number): Json => {
    switch (random.roll(depth > 3 ? 4 : 8)) {
      case 0:
        return random.roll(1e6);
      case 1:
        return random.one([true, null, "", 4111111111111111, "[MASKED:password]"]);
      case 2:
      case 3:
        return mixture(random);
      case 4:
        return Array.from({ length: random.roll(4) }, () => node(depth + 1));
      case 5:
        return Array.from({ length: 1 + random.roll(4) }, () =>
          random.one(["--password", "-p", "mysql", mixture(random)]),
        );
      default:
        return members(depth + 1);
    }
  };
  const members = (depth: number): JsonObject =>
    Object.fromEntries(
      Array.from({ length: 1 + random.roll(5) }, () => [
        random.roll(6) === 0 ? random.pick("A-Za-z0-9._-", 1 + random.roll(24)) : random.one(names),
        node(depth),
      ]),
    );
  return { kind: random.one(["Secret", "ConfigMap", "Pod", "PodList", "List", "Thing"]), ...members(0), spec: node(0) };
}
