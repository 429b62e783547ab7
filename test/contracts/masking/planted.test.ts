// One value planted in every place of an object and of a text where a value can stand, in every encoding.

import { gzipSync } from "node:zlib";
import { describe, expect } from "vitest";
import type { JsonObject } from "../../../src/domain/json.ts";
import { promise } from "../../support/promise.ts";
import { masker, maskText } from "./support.ts";

const planted = "zQ7-canary+V4lue/9xK";
const vendor = ["glpat", "Zx9Kq2Lm7Tb4RnWc8VdP"].join("-");
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const gzip64 = (text: string): string => gzipSync(text).toString("base64");
const json = (value: unknown): string => JSON.stringify(value);

/** Every form in which the value may show. */
function forms(value: string): readonly string[] {
  return [
    value,
    base64(value).replace(/=+$/, "").slice(0, -2),
    encodeURIComponent(value),
    json(json(value)).slice(3, -3),
    Buffer.from(value).toString("base64url").slice(0, -2),
  ];
}

function leaked(masked: unknown, value: string): readonly string[] {
  const text = typeof masked === "string" ? masked : json(masked);
  return forms(value).filter((form) => text.includes(form));
}

const container = (more: JsonObject): JsonObject => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: { name: "web" },
  spec: { containers: [{ name: "web", image: "nginx", ...more }] },
});
const config = (data: JsonObject): JsonObject => ({
  kind: "ConfigMap",
  apiVersion: "v1",
  metadata: { name: "c" },
  data,
});

