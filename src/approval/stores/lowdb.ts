// Approval requests of one machine in a lowdb file, durable and safe against a second process. Long: one class is one lock's discipline.

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Low } from "lowdb";
import type { ApprovalRequest, ApprovalState, StoredResult } from "../../domain/approval.ts";
import type { ApprovalId } from "../../domain/ids.ts";
import type { JsonObject } from "../../domain/json.ts";
import { unfinished } from "../durable.ts";
import { openLock, type Lock } from "../lock.ts";
import { refused, requestsFile, type Requests, type RequestsFile } from "../requests-file.ts";
import { applyChange, isEnd } from "../states.ts";
import { openVault, type Content, type Vault } from "../vault.ts";
import type { Answer, ApprovalStore, KeptRequest, Listener, Ran, Stepped } from "./contract.ts";

export interface LowdbOptions {
  /** A folder of its own; made, for its owner alone, where it is missing. */
  readonly folder: string;
  readonly random: (count: number) => Uint8Array;
  /** How long ended requests are kept, in milliseconds. */
  readonly keep: number;
  /** How long an answer waits for its caller, in milliseconds. */
  readonly answerFor: number;
}

/** Opens the store and sweeps what a crash left. Fault: internal, when the file is damaged, empty or gone: it never starts over by itself. */
export async function openLowdbStore(options: LowdbOptions): Promise<ApprovalStore> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const vault = await openVault(options.folder, options.random);
  const lock = openLock(join(options.folder, "lock"));
  const path = join(options.folder, "requests.json");
  const store = new LowdbStore(options, path, requestsFile(path, options.random), vault, lock);
  try {
    await store.begin();
  } catch (error) {
    lock.close();
    throw error;
  }
  return store;
}

