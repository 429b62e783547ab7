// The names of things that Sallyport makes: each a prefix that says what it is and a UUIDv7 (RFC 9562, section 5.7).

declare const callId: unique symbol;
declare const sessionId: unique symbol;
declare const approvalId: unique symbol;
declare const grantId: unique symbol;

/** `call_` and a UUIDv7; also the part before the dot of each Kubernetes `Audit-ID` that the call causes. */
export type CallId = string & { readonly [callId]: true };
/** `ses_` and a UUIDv7. */
export type SessionId = string & { readonly [sessionId]: true };
/** `apr_` and a UUIDv7. */
export type ApprovalId = string & { readonly [approvalId]: true };
/** A bare UUIDv7: it stands in names of Kubernetes objects (`run-<id>`, at most 63 characters). */
export type GrantId = string & { readonly [grantId]: true };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A UUIDv7 of a time in milliseconds and 10 random bytes. */
export function uuidv7(now: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  let time = Math.max(0, Math.floor(now));
  for (let index = 5; index >= 0; index--) {
    bytes[index] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** When an id was made, in milliseconds since 1970: the first 48 bits of its UUIDv7. */
export function madeAt(id: CallId | SessionId | ApprovalId | GrantId): number {
  return Number.parseInt(
    id
      .slice(id.lastIndexOf("_") + 1)
      .replace("-", "")
      .slice(0, 12),
    16,
  );
}

/** Makes ids from a clock (milliseconds) and a source of random bytes. */
export interface Ids {
  call(): CallId;
  session(): SessionId;
  approval(): ApprovalId;
  grant(): GrantId;
}

export function idsFrom(now: () => number, random: (count: number) => Uint8Array): Ids {
  const next = (): string => uuidv7(now(), random(10));
  return {
    call: () => `call_${next()}` as CallId,
    session: () => `ses_${next()}` as SessionId,
    approval: () => `apr_${next()}` as ApprovalId,
    grant: () => next() as GrantId,
  };
}

/** The text as an approval id, or undefined when it is not one. */
export function parseApprovalId(text: string): ApprovalId | undefined {
  return text.startsWith("apr_") && uuid.test(text.slice(4)) ? (text as ApprovalId) : undefined;
}

/** The text as a call id, or undefined when it is not one. */
export function parseCallId(text: string): CallId | undefined {
  return text.startsWith("call_") && uuid.test(text.slice(5)) ? (text as CallId) : undefined;
}
