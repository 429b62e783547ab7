// The owner's end of its local socket: lets in who holds the token, answers methods, serves relayed MCP sessions.

import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { firstLine, parseHello, parseLine, type Welcome } from "./greeting.ts";
import type { OwnerLock } from "./lock.ts";
import { announce, clearStale, socketPath, withdraw } from "./meeting.ts";

export interface OwnerSocketOptions {
  readonly lock: OwnerLock;
  /** The user that this process runs as. */
  readonly uid: number;
  readonly version: string;
  /** Digest of the configuration and the set of clusters. */
  readonly config: string;
  /** Where the socket goes when the state folder's path is too long for one. */
  readonly runtimeFolder: string;
  readonly random: (count: number) => Uint8Array;
  /** Answers one method; a `Faulted` goes to the client as its fault. `signal` is aborted when the client goes away. */
  readonly methods: (method: string, params: Json, signal: AbortSignal) => Promise<Json>;
  /** Serves one relayed MCP session; settles when it has ended. */
  readonly mcp: (stream: Duplex) => Promise<void>;
  /** The operator's log: what broke while a client was served. */
  readonly broke: (what: string, thrown: unknown) => void;
}

export type OpenedSocket =
  | { readonly kind: "open"; readonly path: string; readonly close: () => Promise<void> }
  | { readonly kind: "refused"; readonly sentence: string };

/** Opens the socket, mode 0600, in place of a dead owner's. The lock shows that no other owner is alive. */
export async function openOwnerSocket(options: OwnerSocketOptions): Promise<OpenedSocket> {
  const { lock, uid, runtimeFolder, random } = options;
  const place = socketPath(lock.folder, runtimeFolder, uid);
  if (place.kind === "refused") return place;
  const inTheWay = await clearStale(lock, place.path);
  if (inTheWay !== "") return { kind: "refused", sentence: inTheWay };

  const meeting = { socket: place.path, token: Buffer.from(random(32)).toString("base64url") };
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.on("close", () => clients.delete(socket)).on("error", () => socket.destroy());
    receive(socket, meeting.token, options).catch((thrown: unknown) => {
      options.broke("a client of the owner's socket", thrown);
      socket.destroy();
    });
  });
  const failed = await listen(server, place.path);
  if (failed !== "") return { kind: "refused", sentence: failed };
  const untold = await announce(lock, meeting);
  if (untold !== "") {
    await closeAll(server, clients);
    return { kind: "refused", sentence: untold };
  }
  const close = async (): Promise<void> => {
    await closeAll(server, clients);
    await withdraw(lock, meeting);
  };
  return { kind: "open", path: place.path, close };
}

const helloWait = 5_000;

async function receive(socket: Socket, token: string, options: OwnerSocketOptions): Promise<void> {
  const line = await firstLine(socket, helloWait);
  const hello = line === null ? null : parseHello(line);
  if (hello === null || !sameToken(hello.token, token)) return turnAway(socket, "The owner does not know this client.");
  if (hello.version !== options.version)
    return turnAway(
      socket,
      `The owner of this state folder runs Sallyport ${options.version} and this is ${hello.version}: stop the owner, or use the same version.`,
    );
  switch (hello.purpose) {
    case "methods":
      welcome(socket);
      return answerMethods(socket, options);
    case "mcp":
      if (hello.config !== options.config)
        return turnAway(
          socket,
          "The owner of this state folder runs with another configuration or other clusters: use the same ones, or set SALLYPORT_HOME to another folder.",
        );
      welcome(socket);
      await options.mcp(socket);
      socket.end();
  }
}

function welcome(socket: Socket): void {
  socket.write(`${JSON.stringify({ ok: true } satisfies Welcome)}\n`);
}

function turnAway(socket: Socket, sentence: string): void {
  socket.end(`${JSON.stringify({ ok: false, sentence } satisfies Welcome)}\n`);
}

/** Compares hashes: neither length nor matching beginning shows in the time. */
function sameToken(given: string, token: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}

/** Each line one request; answers go out as they come, under the request's id. */
function answerMethods(socket: Socket, options: OwnerSocketOptions): void {
  const gone = new AbortController();
  socket.on("close", () => gone.abort());
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
  // It tells the socket's errors once more, and an error that nobody hears ends the process.
  lines.on("error", () => socket.destroy());
  lines.on("line", (line) => {
    const request = parseLine(line);
    if (!isJsonObject(request) || typeof request["id"] !== "number" || typeof request["method"] !== "string") {
      socket.destroy();
      return;
    }
    const { id, method } = request;
    answer(method, request["params"] ?? null, gone.signal, options).then(
      (reply) => socket.write(`${JSON.stringify({ id, ...reply })}\n`),
      (thrown: unknown) => {
        options.broke(`the owner's method ${method}`, thrown);
        socket.destroy();
      },
    );
  });
}

async function answer(
  method: string,
  params: Json,
  signal: AbortSignal,
  options: OwnerSocketOptions,
): Promise<JsonObject> {
  try {
    return { result: await options.methods(method, params, signal) };
  } catch (thrown) {
    if (!(thrown instanceof Faulted)) throw thrown;
    // The cause stays here: it is for the operator's log, which is this process's.
    const { code, retry, effect, detail } = thrown.fault;
    return { error: { code, retry, effect, detail } };
  }
}

/** "" once the server listens, else why it can't. */
async function listen(server: Server, path: string): Promise<string> {
  return await new Promise((resolve) => {
    server.once("error", (thrown: NodeJS.ErrnoException) =>
      resolve(`The socket ${path} can't be opened (${thrown.code ?? thrown.message}).`),
    );
    server.listen(path, () => resolve(""));
  });
}

async function closeAll(server: Server, clients: Set<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const client of clients) client.destroy();
  await closed;
}
