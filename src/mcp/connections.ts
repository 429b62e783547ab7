// The connections of the HTTP door: so many and no more, and none that takes its answer never. Who is known keeps a place before who is not.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { plainAddress } from "./forwarded.ts";

export interface ConnectionLimits {
  /** Connections at a time. */
  readonly most: number;
  /** Milliseconds in which a client has to take some of what was written for it. */
  readonly stall: number;
}

/** One caller holds no more than this part of them at a time, or whoever is known could keep everybody else out. */
const share = 8;

/** Looks at what is unwritten before a connection is cut. */
const looks = 4;

export interface Connections {
  /**
   * From here until its answer is over the request's connection makes room for no other: its caller is known. False,
   * and nothing is held, where that caller holds its share of the connections already.
   */
  hold(caller: string, request: IncomingMessage, response: ServerResponse): boolean;
  /** How many there are. */
  count(): number;
  /** Ends all of them, those in the middle of a handshake too. */
  cut(): void;
  /** Looks no more. */
  stop(): void;
}

interface Connection {
  socket: Socket;
  /** Answers for known callers that are under way. */
  held: number;
  /** What was unwritten at the last look, and how many looks in a row found that none of it was taken. */
  unwritten: number;
  stalled: number;
}

/**
 * Keeps a server to its limits. Beyond `most` the connection that has waited longest goes: first one on which nobody
 * has been known yet, then one between two calls. Where all are in use the newcomer goes.
 */
export function boundConnections(server: Server, limits: ConnectionLimits): Connections {
  // In the order in which they came to rest: the first has waited longest.
  const strangers = new Map<string, Connection>();
  const resting = new Map<string, Connection>();
  const held = new Map<string, Connection>();
  const holding = new Map<string, number>();
  const mostOfOne = Math.ceil(limits.most / share);
  const all = (): readonly Connection[] => [...strangers.values(), ...resting.values(), ...held.values()];
  const count = (): number => strangers.size + resting.size + held.size;

  function makeRoom(): boolean {
    if (count() < limits.most) return true;
    for (const group of [strangers, resting])
      for (const [key, { socket }] of group) {
        group.delete(key);
        socket.destroy();
        return true;
      }
    return false;
  }
  server.on("connection", (socket: Socket) => {
    const key = keyOf(socket);
    if (key === "" || !makeRoom()) return void socket.destroy();
    const connection = { socket, held: 0, unwritten: 0, stalled: 0 };
    strangers.set(key, connection);
    socket.once("close", () => {
      for (const group of [strangers, resting, held]) if (group.get(key) === connection) group.delete(key);
    });
  });
  // After the handshake the same connection is written through another object.
  server.on("secureConnection", (socket: Socket) => {
    const connection = strangers.get(keyOf(socket));
    if (connection !== undefined) connection.socket = socket;
  });
  const looking = setInterval(() => all().forEach(cutStalled), Math.ceil(limits.stall / looks));
  looking.unref();

  return {
    hold(caller, request, response) {
      const key = keyOf(request.socket);
      const connection = held.get(key) ?? resting.get(key) ?? strangers.get(key);
      // It has gone: whoever reads its body finds out.
      if (connection === undefined) return true;
      const mine = holding.get(caller) ?? 0;
      if (mine >= mostOfOne) return false;
      holding.set(caller, mine + 1);
      strangers.delete(key);
      resting.delete(key);
      held.set(key, connection);
      connection.held += 1;
      response.once("close", () => {
        const left = (holding.get(caller) ?? 1) - 1;
        if (left === 0) holding.delete(caller);
        else holding.set(caller, left);
        connection.held -= 1;
        if (connection.held > 0 || held.get(key) !== connection) return;
        held.delete(key);
        resting.set(key, connection);
      });
      return true;
    },
    count,
    cut: () => all().forEach(({ socket }) => socket.destroy()),
    stop: () => clearInterval(looking),
  };
}

function cutStalled(connection: Connection): void {
  const left = connection.socket.writableLength;
  const taken = left === 0 || left < connection.unwritten || connection.unwritten === 0;
  connection.unwritten = left;
  connection.stalled = taken ? 0 : connection.stalled + 1;
  if (connection.stalled >= looks) connection.socket.destroy();
}

/** The peer's address and port; "" where it has gone already. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? "" : `${plainAddress(remoteAddress)} ${remotePort}`;
}
