// What the tests hold of identity traffic on its way out.

export const fetch = {
  "fetch:addresses": {
    promise:
      "Identity traffic goes to no address inside the own network unless the configuration says so, and never to a cloud's metadata",
    source: "issue 6, point 8; mcp.md, The HTTP door",
  },
  "fetch:resolved-address": {
    promise: "The address that was checked is the one that is connected to",
    source: "issue 6, point 8; mcp.md, The HTTP door",
  },
  "fetch:https-only": {
    promise: "Identity traffic is HTTPS to a certificate of a named authority, loopback excepted",
    source: "issue 6, point 8; mcp.md, The HTTP door",
  },
  "fetch:no-redirect": {
    promise: "Identity traffic follows no redirect",
    source: "issue 6, point 8; mcp.md, The HTTP door",
  },
  "fetch:bounded": {
    promise: "An answer to identity traffic is bounded in size, depth and time",
    source: "issue 6, point 8; mcp.md, The HTTP door",
  },
  "fetch:kept": {
    promise:
      "What was fetched is fetched once at a time, refreshed behind the answers, and never believed beyond its bound",
    source: "issue 6, point 8; mcp.md, The HTTP door",
  },
} as const;
