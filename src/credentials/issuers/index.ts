// Every issuer there is.

export { ambientIssuer } from "./ambient.ts";
export { readerIssuer } from "./reader.ts";
export { tokenRequestIssuer } from "./token-request.ts";