/** Places where structure alone tells. */
const places: { readonly [place: string]: (value: string) => JsonObject } = {
  "secret data": (v) => ({ kind: "Secret", data: { anything: base64(v) } }),
  "secret stringData": (v) => ({ kind: "Secret", stringData: { anything: v } }),
  "secret in a list": (v) => ({ kind: "List", items: [{ kind: "Secret", data: { anything: base64(v) } }] }),
  "secret in a SecretList": (v) => ({ kind: "SecretList", items: [{ data: { anything: base64(v) } }] }),
  "patch of a secret": (v) => ({ kind: "secrets", name: "x", patch: { stringData: { anything: v } } }),
  "json patch of a secret": (v) => ({
    kind: "Secret",
    name: "x",
    patch: [{ op: "add", path: "/data/x", value: base64(v) }],
  }),
  "last applied": (v) => ({
    kind: "Deployment",
    metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": json({ x: v }) } },
  }),
  "secret as an annotation": (v) => ({
    kind: "Thing",
    metadata: { annotations: { original: json({ kind: "Secret", data: { anything: base64(v) } }) } },
  }),
  "managed fields": (v) => ({ kind: "Pod", metadata: { managedFields: [{ fieldsV1: { [`f:${v}`]: {} } }] } }),
  env: (v) => container({ env: [{ name: "DB_PASSWORD", value: v }] }),
  "env token": (v) => container({ env: [{ name: "API_TOKEN", value: v }] }),
  "env dsn": (v) =>
    container({ env: [{ name: "DATABASE_URL", value: `postgres://app:${encodeURIComponent(v)}@db/app` }] }),
  "env as a map": (v) => ({ kind: "Deployment", env: { ADMIN_PASSWORD: v } }),
  "flag joined": (v) => container({ args: [`--password=${v}`] }),
  "flag apart": (v) => container({ args: ["--admin-token", v] }),
  "single dash": (v) => container({ args: ["-password", v] }),
  "java property": (v) => container({ command: ["java", `-Ddb.password=${v}`, "-jar", "x.jar"] }),
  "mysql flag": (v) => container({ command: ["mysql"], args: ["-h", "db", `-p${v}`] }),
  "curl user": (v) => container({ command: ["curl", "-u", `admin:${v}`, "https://x"] }),
  "shell script": (v) => container({ command: ["sh", "-c", `export TOKEN='${v}' && run`] }),
  "mysql in a script": (v) => container({ command: ["sh", "-c", `mysql -h db -p'${v}' app`] }),
  "exec probe": (v) => ({
    kind: "Pod",
    spec: { containers: [{ livenessProbe: { exec: { command: ["redis-cli", "-a", v, "ping"] } } }] },
  }),
  "http header": (v) => ({
    kind: "Pod",
    spec: {
      containers: [{ livenessProbe: { httpGet: { httpHeaders: [{ name: "Authorization", value: `Bearer ${v}` }] } } }],
    },
  }),
  "helm v3 secret": (v) => ({
    kind: "Secret",
    type: "helm.sh/release.v1",
    data: { release: base64(gzip64(json({ config: { x: v } }))) },
  }),
  "helm v3 configmap": (v) => ({
    kind: "ConfigMap",
    metadata: { name: "sh.helm.release.v1.app.v1" },
    data: { release: gzip64(json({ x: v })) },
  }),
  "helm v2 configmap": (v) => ({
    kind: "ConfigMap",
    metadata: { name: "app.v1", labels: { OWNER: "TILLER" } },
    data: { release: gzip64(json({ x: v })) },
  }),
  "config key": (v) => config({ DB_PASSWORD: v }),
  "config env file": (v) => config({ ".env": `A=1\nSECRET_KEY=${v}\nB=2\n` }),
  "config properties": (v) => config({ "app.properties": `a=1\nspring.datasource.password = ${v}\n` }),
  "config json": (v) => config({ "app.json": json({ db: { user: "x", password: v } }) }),
  "config yaml": (v) => config({ "app.yaml": `db:\n  user: x\n  password: "${v}"\n` }),
  "config yaml block": (v) => config({ "app.yaml": `db:\n  password: |\n    ${v}\n  user: x\n` }),
  "config yaml list": (v) => config({ "app.yaml": `tokens:\n  - ${v}\n  - other\nx: 1\n` }),
  "config ini": (v) => config({ "my.cnf": `[client]\nuser = root\npassword = ${v}\n` }),
  "config toml": (v) => config({ "app.toml": `[db]\npassword = "${v}"\n` }),
  "config xml": (v) => config({ "settings.xml": `<server>\n<password>${v.replaceAll("<", "")}</password>\n</server>` }),
  npmrc: (v) => config({ ".npmrc": `//registry.example.com/:_authToken=${v}\n` }),
  pgpass: (v) => config({ ".pgpass": `db:5432:app:bob:${v}\n` }),
  netrc: (v) => config({ ".netrc": `machine example.com\n  login bob\n  password ${v}\n` }),
  "docker config": (v) =>
    config({ "config.json": json({ auths: { "reg.example.com": { auth: base64(`bob:${v}`) } } }) }),
  kubeconfig: (v) =>
    config({ kubeconfig: `users:\n- name: a\n  user:\n    token: ${v}\n    client-key-data: ${base64(v)}\n` }),
  "pem in a config": (v) =>
    config({
      "tls.key": `-----BEGIN RSA PRIVATE KEY-----\n${base64(v + v + v)}\n-----END RSA PRIVATE KEY-----\n`.replace(
        base64(v + v + v),
        `${base64(v)}${base64(v)}`,
      ),
    }),
  keystore: (v) => ({ kind: "ConfigMap", metadata: { name: "c" }, binaryData: { "server.jks": base64(`xx${v}`) } }),
  "binary config": (v) => ({
    kind: "ConfigMap",
    metadata: { name: "c" },
    binaryData: { env: base64(`PASSWORD=${v}\n`) },
  }),
  "secret manifest in a config": (v) =>
    config({ "s.yaml": `apiVersion: v1\nkind: Secret\ndata:\n  a: ${base64(v)}\nstringData:\n  b: "${v}"\n` }),
  "custom resource": (v) => ({
    kind: "Database",
    spec: { adminPassword: v, nested: { apiKey: v, list: [{ clientSecret: v }] } },
  }),
  "custom resource value": (v) => ({ kind: "Database", spec: { password: { value: v } } }),
  "helm parameters": (v) => ({
    kind: "Application",
    spec: { source: { helm: { parameters: [{ name: "auth.password", value: v }] } } },
  }),
  "helm values": (v) => ({ kind: "Application", spec: { source: { helm: { values: `auth:\n  password: ${v}\n` } } } }),
  "json in an annotation": (v) => ({
    kind: "Pod",
    metadata: { annotations: { x: json({ a: [json({ password: v })] }) } },
  }),
  "base64 annotation": (v) => ({ kind: "Pod", metadata: { annotations: { x: base64(`password=${v}`) } } }),
  "gzip annotation": (v) => ({
    kind: "Pod",
    metadata: { annotations: { x: gzip64(json({ kind: "Secret", data: { a: base64(v) } })) } },
  }),
  "base64 twice": (v) => ({ kind: "Pod", metadata: { annotations: { x: base64(base64(`token: ${v}`)) } } }),
  "status message": (v) => ({ kind: "Pod", status: { conditions: [{ message: `dial failed: password=${v}` }] } }),
  "status object": (v) => ({
    kind: "Status",
    message: `admission denied: token=${v}`,
    details: { causes: [{ message: `secret_key: "${v}"` }] },
  }),
  "event message": (v) => ({ kind: "Event", message: `Error: DB_PASSWORD=${v} rejected` }),
  "terminated message": (v) => ({
    kind: "Pod",
    status: { containerStatuses: [{ state: { terminated: { message: `panic: "password":"${v}"` } } }] },
  }),
  jwk: (v) => ({ kind: "Key", spec: { jwk: { kty: "oct", k: v, use: "sig" } } }),
  table: (v) => ({
    kind: "Table",
    columnDefinitions: [{ name: "Name" }, { name: "Admin Password" }],
    rows: [{ cells: ["x", v], object: { kind: "PartialObjectMetadata" } }],
  }),
  "token request": (v) => ({ kind: "TokenRequest", status: { token: v, expirationTimestamp: "2026-01-05T10:11:12Z" } }),
};

