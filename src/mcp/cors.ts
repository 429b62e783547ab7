// What a page of an allowed origin is told, so that its browser lets it call here (Fetch, section 3.3, "CORS protocol").

/** Headers that clients of either protocol generation send; nothing else is let through. */
const sent = [
  "accept",
  "authorization",
  "content-type",
  "last-event-id",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
];

/** On every answer to a page whose origin is allowed, refusals included: else it could not read why. No credentials: there are no cookies here. */
export function corsHeaders(origin: string | undefined): readonly (readonly [string, string])[] {
  if (origin === undefined) return [["vary", "Origin"]];
  return [
    ["vary", "Origin"],
    ["access-control-allow-origin", origin],
    ["access-control-expose-headers", "mcp-protocol-version, mcp-session-id, retry-after, www-authenticate"],
  ];
}

/** The answer to a preflight, beside those; browsers keep it for ten minutes. */
export const preflightHeaders = {
  "access-control-allow-methods": "GET, POST",
  "access-control-allow-headers": sent.join(", "),
  "access-control-max-age": "600",
};
