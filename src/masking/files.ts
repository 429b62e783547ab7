// Files whose secrets only their name tells: password files of clients, and keystores.

import { nothing, type Span } from "./spans.ts";
import { isToken } from "./token.ts";
import { isPlaceholder } from "./values.ts";

/**
 * What of a file is secret because of its name, or undefined where its content alone decides. `binary` content is base64.
 * PostgreSQL's password file has `host:port:database:user:password` lines (postgresql.org, "The Password File");
 * PgBouncer's user list quotes user and password (pgbouncer.org, "Authentication file format").
 */
export function fileSecret(name: string, content: string, binary: boolean): readonly Span[] | undefined {
  if (isToken(content)) return nothing;
  if (/\.(?:jks|p12|pfx|keystore|truststore|kdbx|keytab|ppk|bcfks)$/i.test(name)) return whole(content, "keystore");
  if (binary && /\.(?:key|der)$/i.test(name)) return whole(content, "private_key");
  if (/pgpass/i.test(name)) return lines(content, /^(?!#)(?:(?:[^:\\\n]|\\.){0,253}:){4}([^\n\r]{1,1024})/);
  if (/userlist/i.test(name)) return lines(content, /^\s*"[^"]{0,253}"\s+"([^"]{1,1024})"/);
  return undefined;
}

function whole(content: string, type: Span["type"]): readonly Span[] {
  return [{ start: 0, end: content.length, type, value: content, why: "file-name" }];
}

/** One span for each line: the pattern's only group, which ends the match but for a quote. */
function lines(content: string, pattern: RegExp): readonly Span[] | undefined {
  const spans: Span[] = [];
  let from = 0;
  for (const line of content.split("\n")) {
    const found = pattern.exec(line.slice(0, 2048));
    const value = found?.[1] ?? "";
    if (found !== null && value !== "" && !isPlaceholder(value) && !isToken(value)) {
      const start = from + found[0].lastIndexOf(value);
      spans.push({ start, end: start + value.length, type: "password", value, why: "file-name" });
    }
    from += line.length + 1;
  }
  return spans.length === 0 ? undefined : spans;
}
