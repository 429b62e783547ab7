// Secrets in spellings, idioms and files that no name in the plain tells of: each was readable once.

import { gzipSync } from "node:zlib";
import { describe, expect } from "vitest";
import { promise } from "../../support/promise.ts";
import { masker, maskText } from "./support.ts";

const s = "kT7vQ2nR9xLw4ZbE";
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const spelled = Array.from(s, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
const padded = "one more line of ordinary words that makes it wrap";

/** Texts in which `s` (or the second member) stood; a file is read as strictly. */
const texts: { readonly [name: string]: string | readonly [text: string, needle: string] } = {
  "a name in JSON escapes": `{"\\u0070assword":"${s}"}`,
  "one letter of it": `{"pass\\u0077ord": "${s}"}`,
  "name and value in JSON escapes": [`{"P\\u0041ssword":"${spelled}"}`, spelled],
  "a name in URL escapes": `p%61ssword=${s}`,
  "URL-encoded twice": `password%253D${s}`,
  "an escaped sign": `db.password\\=${s}`,
  "a JAAS line in properties": `sasl.jaas.config=ScramLoginModule required username\\="x" password\\="${s}";`,
  "signs of HTML": `password&#x3d;${s} and password&#61;${s}`,
  "a full-width colon": `password： ${s}`,
  "hexadecimal of text": [Buffer.from(`password=${s}`).toString("hex"), Buffer.from(s).toString("hex")],
  "base64 of JSON of base64": [
    base64(JSON.stringify({ x: base64(`password=${s}`) })),
    base64(JSON.stringify({ x: base64(`password=${s}`) })).slice(12, 40),
  ],
  "wrapped gzip before another run": [
    `${gzipSync(`db_password: ${s}\n${padded}\n`, { level: 0 }).toString("base64")}\nneMxCapphNA6Kqc done`,
    gzipSync(`db_password: ${s}\n${padded}\n`, { level: 0 }).toString("base64").slice(20, 50),
  ],
  "YAML's anchor": `password: &pw ${s}\nother: *pw`,
  "YAML's tag": `password: !!str ${s}\n`,
  "YAML's escaped fold": [`password: "kT7vQ2nR9x\\\n  ${s}"\nnext: 1`, s],
  "a property's second line": [`db.password=kT7vQ2nR9x\\\n   ${s}\nnext=1\n`, s],
  "a property after a blank": `javax.net.ssl.keyStorePassword ${s}\n`,
  "a name and tabs": `password\t\t\t${s}\n`,
  CDATA: `<password><![CDATA[${s}]]></password>`,
  "a form's part": `Content-Disposition: form-data; name="password"\r\n\r\n${s}\r\n--x`,
  "Redis, a user's rule": `ACL SETUSER bob on >${s} ~* +@all`,
  "Redis, a login": `redis-cli> AUTH default ${s}`,
  "Redis, a monitored login": `1700000000.1 [0 10.0.0.1:5] "AUTH" "default" "${s}"`,
  "a signed session": [`session=.eJw${s}${s}.${s.slice(0, 6)}.${s}${s.slice(0, 11)}`, s],
  "Oracle's client": `sqlplus system/${s}@//db:1521/ORCL`,
  "Oracle's JDBC": `jdbc:oracle:thin:scott/${s}@//db:1521/x`,
  "Cassandra's shell": `cqlsh -u cassandra -p ${s} host`,
  "kubectl's literals": `kubectl create secret generic x --from-literal=foo=${s}`,
  "Grafana's command": `grafana-cli admin reset-admin-password ${s}`,
  "a pipe to chpasswd": `echo "root:${s}" | chpasswd`,
  "a pipe to a login": `echo '${s}' | docker login --username foo --password-stdin`,
  "a pipe to sudo": `echo ${s} | sudo -S ls`,
  "Apache's password file": `htpasswd -bc /etc/users bob ${s} && reload`,
  "SMTP, plain": [`AUTH PLAIN ${base64(`\0bob\0${s}`)}`, base64(`\0bob\0${s}`)],
  "SMTP, login": [`334 VXNlcm5hbWU6\n${base64("bob")}\n334 UGFzc3dvcmQ6\n${base64(s)}`, base64(s)],
  FTP: `USER bob\r\n331 need password\r\nPASS ${s}\r\n`,
  Spanish: `contraseña: ${s}`,
  French: `mot de passe : ${s}`,
  Polish: `hasło: ${s}`,
  Russian: `пароль: ${s}`,
  Chinese: `密码：${s}`,
  Japanese: `パスワード: ${s}`,
  "a column between commas": `user,password\nbob,${s}\n`,
  "a column under several words": [`User name,Password,Console login link\nx,y1-Z,https://h\nbob,${s},https://h\n`, s],
  "a quoted column": `"id";"api_key"\r\n"1";"${s}"\r\n`,
  "a quoted value with the separator in it": `id,password,n\n"a,b","${s}",7\n`,
  "a column between tabs": `user\tpassword\nbob\t${s}\n`,
  "the rows after a first one": `id,client_secret\n1,\n2,null\n3,${s}\n`,
  "Markdown's table": `| user | password |\n|:---|---:|\n| bob | ${s} |\n`,
  "psql's table": ` user | password \n------+----------\n bob  | ${s}\n(1 row)\n`,
  "MySQL's table": `+---+----------+\n| u | password |\n+---+----------+\n| b | ${s} |\n+---+----------+\n`,
  "IMAP, a login": `a1 LOGIN bob ${s}\r\n`,
  "IMAP, a quoted login": `C: A0012 LOGIN "bob" "${s}"\r\n`,
  "cloud-init's list": `chpasswd:\n  list: |\n    root:RANDOM\n    bob:${s}\n  expire: false\n`,
  "cloud-init's list, last": `chpasswd:\n  expire: false\n  list: |\n    bob:${s}\n`,
  "a here-document for chpasswd": `chpasswd <<'EOF'\nroot:${s}\nEOF\n`,
  "YAML's key on its own line": `? password\n: ${s}\nnext: 1\n`,
  "YAML's quoted key on its own line": `  ? "db-password"\n  : "${s}"\n`,
  "an answer to expect's prompt": `expect "assword:"\nsend "${s}\\r"\n`,
  "an answer in expect's block": `expect {\n  -re "(P|p)assword" { send -- "${s}\\r" }\n}`,
  "an answer of pexpect": `child.expect('Password:')\nchild.sendline('${s}')\n`,
  "a pair that is said to be one": `credentials are bob:${s}`,
  "a pair behind a login": `login: bob:${s} from 10.0.0.1`,
};

describe("secrets in other spellings", () => {
  promise("masking:spellings", "each goes from a log and from a ConfigMap's file", () => {
    const leaked = Object.entries(texts).flatMap(([name, row]) => {
      const [text, needle] = typeof row === "string" ? [row, s] : row;
      expect([name, text.includes(needle)]).toEqual([name, true]);
      const file = masker().object({ kind: "ConfigMap", data: { "app.conf": text } }) as {
        data: { "app.conf": string };
      };
      return [maskText(text), file.data["app.conf"]].some(
        (out) => out.includes(needle.slice(0, 5)) || out.includes(needle.slice(-5)),
      )
        ? [name]
        : [];
    });
    expect(leaked).toEqual([]);
  });

  promise("masking:readable", "what only looks like them stays", () => {
    const clean = [
      "GET /search?q=caf%C3%A9%20au%20lait&page=2 200",
      '{"msg":"na\\u00efve \\u2713 done"}',
      `checksum ${"3132333435363738abcdef0123456789".repeat(2)}`,
      "mot de passe : invalide",
      "密码：错误",
      "echo hello | sudo -S ls /tmp | wc -l".replace("echo hello | ", ""),
      "sqlplus -v",
      "AUTH PLAIN failed for user",
      "kubectl get pods --from-literal=x",
      'Content-Disposition: form-data; name="file"\r\n\r\nhello',
      "secret shop-db-credentials not found",
      "path=C:\\\\Users\\\\bob \\\n  next line",
      "user,password\n",
      "invalid token, retry later\nrequest ok, 200 in 3ms\n",
      "user,password\nbob,\nann,<redacted>\n",
      "id,token_type,expires_in\n1,Bearer,3600\n",
      "name,secret_name\nshop,db-credentials\n",
      "| flag | token |\n|---|---|\n| --token | The token to use |\n",
      "user | password\nbob | unruled\n",
      "a1 LOGIN failed attempt\n",
      "node1 LOGIN ok\nuser LOGIN bob succeeded\n",
      "chpasswd:\n  list: |\n    root:RANDOM\n  expire: false\n",
      "? password\nplain text",
      'expect(token).toBe(undefined);\nsend("hello");',
      'expect "login:"\nsend "bob\\r"\n',
      "credentials for registry:5000 not found",
      "login: image nginx:1.25.3-alpine",
      "login from db:5432abcd-0 refused",
    ];
    expect(clean.map(maskText)).toEqual(clean);
  });
});
