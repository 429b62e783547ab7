// The console of a served gateway, as a person's browser uses it: an address that is known before the gateway has a port, sign-in, pages and buttons, by HTTP alone.

import { connect, createServer, type AddressInfo } from "node:net";
import type { Issuer } from "../support/issuer.ts";

export interface Front {
  /** Where the configuration says that the console is. */
  readonly origin: string;
  /** Where the gateway listens, once it does; it may listen elsewhere after a restart. */
  leadTo(url: () => string): void;
  close(): void;
}

export async function openFront(): Promise<Front> {
  let target = (): string => {
    throw new Error("the gateway does not listen yet");
  };
  const server = createServer((socket) => {
    const there = connect(Number(new URL(target()).port), "127.0.0.1");
    socket.pipe(there).pipe(socket);
    socket.on("error", () => there.destroy());
    there.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (url) => void (target = url),
    close: () => void server.close(),
  };
}

/** A public client of the issuer for that console. */
export const consoleClient = (origin: string, id = "console"): object => ({
  client_id: id,
  grant_types: ["authorization_code"],
  redirect_uris: [`${origin}/console/callback`],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
});

export const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((one) => one.split(";")[0] ?? "")
    .filter((one) => !one.endsWith("="))
    .join("; ");

export interface Visitor {
  readonly cookie: string;
  get(path: string): Promise<Response>;
  text(path: string): Promise<string>;
  /** Sends a form to a path of the console, with the token of the page that has it. */
  send(page: string, path: string, fields?: Record<string, string>): Promise<Response>;
  /** Presses a button on a request's page, or what it would send for that digest where there is none: the status, and what the next page says. */
  answer(
    id: string,
    answer: "approve" | "reject",
    with_?: { readonly reason?: string; readonly digest?: string },
  ): Promise<{ status: number; says: string }>;
}

/** Signs in; what they may see and answer is the gateway's to say. */
export async function visit(origin: string, issuer: Issuer, person: string): Promise<Visitor> {
  const fetched = async (path: string, cookie: string, more: RequestInit = {}): Promise<Response> =>
    await fetch(`${origin}${path}`, { redirect: "manual", ...more, headers: { cookie, origin } });
  const begun = await fetched("/console/sign-in", "");
  const back = await issuer.signIn(begun.headers.get("location") ?? "", person);
  const cookie = cookieOf(await fetched(`${back.pathname}${back.search}`, cookieOf(begun)));
  const get = async (path: string): Promise<Response> => await fetched(path, cookie);
  const text = async (path: string): Promise<string> => await (await get(path)).text();
  async function send(page: string, path: string, fields: Record<string, string> = {}): Promise<Response> {
    const csrf = fieldIn(page, "csrf");
    return await fetched(path, cookie, { method: "POST", body: new URLSearchParams({ csrf, ...fields }) });
  }
  return {
    cookie,
    get,
    text,
    send,
    async answer(id, answer, { reason = "", digest: known } = {}) {
      const page = await text(`/console/requests/${id}`);
      const digest = known ?? fieldIn(page, "digest");
      const response = await send(page, `/console/requests/${id}/${answer}`, { digest, reason });
      return { status: response.status, says: noticeIn(await response.text()) };
    },
  };
}

const fieldIn = (page: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]+)"`).exec(page)?.[1] ?? "";

/** The page's own sentence on what became of an answer, or why there is no button. */
export const noticeIn = (page: string): string =>
  /<p class="notice[^"]*"[^>]*>([^<]*)</.exec(page)?.[1]?.replaceAll("&#39;", "'") ?? "";
