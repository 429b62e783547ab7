// An HTTP proxy for CONNECT (RFC 9110, section 9.3.6) on loopback, that opens, hangs up or refuses.

import { createServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export async function tunnel(
  way: "open" | "hangs up" | "refuses",
): Promise<{ readonly url: string; readonly asked: readonly string[]; readonly passed: () => string }> {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  let passed = "";
  const server = createServer();
  server.on("connect", (request, socket: Socket) => {
    asked.push(request.url ?? "");
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    if (way === "hangs up") socket.destroy();
    if (way === "refuses") socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    if (way !== "open") return;
    const [host = "", port = ""] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.on("data", (chunk: Buffer) => (passed += chunk.toString("latin1")));
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, passed: () => passed };
}
