// Stands in front of a door for the conformance suite, which can send no token: adds one, changes nothing else.

import { createServer, request as ask } from "node:http";
import type { AddressInfo } from "node:net";

export interface TokenProxy {
  /** The address to call, with the path of the door behind. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Passes everything on to `target` as it comes, Host and Origin too: what the door thinks of those is part of the suite. */
export async function tokenProxy(target: string, token: string): Promise<TokenProxy> {
  const { hostname, port, pathname } = new URL(target);
  const server = createServer((request, response) => {
    const onward = ask(
      { host: hostname, port, method: request.method, path: request.url, setHost: false },
      (answered) => {
        response.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
        answered.pipe(response);
      },
    );
    for (let at = 0; at < request.rawHeaders.length; at += 2)
      onward.appendHeader(request.rawHeaders[at] ?? "", request.rawHeaders[at + 1] ?? "");
    onward.setHeader("authorization", `Bearer ${token}`);
    onward.on("error", () => response.destroy());
    // A client that leaves cancels its call: the door has to see that.
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
