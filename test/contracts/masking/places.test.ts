// Secrets that only their place tells, and names that look like one: calls, commands, statements, sentences, URL-encoded stretches. Whole lines compared.

import { describe, expect } from "vitest";
import { exampleOf } from "../../corpus/measure.ts";
import { dice } from "../../corpus/random.ts";
import { furtherFormats } from "../../../src/masking/formats-further.ts";
import { promise } from "../../support/promise.ts";
import { maskText } from "./support.ts";

const masked = (text: string): string => maskText(text).replaceAll(/(\[MASKED:[a-z_]+):[0-9a-f]{8}\]/g, "$1]");
const v = "Xk29fLqPz7Rt";
const p = "[MASKED:password]";

describe("places", () => {
  promise("masking:spellings", "an argument at its place, a word of a command, a value of a statement", () => {
    const rows: readonly (readonly [string, string])[] = [
      [`server.login(user, "${v}")`, `server.login(user, "${p}")`],
      [`smtp.PlainAuth("", "bob", "${v}", host)`, `smtp.PlainAuth("", "bob", "${p}", host)`],
      [`DriverManager.getConnection("jdbc:x", "u", "${v}")`, `DriverManager.getConnection("jdbc:x", "u", "${p}")`],
      [`.basic_auth("u", Some("${v}"))`, `.basic_auth("u", Some("${p}"))`],
      [`crypto.createHmac('sha256', '${v}')`, `crypto.createHmac('sha256', '${p}')`],
      [`hmac.New(sha256.New, []byte("${v}"))`, `hmac.New(sha256.New, []byte("${p}"))`],
      [`config.set("db", "password", "${v}")`, `config.set("db", "password", "${p}")`],
      [`const SECRET: &str = "${v}";`, `const SECRET: &str = "[MASKED:secret]";`],
      [`var password string = "${v}"`, `var password string = "${p}"`],
      [`char password[] = "${v}";`, `char password[] = "${p}";`],
      [`ENV['API_TOKEN'] ||= "${v}"`, `ENV['API_TOKEN'] ||= "[MASKED:token]"`],
      [`<entry key="password">${v}</entry>`, `<entry key="password">${p}</entry>`],
      [`vault login ${v}`, `vault login ${p}`],
      [`az login --service-principal -u u -p ${v} -t t`, `az login --service-principal -u u -p ${p} -t t`],
      [`rabbitmqctl add_user bob ${v}`, `rabbitmqctl add_user bob ${p}`],
      [`machine h\nlogin bob\npassword ${v}`, `machine h\nlogin bob\npassword ${p}`],
      [`db.example.com:5432:shop:bob:${v}`, `db.example.com:5432:shop:bob:${p}`],
      [`password for bob set to ${v}`, `password for bob set to ${p}`],
      [`login attempt [root/${v}] failed`, `login attempt [root/${p}] failed`],
      [`SET PASSWORD FOR bob = '${v}'`, `SET PASSWORD FOR bob = '${p}'`],
      [
        `INSERT INTO users (name, password) VALUES ('bob', '${v}'), ('al', 'it''s ${v}');`,
        `INSERT INTO users (name, password) VALUES ('bob', '${p}'), ('al', '${p}');`,
      ],
      ["ALGOLIA_KEY=0123456789abcdef0123456789abcdef", "ALGOLIA_KEY=[MASKED:api_key]"],
    ];
    expect(rows.map(([given]) => [given, masked(given)])).toEqual(rows);
  });

  promise("masking:readable", "references, segments of longer names, and sentences about secrets", () => {
    const rows: readonly string[] = [
      "password: !Ref DbPassword",
      'String password = System.getenv("DB_PASSWORD");',
      'password = input("Password: ")',
      "export TOKEN=$(vault token create)",
      "password: @db_password@",
      "password: ${vault:db/password}",
      'WHERE "users"."reset_password_token" = $1 LIMIT $2',
      "[id=arn:aws:secretsmanager:eu-west-1:123456789012:secret:web-db-4elXEh]",
      `quay.io/password-reset/auth-proxy:v1.18.1@sha256:${"0123456789abcdef".repeat(4)}`,
      'volume "credentials podName:5c74084b-eac8-43a5-6e25-6511b788ac93"',
      "password for user bob was changed by admin",
      "INSERT INTO sessions (user_id, token_hash) VALUES ($1, $2)",
      "connect to db.example.com:5432: connection refused",
      "GET /cb?u=https%3A%2F%2Fexample.com%2Fx%3Fpage%3D2%26sort%3Ddesc 200",
    ];
    expect(rows.map(maskText)).toEqual(rows);
  });

  promise("masking:encodings", "each later format, wherever its value begins, in base64, URL and JSON encoding", () => {
    const random = dice(21);
    const leaks: string[] = [];
    for (const format of furtherFormats) {
      const text = JSON.stringify({ v: exampleOf(format, random) });
      for (const encoded of [
        text,
        encodeURIComponent(text),
        JSON.stringify(JSON.stringify({ m: text })),
        Buffer.from(text).toString("base64"),
        Buffer.from(text).toString("base64url"),
      ])
        if (!maskText(`x ${encoded} y`).includes("[MASKED:")) leaks.push(`${format.id}: ${encoded}`);
    }
    expect(leaks).toEqual([]);
    const body = "MHcCAQEEIBase64Base64Base64Base64Base64Base64Base64Base64Base64Ba";
    const begin = (word: string): string => `-----${word} EC PRIVATE KEY-----`;
    const pem = `${begin("BEGIN")}\n${body}\n${begin("END")}`;
    for (const encoded of [encodeURIComponent(pem), new URLSearchParams({ k: pem }).toString()])
      expect(maskText(`x ${encoded} y`)).not.toContain(body.slice(0, 20));
  });
});
