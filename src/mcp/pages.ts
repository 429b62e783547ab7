// Pages beside MCP at the same door (the console, Slack's requests): the request as the web has it in, the answer out.

import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers everything below one path. It never rejects. */
export interface Pages {
  /** `/console`: that path, and what lies below it. */
  readonly path: string;
  /** Under which origin browsers see it: what a request's own address is made of, whatever its Host says. */
  readonly origin: string;
  readonly answer: (request: Request) => Promise<Response>;
}

/** The pages that an address belongs to, or undefined. */
export function pagesAt<One extends Pick<Pages, "path">>(pages: readonly One[], path: string): One | undefined {
  return pages.find((one) => path === one.path || path.startsWith(`${one.path}/`));
}

/** Hands a request with its whole body on, and sends what comes back. */
export async function answerPage(
  { origin, answer }: Pages,
  request: IncomingMessage,
  body: Uint8Array,
  response: ServerResponse,
): Promise<void> {
  const headers = new Headers();
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2)
    headers.append(request.rawHeaders[at] ?? "", request.rawHeaders[at + 1] ?? "");
  const method = request.method ?? "GET";
  const bodied = method !== "GET" && method !== "HEAD";
  const asked = new Request(`${origin}${request.url ?? "/"}`, {
    method,
    headers,
    ...(bodied ? { body: Uint8Array.from(body) } : {}),
  });
  const answered = await answer(asked);
  const cookies = answered.headers.getSetCookie();
  const plain = [...answered.headers].filter(([name]) => name !== "set-cookie");
  response.writeHead(answered.status, {
    ...Object.fromEntries(plain),
    ...(cookies.length === 0 ? {} : { "set-cookie": cookies }),
  });
  response.end(method === "HEAD" ? undefined : Buffer.from(await answered.arrayBuffer()));
}
