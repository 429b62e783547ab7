// A certificate authority for the test control plane: X.509 v3 certificates (RFC 5280) written as DER by hand, signed by node:crypto.

import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIPv4 } from "node:net";

export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}
export interface Authority extends KeyAndCertificate {
  issue(subject: {
    readonly commonName: string;
    readonly organization?: string;
    readonly hosts?: readonly string[];
  }): KeyAndCertificate;
}

/** A self-signed authority that issues certificates for servers (with hosts) and clients (without). */
export function makeAuthority(commonName: string): Authority {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = nameOf({ commonName });
  const usage = [
    extension("2.5.29.19", der(0x30, der(0x01, Buffer.from([0xff]))), true),
    extension("2.5.29.15", der(0x03, Buffer.from([1, 0x06])), true),
  ];
  return {
    key: pem(keys.privateKey),
    certificate: certificate(name, name, keys.publicKey, keys.privateKey, usage),
    issue({ commonName, organization, hosts }) {
      const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const purpose = hosts === undefined ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1";
      const extensions = [extension("2.5.29.37", der(0x30, oid(purpose)), false)];
      if (hosts !== undefined) extensions.push(extension("2.5.29.17", der(0x30, ...hosts.map(alternativeName)), false));
      const subject = nameOf(organization === undefined ? { commonName } : { commonName, organization });
      return {
        key: pem(own.privateKey),
        certificate: certificate(subject, name, own.publicKey, keys.privateKey, extensions),
      };
    },
  };
}

function certificate(
  subject: Buffer,
  issuer: Buffer,
  key: KeyObject,
  signer: KeyObject,
  extensions: readonly Buffer[],
): string {
  const algorithm = der(0x30, oid("1.2.840.10045.4.3.2"));
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    issuer,
    der(0x30, time(now - 3_600_000), time(now + 30 * 86_400_000)),
    subject,
    key.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = sign("sha256", body, signer);
  const whole = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature));
  return `-----BEGIN CERTIFICATE-----\n${(whole.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = rest.flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

function nameOf(subject: { readonly commonName: string; readonly organization?: string }): Buffer {
  const part = (id: string, text: string): Buffer => der(0x31, der(0x30, oid(id), der(0x0c, Buffer.from(text))));
  const organization = subject.organization === undefined ? [] : [part("2.5.4.10", subject.organization)];
  return der(0x30, ...organization, part("2.5.4.3", subject.commonName));
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return der(0x30, oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function alternativeName(host: string): Buffer {
  return isIPv4(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host));
}

function time(milliseconds: number): Buffer {
  return der(0x18, Buffer.from(new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, "")));
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** SHA-256 of a text, hex, shortened: names cache folders. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