class LowdbStore implements ApprovalStore {
  readonly #options: LowdbOptions;
  readonly #path: string;
  readonly #file: RequestsFile;
  readonly #vault: Vault;
  readonly #lock: Lock;
  readonly #db: Low<Requests>;
  readonly #listeners = new Set<Listener>();
  #byId = new Map<string, KeptRequest>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: LowdbOptions, path: string, file: RequestsFile, vault: Vault, lock: Lock) {
    this.#options = options;
    this.#path = path;
    this.#file = file;
    this.#vault = vault;
    this.#lock = lock;
    this.#db = new Low<Requests>(file, { format: 1, stamp: "", requests: [] });
  }

  /** First start or a later one; either way nothing lies sealed afterwards that no open request needs. */
  async begin(): Promise<void> {
    await this.#inTurn(async () => {
      if ((await this.#file.stamp()) === "" && (await this.#file.read()) === null) await this.#startEmpty();
      await this.#catchUp();
      await this.#vault.sweep((id, content) => holds(this.#byId.get(id), content));
      for (const name of await readdir(this.#options.folder))
        if (name.endsWith(unfinished)) await rm(join(this.#options.folder, name), { force: true });
    }, false);
  }

  async insert(
    request: ApprovalRequest,
    joins: (kept: KeptRequest) => boolean,
    record: () => Promise<void>,
  ): Promise<{ readonly request: KeptRequest; readonly joined: boolean }> {
    return await this.#inTurn(async () => {
      const equal = this.#equal(request.callDigest).find(joins);
      if (equal !== undefined) return { request: equal, joined: true };
      if (this.#byId.has(request.id)) throw new Error(`${request.id} is kept already`);
      const kept = keptFrom(request);
      await this.#sealed(request.id, "arguments", request.call.arguments, async () => {
        await record();
        await this.#write([...this.#db.data.requests, kept]);
      });
      this.#tell(kept, null);
      return { request: kept, joined: false };
    });
  }

  async get(id: ApprovalId): Promise<KeptRequest | undefined> {
    await this.#fresh();
    return this.#byId.get(id);
  }

  async findByDigest(callDigest: string): Promise<readonly KeptRequest[]> {
    await this.#fresh();
    return this.#equal(callDigest);
  }

  async list(states: readonly ApprovalState[] | null): Promise<readonly KeptRequest[]> {
    await this.#fresh();
    return this.#db.data.requests.filter((one) => states === null || states.includes(one.state));
  }

  async transition<R>(id: ApprovalId, step: (current: KeptRequest) => Promise<Stepped<R>>): Promise<R | undefined> {
    return await this.#inTurn(async () => {
      const current = this.#byId.get(id);
      if (current === undefined) return undefined;
      const { change, reply } = await step(current);
      if (change === null) return reply;
      const next = applyChange(current, change);
      await this.#replace(current, next);
      if (isEnd(next.state)) await this.#vault.destroy(id, "arguments");
      return reply;
    });
  }

  async recall(id: ApprovalId): Promise<ApprovalRequest | undefined> {
    return await this.#inTurn(async () => {
      const kept = this.#byId.get(id);
      if (kept === undefined || isEnd(kept.state)) return undefined;
      const { why: _why, answer: _answer, answeredAt: _answeredAt, ran: _ran, ...request } = kept;
      // The box is authenticated and only this class seals: what opens is what was planned.
      const exact = JSON.parse(await this.#vault.open(id, "arguments")) as JsonObject;
      return { ...request, call: { ...kept.call, arguments: exact }, result: null };
    });
  }

  async storeResult(id: ApprovalId, result: StoredResult, now: number): Promise<void> {
    await this.#inTurn(async () => {
      const current = this.#byId.get(id);
      if (current?.state !== "spent" || current.answer !== "none") throw new Error(`${id} does not wait for a result`);
      const next: KeptRequest = { ...current, answer: "waiting", answeredAt: now, ran: ranOf(result) };
      await this.#sealed(id, "result", { ...result, delivered: false }, () => this.#replace(current, next));
    });
  }

  async takeAnswer(id: ApprovalId, now: number): Promise<Answer> {
    return await this.#inTurn(async (): Promise<Answer> => {
      const request = this.#byId.get(id);
      if (request === undefined) return { kind: "unknown" };
      if (request.answer === "none") return { kind: "open", request };
      const waits = request.answer === "waiting" && !this.#waitedTooLong(request, now);
      const taken: KeptRequest = { ...request, answer: "taken" };
      if (request.state !== "spent") {
        if (waits) await this.#replace(request, taken);
        return { kind: "ended", request: waits ? taken : request };
      }
      if (!waits) return { kind: "taken", request };
      const result = JSON.parse(await this.#vault.open(id, "result")) as StoredResult;
      await this.#replace(request, taken);
      await this.#vault.destroy(id, "result");
      return { kind: "result", request: taken, result: { ...result, delivered: true } };
    });
  }

  async prune(now: number): Promise<void> {
    const tooOld = (one: KeptRequest): boolean => one.endedAt !== null && now - one.endedAt >= this.#options.keep;
    const forgets = (one: KeptRequest): boolean => one.answer === "waiting" && this.#waitedTooLong(one, now);
    if (!(await this.list(null)).some((one) => tooOld(one) || forgets(one))) return;
    await this.#inTurn(async () => {
      const left = this.#db.data.requests.filter((one) => !tooOld(one));
      await this.#write(left.map((one) => (forgets(one) ? { ...one, answer: "gone" } : one)));
      await this.#vault.sweep((id, content) => holds(this.#byId.get(id), content));
    });
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#queue;
    this.#lock.close();
  }

  /** One at a time, here and over all processes, on what the file holds now. */
  #inTurn<T>(work: () => Promise<T>, begun = true): Promise<T> {
    const turn = this.#queue.then(() =>
      this.#lock.hold(async () => {
        if (begun) await this.#catchUp();
        return await work();
      }),
    );
    this.#queue = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** Reading needs no lock (a rename is whole) but must not see less than another process has made durable. */
  async #fresh(): Promise<void> {
    if ((await this.#file.stamp()) !== this.#db.data.stamp) await this.#inTurn(() => Promise.resolve());
  }

  async #catchUp(): Promise<void> {
    const stamp = await this.#file.stamp();
    if (stamp !== "" && stamp === this.#db.data.stamp) return;
    const requests = await this.#file.read();
    if (requests === null) throw refused(this.#path, "is gone");
    this.#hold(requests);
  }

  async #startEmpty(): Promise<void> {
    if (!(await this.#vault.isEmpty()))
      throw refused(this.#path, "is gone, though sealed requests still lie beside it");
    await this.#write([]);
  }

  async #replace(before: KeptRequest, after: KeptRequest): Promise<void> {
    await this.#write(this.#db.data.requests.map((one) => (one === before ? after : one)));
    this.#tell(after, before);
  }

  /** A write that fails leaves a stamp here that the disk does not have: the next turn reads what the disk has. */
  async #write(requests: readonly KeptRequest[]): Promise<void> {
    this.#hold({ format: 1, stamp: Buffer.from(this.#options.random(16)).toString("hex"), requests });
    await this.#db.write();
  }

  #hold(requests: Requests): void {
    this.#db.data = requests;
    this.#byId = new Map(requests.requests.map((one) => [one.id, one]));
  }

  /** Seals a value, then does what makes it count; where that fails the box goes again. */
  async #sealed(id: ApprovalId, content: Content, value: unknown, work: () => Promise<void>): Promise<void> {
    await this.#vault.seal(id, content, JSON.stringify(value));
    try {
      await work();
    } catch (error) {
      await this.#vault.destroy(id, content);
      throw error;
    }
  }

  #equal(callDigest: string): readonly KeptRequest[] {
    return this.#db.data.requests.filter((one) => one.callDigest === callDigest).toReversed();
  }

  #waitedTooLong(request: KeptRequest, now: number): boolean {
    return request.answeredAt !== null && now - request.answeredAt >= this.#options.answerFor;
  }

  #tell(request: KeptRequest, before: KeptRequest | null): void {
    for (const listener of this.#listeners) listener(request, before);
  }
}

/** Does a box of this content belong to the request? Every other box is a leftover. */
function holds(request: KeptRequest | undefined, content: string): boolean {
  if (request === undefined) return false;
  return content === "arguments" ? !isEnd(request.state) : request.state === "spent" && request.answer === "waiting";
}

function ranOf(result: StoredResult): Ran {
  const { effect } = result;
  return result.kind === "completed" ? { kind: "completed", effect } : { kind: "failed", code: result.code, effect };
}

function keptFrom(request: ApprovalRequest): KeptRequest {
  const { result: _result, call, ...rest } = request;
  const { arguments: _arguments, ...head } = call;
  return { ...rest, call: head, why: "", answer: "none", answeredAt: null };
}
