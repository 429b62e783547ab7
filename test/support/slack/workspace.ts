// A Slack workspace on loopback: the Web API, Socket Mode and OpenID as slack.md describes them, complete enough for Slack's own unmodified libraries. Long: a workspace is one thing that all of these look at.

import { createHmac, generateKeyPairSync, randomBytes, sign as signWith } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { messageProblem, viewProblem } from "./limits.ts";
import { render, type Seen } from "./render.ts";

type Json = { readonly [key: string]: unknown };

export interface FakeUser {
  readonly id: string;
  readonly [field: string]: unknown;
}

export interface FakeMessage {
  readonly channel: string;
  readonly ts: string;
  readonly thread: string | null;
  readonly by: "bot" | "other";
  text: string;
  blocks: unknown;
  edits: number;
  deleted: boolean;
}

export interface FakeView {
  readonly id: string;
  readonly user: string;
  readonly trigger: string;
  view: Json;
  hash: string;
  open: boolean;
}

/** What goes wrong with the next call of a method. */
export type Trouble =
  | { readonly kind: "error"; readonly error: string }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "limited"; readonly seconds: number }
  /** Done, and the answer never comes. */
  | { readonly kind: "lose" }
  /** Not done, and the answer never comes. */
  | { readonly kind: "hang" }
  | { readonly kind: "slow"; readonly milliseconds: number };

export interface WorkspaceOptions {
  readonly team?: string;
  readonly enterprise?: string;
  /** Which app the other end of a socket says it speaks for. */
  readonly appAtSocket?: string;
  /** The workspace's own clock, in milliseconds: triggers and windows live by it. */
  readonly now?: () => number;
}

export type Workspace = Awaited<ReturnType<typeof openWorkspace>>;

export const tokens = { bot: "xoxb-fake-bot", app: "xapp-1-A7-fake", signing: "f".repeat(32) } as const;
export const appId = "A7";

const member = (id: string, team: string, more: Json = {}): FakeUser => ({
  id,
  team_id: team,
  name: id.toLowerCase(),
  deleted: false,
  is_bot: false,
  is_app_user: false,
  is_restricted: false,
  is_ultra_restricted: false,
  is_email_confirmed: true,
  ...more,
});

