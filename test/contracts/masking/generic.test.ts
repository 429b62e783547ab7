// Credentials without a vendor, by the way in which code, files, programs and people join them to what they are; and their neighbours that hold none.

import { describe, expect } from "vitest";
import { promise } from "../../support/promise.ts";
import { maskText } from "./support.ts";

const secret = "Tr0ub4dor_9x";
const hidden = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => maskText(line.replace("§", secret)).includes(secret));
const changed = (lines: readonly string[]): readonly string[] => lines.filter((line) => maskText(line) !== line);

describe("credentials without a vendor", () => {
  promise("masking:recall", "compared, copied, handed to a library, or taken where nothing is set", () => {
    const code = [
      `if (password !== "§") {`,
      `if "§" == my_password:`,
      `if ("§".equals(password)) {`,
      `strcpy(passwd, "§");`,
      `assert_eq!(cfg.password, "§");`,
      `subtle.ConstantTimeCompare([]byte(pw), []byte("§"))`,
      `new PBEKeySpec("§".toCharArray(), salt, 1000, 256)`,
      `signIn(auth.signInWithEmailAndPassword('a@example.com', '§'))`,
      `os.environ.get("API_KEY") or "§"`,
      `env::var("TOKEN").unwrap_or_else(|_| "§".into())`,
      `@click.option("--token", default="§")`,
      `$cfg{password} = "§";`,
      `set :session_secret, "§"`,
      `request.addValue("§", forHTTPHeaderField: "X-Api-Key")`,
    ];
    expect(hidden(code)).toEqual([]);
  });

  promise("masking:recall", "in the notation of the file, statement or program that holds it", () => {
    const files = [
      `set $api_token "§";`,
      `<name>javax.jdo.option.ConnectionPassword</name>\n<value>§</value>`,
      `<Password><Value>§</Value><PlainText>true</PlainText></Password>`,
      `org.apache.kafka.common.security.plain.PlainLoginModule required\n  user_admin="x"\n  user_alice="§";`,
      `Data\n====\npassword:\n----\n§\n`,
      `CREATE USER app IDENTIFIED BY §;`,
      `ALTER USER app IDENTIFIED BY one_Two3 REPLACE §;`,
      `ALTER CURRENT USER SET PASSWORD FROM '§' TO 'x'`,
      `curl -sSu 'admin:§' https://example.com`,
      `["CMD", "mysqladmin", "ping", "-p§"]`,
      `echo '§' | kinit bob@EXAMPLE.COM`,
      `| DB_PASSWORD | § |`,
      `Changed the password to "§"`,
    ];
    expect(hidden(files)).toEqual([]);
  });

  promise("masking:recall", "in other languages, also below base64", () => {
    const said = [
      `contraseña: §`,
      `La contraseña es §`,
      `mot_de_passe="§"`,
      `Passwort für bob: §`,
      `wachtwoord: §`,
      `пароль пользователя: §`,
      `密码是§`,
      `パスワードは § です`,
      `비번: §`,
      `<密码>§</密码>`,
    ];
    expect(hidden(said)).toEqual([]);
    const encoded = said.map((line) => Buffer.from(line.replace("§", secret)).toString("base64"));
    expect(encoded.filter((line) => maskText(`payload: ${line}`).includes(line.slice(-12)))).toEqual([]);
  });

  promise("masking:recall", "as a form writes a command", () => {
    const form = new URLSearchParams({ q: `mysql -u root -p${secret} -e "select 1"` }).toString();
    expect(maskText(form)).not.toContain(secret);
    expect(maskText(encodeURIComponent(`machine example.com login bot password ${secret}`))).not.toContain(secret);
  });

  promise("masking:readable", "code that hands values on, verbs, versions, descriptions, file names", () => {
    const lines = [
      "self.pwd = pwd",
      "exports.countTokens = countTokens;",
      "tokens = tokenize(line, indent)",
      "calledWithToken = []string{}",
      "Key:      v1.LabelTopologyZone,",
      "if( $token->is_text ) {",
      'http.Error(w, "Failed to exchange token: "+err.Error(), 500)',
      "You can pass `autospec=True` to it",
      "t.pass('ready emitted')",
      '"jsonwebtoken": "^9.0.2"',
      '"automountServiceAccountToken": "says whether a service account token should be mounted by itself"',
      'TLSKeySecretKey = "tls.key"',
      "--docker-password=DOCKER_PASSWORD",
      '<a accesskey="p" href="index.html">',
      "the header identified by `name` is set",
      "password: ${DB_PASSWORD:?required}",
      'time=x msg="Enter password:" pod=api-1',
      "keyStorePassword=<keystore-password>\ntrustStore=<truststore-location>",
      "INFO:app.auth:trace_id=4a7bf8b8441edcc204c643e26c18aed3",
      "| DB_PASSWORD | string | required |",
      "пароль неверный для alice",
      "contraseña incorrecta",
      "密码错误",
    ];
    expect(changed(lines)).toEqual([]);
  });
});
