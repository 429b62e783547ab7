// Syslog messages: RFC 5424's format, and RFC 6587's octet counting that tells them apart on a stream.

/** Facility 13, "log audit" (RFC 5424, section 6.2.1). */
const facility = 13;

/** From 1 (informational) to 5 (critical), as syslog counts: notice 5, warning 4, error 3, critical 2, alert 1. */
const severities: readonly number[] = [6, 6, 5, 4, 3, 2];

export interface SyslogMessage {
  /** From 1 to 5: how grave it is. */
  readonly severity: number;
  /** RFC 3339. */
  readonly at: string;
  readonly host: string;
  readonly version: string;
  /** What kind of message. */
  readonly id: string;
  /** UTF-8 without a newline. */
  readonly text: string;
}

/** One message of RFC 5424, section 6: its text goes as it is (MSG-ANY), which receivers take as UTF-8. */
export function syslogMessage({ severity, at, host, version, id, text }: SyslogMessage): string {
  const priority = facility * 8 + (severities[severity] ?? 6);
  const software = `[origin software="Sallyport" swVersion="${parameter(version)}"]`;
  return `<${priority}>1 ${at} ${field(host, 255)} sallyport - ${field(id, 32)} ${software} ${text}`;
}

/** The message's length in octets, a space, the message (RFC 6587, section 3.4.1; RFC 5425, section 4.3). */
export function counted(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}

/** Printable ASCII without spaces, or "-" for none. */
function field(text: string, most: number): string {
  const kept = text.replaceAll(/[^!-~]/g, "_").slice(0, most);
  return kept === "" ? "-" : kept;
}

/** In a parameter's value a quote, a backslash and a closing bracket are escaped (section 6.3.3). */
function parameter(text: string): string {
  return text.replaceAll(/["\\\]]/g, String.raw`\$&`);
}
