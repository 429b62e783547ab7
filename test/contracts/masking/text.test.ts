// Free text: what of a line goes and what stays, whole lines compared.

import { describe, expect } from "vitest";
import { promise } from "../../support/promise.ts";
import { maskText } from "./support.ts";

/** The line with its tags left out, so that whole lines can be compared. */
const masked = (text: string): string => maskText(text).replaceAll(/(\[MASKED:[a-z_]+):[0-9a-f]{8}\]/g, "$1]");
const value = "Xk29fLqPz7Rt";
const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");
const token = `${header}.${Buffer.from('{"sub":"1"}').toString("base64url")}.c2lnbmF0dXJl`;
const basic = Buffer.from(`bob:${value}`).toString("base64");
const pem = (lines: string): string => `-----BEGIN EC PRIVATE KEY-----${lines}-----END EC PRIVATE KEY-----`;
const body = "MHcCAQEEIBase64Base64Base64Base64Base64Base64Base64Base64Base64Ba";

function check(rows: readonly (readonly [string, string])[]): void {
  expect(rows.map(([given]) => [given, masked(given)])).toEqual(rows.map(([given, wanted]) => [given, wanted]));
}

describe("free text", () => {
  promise("masking:text", "names with values in every notation", () => {
    check([
      [`password=${value} user=bob`, "password=[MASKED:password] user=bob"],
      [`user=bob,password=${value},host=db`, "user=bob,password=[MASKED:password],host=db"],
      [`a=1&access_token=${value}&b=2`, "a=1&access_token=[MASKED:token]&b=2"],
      [`Password=${value};Database=shop;`, "Password=[MASKED:password];Database=shop;"],
      [`{"password":"${value}","n":1}`, '{"password":"[MASKED:password]","n":1}'],
      [`{\\"password\\":\\"${value}\\",\\"n\\":1}`, '{\\"password\\":\\"[MASKED:password]\\",\\"n\\":1}'],
      [`{"password":12345678,"n":1}`, '{"password":[MASKED:password],"n":1}'],
      [`"tokens": ["${value}", "${value}2"]`, '"tokens": ["[MASKED:token]", "[MASKED:token]"]'],
      [`{'api_key': '${value}'}`, "{'api_key': '[MASKED:api_key]'}"],
      [`password%3D${value}%26user%3Dbob`, "password%3D[MASKED:password]%26user%3Dbob"],
      [`%22secret_key%22%3A%22${value}%22`, "%22secret_key%22%3A%22[MASKED:api_key]%22"],
      [`"q":"password\\u003d${value}\\u0026x\\u003d1"`, '"q":"password\\u003d[MASKED:password]\\u0026x\\u003d1"'],
      [`map[password:${value} user:bob]`, "map[password:[MASKED:password] user:bob]"],
      [`<dbPassword>${value}</dbPassword>`, "<dbPassword>[MASKED:password]</dbPassword>"],
      [`<add key="ApiKey" value="${value}"/>`, '<add key="ApiKey" value="[MASKED:api_key]"/>'],
      [`- name: API_TOKEN\n  value: ${value}\n- name: X`, "- name: API_TOKEN\n  value: [MASKED:token]\n- name: X"],
      [`setPassword("${value}");`, 'setPassword("[MASKED:password]");'],
      [`HTTPBasicAuth("bob", "${value}")`, 'HTTPBasicAuth("bob", "[MASKED:credential]")'],
      [`os.environ.get("DB_PASSWORD", "${value}")`, 'os.environ.get("DB_PASSWORD", "[MASKED:password]")'],
      [`IDENTIFIED BY '${value}'`, "IDENTIFIED BY '[MASKED:password]'"],
      [`password: \${DB_PASSWORD:-${value}}`, "password: ${DB_PASSWORD:[MASKED:password]}"],
      [`your temporary password is ${value}`, "your temporary password is [MASKED:password]"],
      [`Secret Access Key: ${value}${value}`, "Secret Access Key: [MASKED:access_key]"],
      ["password=it's,a#long;one", "password=[MASKED:password]"],
      ["password=abc{def} next", "password=[MASKED:password] next"],
      [`token=${value}\\nuser=bob`, "token=[MASKED:token]\\nuser=bob"],
    ]);
  });

  promise("masking:text", "headers, cookies, URLs and commands", () => {
    check([
      [`Authorization: Bearer ${value}`, "Authorization: Bearer [MASKED:authorization]"],
      [`Authorization: Basic ${basic}`, "Authorization: Basic [MASKED:authorization]"],
      [`"Authorization":["Bearer ${value}"]`, '"Authorization":["Bearer [MASKED:authorization]"]'],
      [`curl -H "Authorization: token ${value}" x`, 'curl -H "Authorization: token [MASKED:authorization]" x'],
      [`sent Bearer ${value}${value} to`, "sent Bearer [MASKED:token] to"],
      ["Cookie: sid=abc123; theme=dark\nHost: x", "Cookie: [MASKED:cookie]\nHost: x"],
      ["set-cookie: sid=abc; Path=/; HttpOnly", "set-cookie: [MASKED:cookie]"],
      [`X-Api-Key: ${value}`, "X-Api-Key: [MASKED:api_key]"],
      [`postgres://app:${value}@db:5432/shop`, "postgres://app:[MASKED:password]@db:5432/shop"],
      ["postgres://app:p/s#s?x@db:5432/shop", "postgres://app:[MASKED:password]@db:5432/shop"],
      [`https%3A%2F%2Fbob%3A${value}%40host%2Fx`, "https%3A%2F%2Fbob%3A[MASKED:password]%40host%2Fx"],
      [`https://${value}${value}@github.com/a/b`, "https://[MASKED:token]@github.com/a/b"],
      [`bob:${value}@tcp(db:3306)/shop`, "bob:[MASKED:password]@tcp(db:3306)/shop"],
      [`mysql -h db -p${value} shop`, "mysql -h db -p[MASKED:password] shop"],
      [`mysql -h db \\\n  -p'${value}' shop`, "mysql -h db \\\n  -p'[MASKED:password]' shop"],
      [`curl -u bob:${value} https://x`, "curl -u bob:[MASKED:password] https://x"],
      [`docker login -u bot -p ${value} reg`, "docker login -u bot -p [MASKED:password] reg"],
      ["docker run -p 8080:80 nginx", "docker run -p 8080:80 nginx"],
      [`run --token ${value} --port 80`, "run --token [MASKED:token] --port 80"],
      [`machine h\n  login bob\n  password ${value}`, "machine h\n  login bob\n  password [MASKED:password]"],
    ]);
  });

  promise("masking:text", "keys, tokens, manifests and cards", () => {
    check([
      [`a ${pem(`\n${body}\n`)} b`, "a [MASKED:private_key] b"],
      [`{"k":"${pem(`\\n${body}\\n`)}\\n"}`, '{"k":"[MASKED:private_key]\\n"}'],
      [`-----BEGIN PRIVATE KEY-----\n${body}\n${body}\nabc=\nplain line`, "[MASKED:private_key]\nplain line"],
      [`x ${token} y`, "x [MASKED:jwt] y"],
      [
        `bare ${Buffer.from("30820122020100300d06092a864886f70d010101050004820", "hex").toString("base64")}${body}`,
        "bare [MASKED:private_key]",
      ],
      [
        "kind: Secret\ndata:\n  a: YQ==\n  b: |\n    Yg==\ntype: x",
        "kind: Secret\ndata:\n  a: [MASKED:secret]\n  b: |\n    [MASKED:secret]\ntype: x",
      ],
      [
        "stringData: {a: one, b: two}\nkind: Secret",
        "stringData: {a: [MASKED:secret], b: [MASKED:secret]}\nkind: Secret",
      ],
      ['{"kind":"Secret","data":{"a":"YQ==","b":null}}', '{"kind":"Secret","data":{"a":"[MASKED:secret]","b":null}}'],
      ["kind: ConfigMap\ndata:\n  a: YQ==", "kind: ConfigMap\ndata:\n  a: YQ=="],
      [
        '{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAA","d":"BBBBBBBBBBBBBBBBBBBB"}',
        '{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAA","d":"[MASKED:private_key]"}',
      ],
      ["card 4111 1111 1111 1111, 378282246310005.", "card [MASKED:card], [MASKED:card]."],
      ["order 4111111111111112 at 1700000000000000", "order 4111111111111112 at 1700000000000000"],
      [`b64 ${Buffer.from(`password=${value}`).toString("base64")}`, "b64 [MASKED:password]"],
      [
        ["AKIA", "ABCDEFGH23456777 wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEYa"].join(""),
        "[MASKED:access_key] [MASKED:secret]",
      ],
    ]);
  });
});
