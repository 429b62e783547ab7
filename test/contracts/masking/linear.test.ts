// Work grows in step with the text: counted, not timed.

import { describe, expect } from "vitest";
import { openEngine } from "../../../src/masking/mask.ts";
import { personalKinds } from "../../../src/masking/personal.ts";
import { newRoom } from "../../../src/masking/spans.ts";
import { promise } from "../../support/promise.ts";

const engine = openEngine({ personal: new Set(personalKinds), formats: [] });

/** Texts that make each check start over and over. */
const nasty: { readonly [name: string]: string } = {
  "names without end": "token=",
  "names and colons": "password: ",
  "quotes that never close": `password="`,
  "escaped quotes": `\\"password\\":\\"`,
  "deeper and deeper": `password=\\\\"`,
  "one long name": "passwordsecrettoken",
  "weak names": "key=",
  schemes: "https://a:",
  userinfo: "x://u:p@",
  "begin without end": "-----BEGIN PRIVATE KEY-----\n",
  "escaped begin": "-----BEGIN PRIVATE KEY-----\\n",
  headers: "eyJhbGciOiJIUzI1NiJ9.",
  kinds: "kind: Secret\ndata:\n",
  "json kinds": `{"kind":"Secret","data":{"a":"`,
  programs: "mysql -p -p ",
  digits: "4111 1111 1111 ",
  base64: "QUJDREVGR0hJSktM",
  "base64 of text": Buffer.from("just some words here ok").toString("base64"),
  "gzip heads": "H4sIAAAAAAAAA",
  slashes: "a/b/c/D/e/F/",
  percent: "%3D%22%27%26",
  tokens: "[MASKED:password]",
  "broken tokens": "[MASKED:password:",
  cookies: "Cookie: a=b; c=d; ",
  yaml: "password:\n  - a\n",
  brackets: "password=((((((((",
  closers: "password=x)))))))))",
  aws: "AKIAABCDEFGHIJKLMNOP ",
  tags: "<password>",
  jwk: `"kty":"RSA",`,
  colours: "\u001b[31mpassword\u001b[0m=",
  backslashes: "password=\\\\\\\\",
  spaces: "password                    ",
  dashes: "--password ",
  plain: "The quick brown fox. ",
  "escaped letters": "%61\\u0061",
  "escaped escapes": "%2525252561",
  pipes: "echo x | sudo -S ",
  "protocols' words": "AUTH PLAIN ACL SETUSER > ",
  "other languages": "пароль: x1 mot de passe: ",
  "wrapped lines": `${"QUJDREVGR0hJSktM".repeat(4)}\n`,
  "spelled text": "706173",
  "escaped line ends": "password=a\\\n",
  "random words": "password a1B2c3D4e5F6 ",
  "headers of tables": "a,password\n",
  "a header without end": "password,",
  "tables of one row": "a,password\nb,c1\n",
  "rules of tables": "|a|password|\n-----------------------------------------------------------------x\n",
  "YAML's keys": "? password\n: ",
  prompts: 'expect "assword: send "',
  lists: "chpasswd:\n  list: |\n    a:b\n",
  "here-documents": "chpasswd <<EOF\n",
  "logins said": "login a1 LOGIN bob:x1 ",
};

describe("linear time", () => {
  for (const config of [false, true]) {
    promise(
      "masking:linear",
      `twice the ${config ? "file" : "log"} costs at most 2.6 times the work, for each nasty text`,
      () => {
        const ratios = Object.entries(nasty).map(([name, piece]) => {
          const text = piece.repeat(Math.ceil(40_000 / piece.length));
          const once = engine.find(text, config, 0, newRoom()).work;
          const twice = engine.find(text + text, config, 0, newRoom()).work;
          return [name, Math.round((10 * twice) / once) / 10, twice / (2 * text.length) < 120] as const;
        });
        expect(ratios.filter(([, ratio, bounded]) => ratio > 2.6 || !bounded)).toEqual([]);
      },
    );
  }
});
