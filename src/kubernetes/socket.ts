// A connection of its own to an API server, for what no pool carries: with the connection's TLS identity, through its proxy if it has one.

import { request as httpRequest, type ClientRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Connection } from "./contract.ts";

/** Milliseconds for each of its steps. */
const patience = 10_000;

/** Connects; `signal` ends the attempt and leaves no socket behind. Rejects with an error whose `code` says why, `TUNNEL` for a proxy that gave none. */
export async function openSocket(
  connection: Pick<Connection, "server" | "tls" | "proxy">,
  signal: AbortSignal,
): Promise<Socket> {
  const server = new URL(connection.server);
  const secure = server.protocol === "https:";
  const host = server.hostname.replace(/^\[|\]$/g, "");
  const port = Number(server.port || (secure ? 443 : 80));
  if (connection.proxy !== null) {
    const tunnel = await tunnelTo(`${server.hostname}:${port}`, new URL(connection.proxy), signal);
    return secure ? await connected(tlsOver(tunnel, host, connection.tls), "secureConnect", signal) : tunnel;
  }
  if (!secure) return await connected(connectTcp({ host, port }), "connect", signal);
  return await connected(tlsOver({ host, port }, host, connection.tls), "secureConnect", signal);
}

function tlsOver(
  way: Socket | { readonly host: string; readonly port: number },
  host: string,
  tls: Connection["tls"],
): Socket {
  const servername = tls.serverName ?? (isIP(host) === 0 ? host : undefined);
  return connectTls({
    ...("port" in way ? way : { socket: way, host }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: !tls.insecure,
    ALPNProtocols: ["http/1.1"],
  });
}

/** The socket once it is there. */
function connected(socket: Socket, event: "connect" | "secureConnect", signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      socket.off("error", failed).off("close", closed).off(event, ready);
      end();
    };
    const failed = (error: Error): void => settle(() => reject(error));
    const closed = (): void => failed(broken("ECONNRESET"));
    const ready = (): void => settle(() => resolve(socket));
    const stop = (): void => {
      // Whatever still comes from a socket that is given up is nobody's concern.
      socket.on("error", () => undefined).destroy();
      failed(broken("ABORTED"));
    };
    const timer = setTimeout(() => {
      socket.on("error", () => undefined).destroy();
      failed(broken("UND_ERR_CONNECT_TIMEOUT"));
    }, patience);
    socket.on("error", failed).on("close", closed).on(event, ready);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
}

/** A tunnel through an HTTP proxy (RFC 9110, section 9.3.6); its credentials, if any, stand in its URL. */
function tunnelTo(to: string, proxy: URL, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    const asked: ClientRequest = (proxy.protocol === "https:" ? httpsRequest : httpRequest)({
      method: "CONNECT",
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      path: to,
      headers: {
        host: to,
        ...(credentials === ":"
          ? {}
          : { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` }),
      },
      agent: false,
      signal,
      timeout: patience,
    });
    asked.on("connect", (answer, socket: Socket, head) => {
      if (answer.statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        return resolve(socket.setTimeout(0));
      }
      socket.on("error", () => undefined).destroy();
      reject(broken("TUNNEL"));
    });
    asked.on("timeout", () => asked.destroy(broken("TUNNEL")));
    asked.on("error", (error) => reject(signal.aborted ? broken("ABORTED") : proxyError(error)));
    asked.end();
  });
}

/** A proxy that can't be reached is told as such; one that hangs up has refused. */
function proxyError(error: Error): Error {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(code) ? error : broken("TUNNEL");
}

class Broken extends Error {
  override readonly name = "Broken";
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
const broken = (code: string): Broken => new Broken(code);
