// What Slack sends when a person presses, submits or types: read strictly, and nothing of it believed beyond who and where.

import * as z from "zod";

const id = z.string().min(1).max(64);
const holder = z.object({ id }).nullish();

const common = {
  api_app_id: id,
  team: holder,
  enterprise: holder,
  is_enterprise_install: z.union([z.boolean(), z.stringbool()]).default(false),
  user: z.object({ id, team_id: id.optional() }),
};

const press = z.object({
  ...common,
  type: z.literal("block_actions"),
  trigger_id: z.string().max(500),
  container: z.union([
    z.object({ type: z.literal("message"), channel_id: id, message_ts: id, is_ephemeral: z.boolean().default(false) }),
    z.object({ type: z.literal("view"), view_id: id }),
  ]),
  channel: holder,
  // Bolt routes by the first action alone: a second one would ride along unseen.
  actions: z
    .array(z.object({ type: z.literal("button"), action_id: z.string().max(255), value: z.string().max(2000) }))
    .length(1),
});

const view = z.object({
  id,
  callback_id: z.string().max(255),
  private_metadata: z.string().max(3000),
  app_id: id,
  app_installed_team_id: id.optional(),
});

const picked = z.object({
  value: z.string().max(3000).nullish(),
  selected_option: z.object({ value: z.string().max(150) }).nullish(),
  selected_options: z.array(z.object({ value: z.string().max(150) })).nullish(),
});

const submission = z.object({
  ...common,
  type: z.literal("view_submission"),
  view: view.extend({
    state: z.object({ values: z.record(z.string(), z.record(z.string(), picked)) }).default({ values: {} }),
  }),
});

const closing = z.object({ ...common, type: z.literal("view_closed"), view });

const command = z.object({
  api_app_id: id,
  team_id: id,
  enterprise_id: id.optional(),
  is_enterprise_install: z.union([z.boolean(), z.stringbool()]).default(false),
  user_id: id,
  command: z.string().max(100),
  text: z.string().max(3000).default(""),
});

/** Who sent it, from where: all of it is Slack's word, none of it is the person's. */
export interface Origin {
  readonly appId: string;
  /** null: an installation for a whole organisation. */
  readonly team: string | null;
  readonly enterprise: string | null;
  readonly enterpriseInstall: boolean;
  readonly user: string;
  /** The workspace that the person is at home in, where Slack says it. */
  readonly userTeam: string | null;
  /** The workspace that a view was opened in, where Slack says it. */
  readonly viewTeam: string | null;
}

export type Interaction = { readonly origin: Origin } & (
  | {
      readonly kind: "press";
      readonly action: string;
      readonly value: string;
      readonly trigger: string;
      readonly on:
        | { readonly kind: "message"; readonly channel: string; readonly ts: string; readonly ephemeral: boolean }
        | { readonly kind: "view"; readonly view: string };
    }
  | {
      readonly kind: "submit";
      readonly view: string;
      readonly callback: string;
      readonly metadata: string;
      readonly app: string;
      /** By block: the text that was typed or the options that were picked. */
      readonly fields: { readonly [block: string]: readonly string[] };
    }
  | { readonly kind: "close"; readonly view: string }
  | { readonly kind: "command"; readonly command: string; readonly text: string }
);

/** What was sent, or null where it is none of the shapes that Sallyport asks Slack for. */
export function readInteraction(body: unknown): Interaction | null {
  const type = z.object({ type: z.string() }).safeParse(body);
  switch (type.success ? type.data.type : "") {
    case "block_actions":
      return pressOf(press.safeParse(body));
    case "view_submission":
      return submissionOf(submission.safeParse(body));
    case "view_closed": {
      const read = closing.safeParse(body);
      return read.success ? { kind: "close", view: read.data.view.id, origin: originOf(read.data) } : null;
    }
    case "":
      return commandOf(command.safeParse(body));
  }
  return null;
}

type Parsed<T> = { readonly success: true; readonly data: T } | { readonly success: false };

function pressOf(read: Parsed<z.output<typeof press>>): Interaction | null {
  if (!read.success) return null;
  const { container, actions, channel, trigger_id: trigger } = read.data;
  const [action] = actions;
  if (action === undefined) return null;
  const shared = { kind: "press", action: action.action_id, value: action.value, trigger } as const;
  const origin = originOf(read.data);
  if (container.type === "view") return { ...shared, origin, on: { kind: "view", view: container.view_id } };
  // Slack says the channel twice; two answers are none.
  if (channel != null && channel.id !== container.channel_id) return null;
  const { channel_id, message_ts: ts, is_ephemeral: ephemeral } = container;
  return { ...shared, origin, on: { kind: "message", channel: channel_id, ts, ephemeral } };
}

function submissionOf(read: Parsed<z.output<typeof submission>>): Interaction | null {
  if (!read.success) return null;
  const { id: opened, callback_id: callback, private_metadata: metadata, app_id: app, state } = read.data.view;
  const fields = Object.fromEntries(
    Object.entries(state.values).map(([block, actions]) => [
      block,
      Object.values(actions).flatMap(({ value, selected_option, selected_options }) => [
        ...(value == null ? [] : [value]),
        ...(selected_option == null ? [] : [selected_option.value]),
        ...(selected_options ?? []).map((one) => one.value),
      ]),
    ]),
  );
  return { kind: "submit", view: opened, callback, metadata, app, fields, origin: originOf(read.data) };
}

function commandOf(read: Parsed<z.output<typeof command>>): Interaction | null {
  if (!read.success) return null;
  const { api_app_id: appId, team_id: team, enterprise_id: enterprise = null, user_id: user } = read.data;
  const origin: Origin = {
    appId,
    team,
    enterprise,
    enterpriseInstall: read.data.is_enterprise_install,
    user,
    userTeam: null,
    viewTeam: null,
  };
  return { kind: "command", command: read.data.command, text: read.data.text, origin };
}

function originOf(
  read: z.output<z.ZodObject<typeof common>> & { view?: { app_installed_team_id?: string | undefined } },
): Origin {
  return {
    appId: read.api_app_id,
    team: read.team?.id ?? null,
    enterprise: read.enterprise?.id ?? null,
    enterpriseInstall: read.is_enterprise_install,
    user: read.user.id,
    userTeam: read.user.team_id ?? null,
    viewTeam: read.view?.app_installed_team_id ?? null,
  };
}

/** What a button carries: a request's id and the nonce of the card that it stands on. Nothing else is ever in it. */
export function valueOf(id: string, nonce: string): string {
  return `${id}.${nonce}`;
}

export function readValue(value: string): { readonly id: string; readonly nonce: string } | null {
  const read = /^([a-z]{3}_[0-9a-f-]{36})\.([0-9a-f]{32})$/.exec(value);
  return read?.[1] === undefined || read[2] === undefined ? null : { id: read[1], nonce: read[2] };
}