export async function openWorkspace(options: WorkspaceOptions = {}) {
  const { team = "T7", enterprise, now = () => Date.now() } = options;
  const users = new Map<string, FakeUser>(
    [
      member("UKIM", team),
      member("ULEE", team),
      member("UJO", team),
      member("UADA", team),
      member("UGUEST", team, { is_restricted: true }),
      member("USINGLE", team, { is_restricted: true, is_ultra_restricted: true }),
      member("USTRANGER", "TOUT", { is_stranger: true }),
      // In a shared channel an outsider is no stranger.
      member("UOUTSIDER", "TOUT", { is_stranger: false }),
      member("UBOT", team, { is_bot: true }),
      member("UFLOW", team, { is_workflow_bot: true }),
      member("UGONE", team, { deleted: true }),
      member("UINVITED", team, { is_invited_user: true }),
      member("UUNCONFIRMED", team, { is_email_confirmed: false }),
      member("USLACKBOT", team),
      member("WORG", "TELSE", { enterprise_user: { id: "WORG", enterprise_id: "E7", teams: [team, "TELSE"] } }),
    ].map((one) => [one.id, one]),
  );
  const channels = new Map<string, Json & { members: string[]; archived: boolean }>(
    ["C7", "C8", "C77", "C88"].map((id) => [
      id,
      {
        id,
        members: ["UBOTUSER", "UKIM", "ULEE", "UJO"],
        archived: false,
        is_private: true,
        is_ext_shared: false,
        is_pending_ext_shared: false,
      },
    ]),
  );
  const messages: FakeMessage[] = [];
  const ephemerals: { channel: string; user: string; text: string; blocks: unknown }[] = [];
  const views = new Map<string, FakeView>();
  const calls: { method: string; fields: Json; at: number }[] = [];
  const troubles = new Map<string, Trouble[]>();
  /** What holds until it is lifted. */
  const standing = new Map<string, Trouble>();
  const triggers = new Map<string, { user: string; at: number; used: boolean }>();
  const tickets = new Set<string>();
  const acks: { envelope: string; payload: unknown }[] = [];
  const waiting = new Map<string, (payload: Json) => void>();
  const sockets: { socket: WebSocket; open: boolean; deaf: boolean }[] = [];
  const held = new Set<ServerResponse>();
  const codes = new Map<string, { nonce: string; user: string; used: boolean }>();
  const scopes = { list: ["chat:write", "commands", "users:read", "channels:read", "groups:read", "im:write"] };
  let [count, ghosts, shift] = [0, 0, 0];
  const nextToken: string[] = [];
  const answered = new Map<string, number>();
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const id = (prefix: string): string => `${prefix}${++count}`;
  const hash = (): string => randomBytes(6).toString("hex");

  const refuse = (error: string, messagesOf: readonly string[] = []): Json => ({
    ok: false,
    error,
    response_metadata: { messages: messagesOf },
  });

  function post(fields: Json, ephemeral: boolean): Json {
    const channel = String(fields["channel"]);
    const known = channels.get(channel);
    if (known === undefined && !channel.startsWith("D")) return refuse("channel_not_found");
    if (known?.archived === true) return refuse("is_archived");
    if (known !== undefined && !known.members.includes("UBOTUSER")) return refuse("not_in_channel");
    const blocks = parsed(fields["blocks"]);
    const text = typeof fields["text"] === "string" ? fields["text"] : "";
    const problem = messageProblem(blocks, text);
    if (problem !== "") return refuse(problem, [`[ERROR] ${problem}`]);
    if (ephemeral) {
      const user = String(fields["user"]);
      const there = known?.members ?? [channel.slice(1)];
      if (!there.includes(user)) return refuse("user_not_in_channel");
      ephemerals.push({ channel, user, text, blocks });
      return { ok: true, message_ts: `${now() / 1000}.e` };
    }
    const ts = `${1_700_000_000 + ++count}.${String(count).padStart(6, "0")}`;
    const thread = typeof fields["thread_ts"] === "string" ? fields["thread_ts"] : null;
    messages.push({ channel, ts, thread, by: "bot", text, blocks, edits: 0, deleted: false });
    return { ok: true, channel, ts };
  }

  function update(fields: Json): Json {
    const found = messages.find((one) => one.channel === fields["channel"] && one.ts === fields["ts"]);
    if (channels.get(String(fields["channel"]))?.archived === true) return refuse("is_archived");
    if (found === undefined || found.deleted) return refuse("message_not_found");
    if (found.by !== "bot") return refuse("cant_update_message");
    const blocks = parsed(fields["blocks"]);
    const text = typeof fields["text"] === "string" ? fields["text"] : "";
    if (text.length > 4000) return refuse("msg_too_long");
    const problem = messageProblem(blocks, text);
    if (problem !== "") return refuse(problem);
    Object.assign(found, { text, blocks, edits: found.edits + 1 });
    return { ok: true, channel: found.channel, ts: found.ts, text };
  }

  function openView(fields: Json, push: boolean): Json {
    const trigger = triggers.get(String(fields["trigger_id"]));
    if (trigger === undefined) return refuse("invalid_trigger_id");
    if (trigger.used) return refuse("exchanged_trigger_id");
    if (now() - trigger.at > 3000) return refuse("expired_trigger_id");
    trigger.used = true;
    const view = parsed(fields["view"]) as Json;
    const problem = viewProblem(view);
    if (problem !== "") return refuse(problem);
    const stack = [...views.values()].filter((one) => one.user === trigger.user && one.open);
    if (push && stack.length >= 3) return refuse("push_limit_reached");
    const opened: FakeView = {
      id: id("V"),
      user: trigger.user,
      trigger: String(fields["trigger_id"]),
      view,
      hash: hash(),
      open: true,
    };
    views.set(opened.id, opened);
    return { ok: true, view: { ...view, id: opened.id, hash: opened.hash, app_id: appId, team_id: team } };
  }

  function updateView(fields: Json): Json {
    const found = views.get(String(fields["view_id"]));
    if (found === undefined || !found.open) return refuse("not_found");
    if (fields["hash"] !== undefined && fields["hash"] !== found.hash) return refuse("hash_conflict");
    const view = parsed(fields["view"]) as Json;
    const problem = viewProblem(view);
    if (problem !== "") return refuse(problem);
    Object.assign(found, { view, hash: hash() });
    return { ok: true, view: { ...view, id: found.id, hash: found.hash } };
  }

  function members(fields: Json): Json {
    const known = channels.get(String(fields["channel"]));
    if (known === undefined) return refuse("channel_not_found");
    return { ok: true, members: known.members, response_metadata: { next_cursor: "" } };
  }

  function info(fields: Json): Json {
    const {
      members: there,
      archived,
      ...known
    } = channels.get(String(fields["channel"])) ?? { members: [], archived: false };
    if (!("id" in known)) return refuse("channel_not_found");
    return { ok: true, channel: { ...known, is_archived: archived, is_member: there.includes("UBOTUSER") } };
  }

  const methods: { readonly [method: string]: (fields: Json) => Json } = {
    "auth.test": () => ({
      ok: true,
      url: "https://fake.slack.com/",
      team_id: team,
      team: "Fake",
      user_id: "UBOTUSER",
      bot_id: "B7",
      is_enterprise_install: false,
      ...(enterprise === undefined ? {} : { enterprise_id: enterprise }),
    }),
    "bots.info": () => ({
      ok: true,
      bot: { id: "B7", app_id: appId, deleted: false, name: "sallyport", user_id: "UBOTUSER" },
    }),
    "apps.connections.open": () => {
      const ticket = randomBytes(8).toString("hex");
      tickets.add(ticket);
      return { ok: true, url: `ws://127.0.0.1:${port()}/link?ticket=${ticket}` };
    },
    "users.info": (fields) => {
      const user = users.get(String(fields["user"]));
      return user === undefined ? refuse("user_not_found") : { ok: true, user };
    },
    "conversations.info": info,
    "conversations.members": members,
    "conversations.open": (fields) => {
      const user = String(fields["users"]);
      return users.has(user) ? { ok: true, channel: { id: `D${user}` } } : refuse("user_not_found");
    },
    "chat.postMessage": (fields) => post(fields, false),
    "chat.postEphemeral": (fields) => post(fields, true),
    "chat.update": update,
    "views.open": (fields) => openView(fields, false),
    "views.push": (fields) => openView(fields, true),
    "views.update": updateView,
    "openid.connect.token": (fields) => exchange(fields),
  };

  function exchange(fields: Json): Json {
    const code = codes.get(String(fields["code"]));
    if (fields["client_secret"] !== "client-secret") return refuse("bad_client_secret");
    if (code === undefined) return refuse("invalid_code");
    if (code.used) return refuse("code_already_used");
    code.used = true;
    return {
      ok: true,
      access_token: "xoxp-fake",
      token_type: "Bearer",
      id_token: nextToken.shift() ?? idToken({ nonce: code.nonce, user: code.user }),
    };
  }

  /** An ID token as Slack signs one; `more` changes what it says. */
  function idToken({
    nonce,
    user,
    ...more
  }: {
    readonly nonce: string;
    readonly user: string;
    readonly [claim: string]: unknown;
  }): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const seconds = Math.floor(now() / 1000);
    const claims = {
      iss: "https://slack.com",
      sub: user,
      aud: "client-id",
      exp: seconds + 300,
      iat: seconds,
      nonce,
      "https://slack.com/user_id": user,
      "https://slack.com/team_id": team,
      email: "somebody@example.com",
      ...more,
    };
    const body = `${part({ alg: "RS256", typ: "JWT", kid: "k1" })}.${part(claims)}`;
    return `${body}.${signWith("sha256", Buffer.from(body), keys.privateKey).toString("base64url")}`;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const body = await textOf(request);
    if (url.pathname === "/openid/connect/keys")
      return json(response, {
        keys: [{ ...keys.publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" }],
      });
    const method = url.pathname.replace(/^\/api\//, "");
    const fields = Object.fromEntries(new URLSearchParams(body));
    calls.push({ method, fields, at: Date.now() });
    const there = `${method} ${String(fields["channel"])}`;
    const trouble = troubles.get(method)?.shift() ?? standing.get(there) ?? standing.get(method) ?? standing.get("*");
    if (trouble?.kind === "status") return void response.writeHead(trouble.status).end("<html>trouble</html>");
    if (trouble?.kind === "limited")
      return void response.writeHead(429, { "retry-after": String(trouble.seconds) }).end();
    if (trouble?.kind === "error") return json(response, refuse(trouble.error));
    if (trouble?.kind === "hang") return void held.add(response);
    if (trouble?.kind === "slow") await new Promise((resolve) => setTimeout(resolve, trouble.milliseconds));
    const known = methods[method];
    const expected = method === "apps.connections.open" ? tokens.app : tokens.bot;
    const anonymous = method.startsWith("openid.");
    if (!anonymous && request.headers.authorization !== `Bearer ${expected}`)
      return json(response, refuse("invalid_auth"));
    const reply = known === undefined ? refuse("unknown_method") : known(fields);
    if (reply["ok"] === true) response.on("finish", () => answered.set(method, (answered.get(method) ?? 0) + 1));
    if (trouble?.kind === "lose") return void held.add(response);
    json(response, reply);
  }

  const json = (response: ServerResponse, value: unknown): void =>
    void response
      .writeHead(200, { "content-type": "application/json; charset=utf-8", "x-oauth-scopes": scopes.list.join(",") })
      .end(JSON.stringify(value));

  const server = createServer((request, response) => void answer(request, response));
  const wss = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    const ticket = new URL(request.url ?? "/", "http://127.0.0.1").searchParams.get("ticket") ?? "";
    // Each address lets one connection in, once.
    if (!tickets.delete(ticket)) return void socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
    wss.handleUpgrade(request, socket, head, (client) => greet(client));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = (): number => (server.address() as AddressInfo).port;

  function greet(socket: WebSocket): void {
    const kept = { socket, open: true, deaf: false };
    sockets.push(kept);
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString("utf8")) as { envelope_id: string; payload: Json };
      acks.push({ envelope: frame.envelope_id, payload: frame.payload });
      waiting.get(frame.envelope_id)?.(frame.payload);
    });
    socket.on("close", () => (kept.open = false));
    socket.on("error", () => (kept.open = false));
    const pinging = setInterval(() => (kept.deaf ? undefined : socket.ping()), 10_000);
    pinging.unref();
    const live = sockets.filter((one) => one.open).length + ghosts;
    socket.send(
      JSON.stringify({
        type: "hello",
        num_connections: live,
        connection_info: { app_id: options.appAtSocket ?? appId },
        debug_info: { host: "fake", approximate_connection_time: 18_060 },
      }),
    );
  }

  const live = () => sockets.filter((one) => one.open && !one.deaf);

  /** Sends an envelope over one of the connections; answers what was acknowledged, null when nothing was in time. */
  async function deliver(
    type: string,
    payload: Json,
    given: { readonly envelope?: string; readonly times?: number; readonly patience?: number } = {},
  ) {
    const envelope = given.envelope ?? randomBytes(8).toString("hex");
    const acked = new Promise<Json | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), given.patience ?? 10_000);
      waiting.set(envelope, (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
    });
    const there = live();
    const frame = JSON.stringify({ envelope_id: envelope, type, payload, accepts_response_payload: true });
    for (let time = 0; time < (given.times ?? 1); time++)
      there[(count + time) % Math.max(1, there.length)]?.socket.send(frame);
    return await acked;
  }

  const origin = (user: string): Json => ({
    api_app_id: appId,
    token: "legacy",
    team: { id: team, domain: "fake" },
    enterprise: enterprise === undefined ? null : { id: enterprise },
    is_enterprise_install: false,
    user: {
      id: user,
      username: user.toLowerCase(),
      name: user.toLowerCase(),
      team_id: users.get(user)?.["team_id"] ?? team,
    },
  });

  /** A trigger as Slack hands one out with each press. */
  function trigger(user: string): string {
    const name = id("trigger.");
    triggers.set(name, { user, at: now(), used: false });
    return name;
  }

  /** What Slack sends when the user presses a button of a message. */
  function press(user: string, message: Pick<FakeMessage, "channel" | "ts" | "blocks">, label: string): Json {
    const tap = render(message.blocks).taps.find((one) => one.label === label);
    if (tap === undefined) throw new Error(`there is no ${label} on this message`);
    return {
      type: "block_actions",
      ...origin(user),
      channel: { id: message.channel, name: "approvals" },
      container: { type: "message", message_ts: message.ts, channel_id: message.channel, is_ephemeral: false },
      trigger_id: trigger(user),
      response_url: `http://127.0.0.1:${port()}/response`,
      actions: [
        {
          type: "button",
          action_id: tap.action,
          block_id: "b",
          value: tap.value,
          action_ts: "1.1",
          text: { type: "plain_text", text: label },
        },
      ],
    };
  }

  function pressInView(user: string, view: FakeView, label: string): Json {
    const message = { channel: "", ts: "", blocks: view.view["blocks"] };
    const { channel: _channel, ...rest } = press(user, message, label);
    return { ...rest, container: { type: "view", view_id: view.id }, view: viewIn(view) };
  }

  const viewIn = (view: FakeView, values: Json = {}): Json => ({
    ...view.view,
    id: view.id,
    team_id: team,
    app_id: appId,
    app_installed_team_id: team,
    hash: view.hash,
    state: { values },
  });

  /** `fields`: what stands in each input, text or the options that are picked. */
  function submission(
    user: string,
    view: FakeView,
    fields: { readonly [block: string]: string | readonly string[] } = {},
  ): Json {
    const values = Object.fromEntries(
      Object.entries(fields).map(([block, value]) => [
        block,
        {
          it:
            typeof value === "string"
              ? { type: "plain_text_input", value }
              : block === "preset"
                ? { type: "static_select", selected_option: { value: value[0] } }
                : { type: "checkboxes", selected_options: value.map((one) => ({ value: one })) },
        },
      ]),
    );
    return { type: "view_submission", ...origin(user), trigger_id: trigger(user), view: viewIn(view, values) };
  }

  const command = (user: string, text: string): Json => ({
    command: "/sallyport",
    text,
    api_app_id: appId,
    team_id: team,
    team_domain: "fake",
    channel_id: "C7",
    user_id: user,
    user_name: user.toLowerCase(),
    trigger_id: trigger(user),
    response_url: `http://127.0.0.1:${port()}/response`,
    is_enterprise_install: "false",
    ...(enterprise === undefined ? {} : { enterprise_id: enterprise }),
  });

  /** A submission changes what is open: Slack does with the answer what it says. */
  function applied(view: FakeView, reply: Json | null): void {
    const action = reply?.["response_action"];
    if (action === "update") Object.assign(view, { view: reply?.["view"], hash: hash() });
    else if (action === undefined && reply !== null) view.open = false;
  }

  return {
    apiUrl: `http://127.0.0.1:${port()}/api/`,
    keysUrl: `http://127.0.0.1:${port()}/openid/connect/keys`,
    team,
    users,
    channels,
    messages,
    ephemerals,
    views,
    calls,
    acks,
    scopes,
    press,
    pressInView,
    submission,
    command,
    deliver,
    idToken,
    /** The ID token that the next exchange answers with. */
    nextIdToken: (token: string) => void nextToken.push(token),
    trigger,
    /** A person logs in at Slack's own page for this state and nonce; answers the code that comes back. */
    authorize(user: string, nonce: string): string {
      const code = id("code");
      codes.set(code, { nonce, user, used: false });
      return code;
    },
    seen: (message: { readonly blocks: unknown }): Seen => render(message.blocks),
    seenView: (view: FakeView): Seen => render(view.view["blocks"]),
    /** Cards in a channel, not its threads. */
    cards: (channel = "C7") => messages.filter((one) => one.channel === channel && one.thread === null && !one.deleted),
    notes: (channel = "C7") => messages.filter((one) => one.channel === channel && one.thread !== null),
    /** How often this method has been answered, and not refused. */
    answered: (method: string) => answered.get(method) ?? 0,
    connected: () => live().length,
    /** Presses as a person does, over a socket; answers the acknowledgement. */
    click: (user: string, message: FakeMessage, label: string) => deliver("interactive", press(user, message, label)),
    async submit(user: string, view: FakeView, fields: { readonly [block: string]: string | readonly string[] } = {}) {
      const reply = await deliver("interactive", submission(user, view, fields));
      applied(view, reply);
      return reply;
    },
    type: (user: string, text: string) => deliver("slash_commands", command(user, text)),
    event: (event: Json) =>
      deliver("events_api", {
        type: "event_callback",
        api_app_id: appId,
        team_id: team,
        event_id: id("Ev"),
        event,
        authorizations: [{ team_id: team, enterprise_id: null }],
      }),
    trouble: (method: string, ...all: readonly Trouble[]) =>
      void troubles.set(method, [...(troubles.get(method) ?? []), ...all]),
    /** Every call of the method, of the method in one channel (`chat.postMessage C7`), or of all (`*`), goes wrong until it is lifted. */
    troubleUntilLifted: (method: string, trouble: Trouble) => void standing.set(method, trouble),
    lift() {
      standing.clear();
      troubles.clear();
    },
    ghosts: (there: number) => void (ghosts = there),
    refresh: (index: number, reason = "refresh_requested") =>
      live()[index]?.socket.send(JSON.stringify({ type: "disconnect", reason, debug_info: { host: "fake" } })),
    drop: (index: number) => live()[index]?.socket.terminate(),
    /** The other side hears nothing any more, and nothing closes. */
    halfOpen(index: number) {
      const kept = live()[index];
      if (kept === undefined) return;
      kept.deaf = true;
      kept.socket.pause();
    },
    /** Signs what is sent over HTTP, as Slack does; each part can be made wrong. */
    signed: (
      body: string,
      given: {
        readonly secret?: string;
        readonly at?: number;
        readonly type?: string;
        readonly version?: string;
        readonly signedBody?: string;
      } = {},
    ): Request => {
      const stamp = String(Math.floor((given.at ?? now() + shift) / 1000));
      const { version = "v0", secret = tokens.signing, type = "application/x-www-form-urlencoded" } = given;
      const mac = createHmac("sha256", secret)
        .update(`${version}:${stamp}:${given.signedBody ?? body}`)
        .digest("hex");
      return new Request("http://sallyport.example/slack", {
        method: "POST",
        headers: { "content-type": type, "x-slack-request-timestamp": stamp, "x-slack-signature": `${version}=${mac}` },
        body,
      });
    },
    form: (payload: Json): string => new URLSearchParams({ payload: JSON.stringify(payload) }).toString(),
    shift: (milliseconds: number) => void (shift = milliseconds),
    async stop() {
      for (const response of held) response.destroy();
      for (const { socket } of sockets) socket.terminate();
      wss.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string" || value === "") return [];
  return JSON.parse(value) as unknown;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