describe("planted values in objects", () => {
  promise("masking:structure", "a value that no content check knows is hidden in every place", () => {
    const leaks = Object.entries(places).flatMap(([place, make]) =>
      leaked(masker().object(make(planted)), planted).map((form) => `${place}: ${form}`),
    );
    expect(leaks).toEqual([]);
  });

  promise("masking:last-pass", "and through arguments and output blocks alike", () => {
    for (const [place, make] of Object.entries(places)) {
      const call = masker();
      const object = call.object(make(planted));
      const output = call.output({
        headline: [place],
        blocks: [
          { kind: "object", object: make(planted) },
          { kind: "object", object },
        ],
        facts: {},
        untrusted: false,
      });
      expect([place, leaked(output, planted), leaked(call.json(make(planted)), planted)]).toEqual([place, [], []]);
    }
  });

  promise("masking:encodings", "a known format is hidden under a name that says nothing, in every encoding", () => {
    const encodings: { readonly [name: string]: (value: string) => string } = {
      plain: (v) => v,
      sentence: (v) => `used ${v} today`,
      base64: (v) => base64(`prefix ${v}`),
      "base64 alone": base64,
      base64url: (v) => Buffer.from(`prefix>> ${v}`).toString("base64url"),
      "gzip and base64": (v) => gzip64(`x ${v}`),
      "base64 in JSON": (v) => json({ a: base64(`say ${v}`) }),
      "JSON in JSON": (v) => json({ a: json({ b: json({ c: v }) }) }),
      url: (v) => `https%3A%2F%2Fx%2F%3Fq%3D${encodeURIComponent(v)}%26r%3D1`,
      "base64 in a URL": (v) => `https://x/?state=${encodeURIComponent(base64(`{"t":"${v}"}`))}&y=1`,
      "escaped base64": (v) => `{"a":"${base64(`??>>~~ ${v}`).replaceAll("/", "\\/")}"}`,
      "wrapped base64": (v) =>
        base64(`${"some text before it, so that the line is full ".repeat(3)}${v}`).replace(/(.{76})/g, "$1\n"),
      utf16: (v) => Buffer.from(`x ${v}`, "utf16le").toString("base64"),
      "three deep": (v) => base64(base64(base64(`t ${v}`))),
    };
    const leaks = Object.entries(encodings).flatMap(([name, encode]) => {
      const text = encode(vendor);
      const object = masker().object({ kind: "Pod", metadata: { annotations: { note: text } } });
      const isPlainLeak = leaked(object, vendor).concat(leaked(maskText(`line ${text} end`), vendor));
      const whole = text.length > 30 && maskText(`line ${text} end`) === `line ${text} end` ? ["unchanged"] : [];
      return [...isPlainLeak, ...whole].map((form) => `${name}: ${form}`);
    });
    expect(leaks).toEqual([]);
  });

  promise("masking:encodings", "one opened value does not blind the rest of the line", () => {
    const short = base64(`password=${planted}`);
    const long = base64(`${"plain words ".repeat(40)}password=${planted}`);
    const plain = base64("nothing to see in this one, nor in that");
    const parts = Array.from({ length: 40 }, (_, at) => [short, plain, long, "4111111111111111", plain][at % 5] ?? "");
    const masked = maskText(parts.join(" "));
    expect(masked.split(" ").map((part) => part.startsWith("[MASKED:"))).toEqual(parts.map((part) => part !== plain));
  });

  promise("masking:encodings", "hidden characters and colours inside a value do not shield it", () => {
    const split = (mark: string): string => `${vendor.slice(0, 9)}${mark}${vendor.slice(9)}`;
    for (const mark of ["\u200b", "\u001b[31m", "\u00ad", "\u202e", "\u0000", "\ufe0f", "\u001b]8;;x\u0007"]) {
      expect(maskText(`a ${split(mark)} b`)).toMatch(/^a \[MASKED:token:[0-9a-f]{8}\] b$/);
    }
    expect(maskText("\u001b[36mpassword\u001b[0m=hunter2 \u001b[36muser\u001b[0m=bob")).toBe(
      "\u001b[36mpassword\u001b[0m=[MASKED:password] \u001b[36muser\u001b[0m=bob",
    );
  });
});
