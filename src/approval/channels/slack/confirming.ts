// Asks a Slack user whether they want the link that was begun for them, and hears their own press: the last step of a link (slack.md section 5, step 8).

import { textAt, type JsonObject } from "../../../domain/json.ts";
import type { Carrier, Confirmed, Links, Proposal } from "../../links.ts";
import * as blocks from "./blocks.ts";
import { ours, theirs, time, type Piece } from "./blocks.ts";
import type { Call } from "./call.ts";
import type { Console } from "./card.ts";
import { suspicious, type Gate } from "./gate.ts";
import type { Interaction } from "./wire.ts";
import { confirmWords, fixed, gateWords } from "./words.ts";

export interface ConfirmingOptions {
  readonly links: Links;
  readonly gate: Gate;
  /** Within two seconds. */
  readonly call: Call;
  /** The workspace of the configuration. */
  readonly team: string;
  readonly console: Console;
  readonly alert: (what: string, about: JsonObject) => void;
  readonly say: (sentence: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type Press = Extract<Interaction, { kind: "press" }>;

export interface Confirming {
  /** Sends the message with the button; null where Slack did not take it. */
  ask(proposal: Proposal, nonce: string): Promise<Carrier | null>;
  takes(action: string): boolean;
  pressed(press: Press): Promise<void>;
}

const actions = { yes: "sp.link", no: "sp.link.not-me" } as const;

export function openConfirming(options: ConfirmingOptions): Confirming {
  const { links, gate, call, team, console, alert, now } = options;

  async function pressed(press: Press): Promise<void> {
    const { origin, on } = press;
    if (on.kind !== "message") return alert("slack refused", { why: "not the message that asks", user: origin.user });
    // What Slack said of them a minute ago is not enough for what counts for 90 days.
    gate.forget(origin.user);
    const why = await gate.member(origin);
    if (why !== null) {
      if (suspicious.includes(why)) alert("slack refused", { why, user: origin.user, team: origin.team });
      return await whisper(on.channel, origin.user, gateWords(why, console));
    }
    // An ephemeral message is none of ours, whatever it is called.
    const carrier = { channel: on.channel, ts: on.ephemeral ? "" : on.ts };
    const slack = { team, user: origin.user };
    try {
      if (press.action === actions.no) return await refused(slack, press.value, carrier);
      await confirmed(await links.confirm(slack, press.value, carrier, now()), slack, carrier);
    } catch (thrown) {
      options.say(`A link could not be recorded (${thrown instanceof Error ? thrown.message : "unknown"}).`);
      await whisper(on.channel, origin.user, fixed.notRecorded);
    }
  }

  async function confirmed(became: Confirmed, slack: { readonly user: string }, at: Carrier): Promise<void> {
    switch (became.kind) {
      case "linked": {
        const { issuer, subject } = became.link;
        return await show(at, "Your Slack user was linked.", [
          [ours("Your Slack user now answers requests as "), theirs(subject), ours(" of "), theirs(issuer), ours(".")],
          [ours("If that is not what you want, tell whoever runs Sallyport at once.")],
        ]);
      }
      case "taken":
        alert("slack link refused", { why: "taken", user: slack.user });
        return await show(at, "Nothing was linked.", [[ours(confirmWords.taken)]]);
      case "expired":
        return await show(at, "Nothing was linked.", [[ours(confirmWords.expired)]]);
      case "other_user":
        alert("slack refused", { why: "another user's confirmation", user: slack.user });
        return await whisper(at.channel, slack.user, confirmWords.other);
      case "unknown":
        return await whisper(at.channel, slack.user, confirmWords.unknown);
    }
  }

  /** Somebody signed in to Slack as this person, who says that it was not them. */
  async function refused(slack: { readonly team: string; readonly user: string }, nonce: string, at: Carrier) {
    const proposal = await links.refuse(slack, nonce, at);
    if (proposal === null) return await whisper(at.channel, slack.user, confirmWords.unknown);
    const { issuer, subject, user } = proposal;
    alert("slack link refused", { why: "its Slack user says that it was not them", issuer, subject, user });
    await show(at, "Nothing was linked.", [[ours(confirmWords.refused)]]);
  }

  async function show({ channel, ts }: Carrier, text: string, lines: readonly (readonly Piece[])[]): Promise<void> {
    const called = await call("chat.update", { channel, ts, text, blocks: [blocks.lines(lines)] });
    if (called.kind !== "ok") options.say(`A message about a link could not be brought up to date (${called.kind}).`);
  }

  async function whisper(channel: string, user: string, text: string): Promise<void> {
    const called = await call("chat.postEphemeral", { channel, user, text, link_names: false, parse: "none" });
    if (called.kind !== "ok") options.say("Somebody in Slack could not be told why their press did nothing.");
  }

  return {
    takes: (action) => action === actions.yes || action === actions.no,
    pressed,
    async ask(proposal, nonce) {
      const opened = await call("conversations.open", { users: proposal.user });
      const channel = opened.kind === "ok" ? textAt(opened.reply, "channel", "id") : "";
      if (channel === "") return null;
      const message = question(proposal, nonce);
      const sent = await call("chat.postMessage", { channel, ...message, unfurl_links: false, link_names: false });
      const ts = sent.kind === "ok" ? textAt(sent.reply, "ts") : "";
      return ts === "" ? null : { channel, ts };
    },
  };
}

function question({ issuer, subject, until }: Proposal, nonce: string) {
  const lines = [
    [
      ours("Somebody who signed in to Slack as you wants this Slack user to answer requests for approval as "),
      theirs(subject, 200),
      ours(" of "),
      theirs(issuer, 200),
      ours("."),
    ],
    [
      ours("Confirm only if that was you, just now, and that account is yours. It can be confirmed until "),
      time(until),
    ],
  ];
  const taps = blocks.taps([
    { label: "Confirm", action: actions.yes, value: nonce, style: "primary" },
    { label: "That was not me", action: actions.no, value: nonce, style: "danger" },
  ]);
  return { text: "Is this Slack user to be linked?", blocks: [blocks.lines(lines), taps] };
}
