// The one exit: whatever leaves the gateway has passed a call's masker, which fails closed.

import { setImmediate as immediate } from "node:timers/promises";
import { fault, Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { Masked, MaskedOutput, Output } from "../domain/output.ts";
import type { Session } from "../domain/principal.ts";
import type { Hidden } from "./base64.ts";
import { cellText, maskedBlock, sentence, type Passes } from "./blocks.ts";
import { rememberFields, type Field } from "./fields.ts";
import { keyRules } from "./keys.ts";
import { formats as known } from "./formats-table.ts";
import { neutralise } from "./neutral.ts";
import { speakingTexts } from "./speaking.ts";
import { walker, type Walk } from "./objects.ts";
import { contentOf } from "./opened.ts";
import { maskedIn } from "./places.ts";
import { defaultProfile, together, type Profile } from "./profile.ts";
import { newRoom, written, writtenInPieces, type Room, type Write } from "./spans.ts";
import { maskLong, streamMasker, type StreamMasker } from "./stream.ts";
import type { Tag } from "./tags.ts";
import { secretFinder, type FindSecrets } from "./text.ts";
import { minter, sessionTags, tokensIn, type MaskType } from "./token.ts";

/** Masks for one call. Every method throws Faulted(output_withheld) where anything goes wrong inside: nothing leaves unmasked. */
export interface CallMasker {
  /** A Kubernetes object, List, Status or Table as it came from the cluster, masked by structure. */
  object(value: JsonObject): JsonObject;
  /** One Table cell, as a field named by its column. */
  cell(column: string, text: string): string;
  /** Free text: logs, messages. */
  text(text: string): string;
  /** Free text of any length, window by window: others run in between. */
  long(text: string): Promise<string>;
  /** Free text as it arrives: any chunking, same output. */
  stream(): StreamMasker;
  /** Free text that came in pieces, masked as one: as many pieces again, which joined are its text masked whole. What is hidden over several stands in the last of them. */
  pieces(pieces: readonly string[]): readonly MaskedPiece[];
  /** Arguments and other JSON, by key names and content. */
  json(value: JsonObject): JsonObject;
  /** The last pass over every string of an output, and its neutralising. Tokens that stand already stay as they are. */
  output(output: Output): MaskedOutput;
  /** What this call has masked so far, by type. */
  masked(): readonly Masked[];
}

/** A piece of a masked text, and what is masked in it. */
export interface MaskedPiece {
  readonly text: string;
  readonly masked: readonly Masked[];
}

export interface Masking {
  /**
   * `supplied`: the arguments that the caller sent; what stands in them is masked without a tag. `also`: names of
   * profiles that hide besides the configured one. Throws Faulted(output_withheld) where one of them is not there.
   */
  forCall(session: Session, supplied: Json, also?: readonly string[]): CallMasker;
}

export interface MaskingOptions {
  /** The gateway's masking key, 32 bytes; each session's is derived from it. */
  readonly key: Uint8Array;
  /** What is hidden besides the built-in structure, names and formats; `defaultProfile` without it. */
  readonly profile?: Profile;
  /** Those that policy may ask for besides, by name. */
  readonly profiles?: ReadonlyMap<string, Profile>;
  /** The engine of that profile where it is open already: compiling one takes a while. */
  readonly engine?: Engine;
}

/** Opens masking: compiles the formats of each combination of profiles once for all calls. */
export function openMasking(options: MaskingOptions): Masking {
  const { key, profile = defaultProfile, profiles = new Map<string, Profile>() } = options;
  const engines = new Map<string, Engine>([["", options.engine ?? openEngine(profile)]]);
  const tagOf = sessionTags(key);
  function engineWith(also: readonly string[]): Engine {
    const named = [...new Set(also)].sort();
    const known = engines.get(named.join(" "));
    if (known !== undefined) return known;
    const more = named.map((name) => {
      const found = profiles.get(name);
      // Policies that name another don't load: to go on without it would show what its author meant to hide.
      if (found === undefined) throw new Faulted(fault("output_withheld", {}, `no masking profile ${name}`));
      return found;
    });
    const opened = openEngine(together([profile, ...more]));
    engines.set(named.join(" "), opened);
    return opened;
  }
  return {
    forCall: (session, supplied, also = []) => callMasker(engineWith(also), () => tagOf(session.id), supplied),
  };
}

export interface Engine {
  readonly find: FindSecrets;
  readonly walkWith: (write: Write, room: Room) => Walk;
  readonly remember: (name: string) => Field | undefined;
}

/** The finder and the walker over it, which open each other's encodings. */
export function openEngine(profile: Profile): Engine {
  const remember = rememberFields();
  const walkWith: Engine["walkWith"] = (write, room) => walker({ find, remember, keys, write, room });
  const find: FindSecrets = secretFinder(
    { ...profile, formats: [...known, ...profile.formats] },
    remember,
    (bytes, depth, room) => {
      const content = contentOf(bytes);
      switch (content.kind) {
        case "dull":
          return { hidden: undefined, work: bytes.length };
        case "hidden":
          return { hidden: content.hidden, work: bytes.length };
        case "text":
          return hiddenIn(content.text, depth, room);
      }
    },
  );

  const keys = keyRules(find, remember);

  /** What a decoded text hides: its one secret where that is all of it, else only that there is one. */
  function hiddenIn(text: string, depth: number, room: Room): { hidden: Hidden | undefined; work: number } {
    const { spans, work } = find(text, true, depth, room);
    const first = spans[0];
    if (first !== undefined) {
      const alone = spans.length === 1 && first.end - first.start === text.trim().length;
      return { hidden: { type: first.type, value: alone ? first.value : undefined }, work };
    }
    let type: MaskType | undefined;
    const walk = walkWith((found) => {
      type ??= found;
      return "[MASKED:secret]";
    }, room);
    const marker = { text };
    const walked = walk(marker, { depth });
    return {
      hidden: walked === marker ? undefined : { type: type ?? "secret", value: undefined },
      work: work + text.length,
    };
  }

  return { find, walkWith, remember };
}

function callMasker(engine: Engine, tag: () => Tag, supplied: Json): CallMasker {
  const mint = minter(tag, supplied);
  const write: Write = (type, value) => mint.token(type, value);
  const room = newRoom();
  // Made at the first use, where whatever goes wrong withholds what was to be masked.
  let made: Walk | undefined;
  const walk: Walk = (...given) => (made ??= engine.walkWith(write, room))(...given);
  const text = (given: string): string => written(given, engine.find(given, false, 0, room).spans, write);
  const passes: Passes = { text, walk, remember: engine.remember };
  const whole = (value: JsonObject): JsonObject => {
    const masked = walk(value);
    if (!isJsonObject(masked)) throw new TypeError("an object was masked to something else");
    return masked;
  };
  return {
    object: closed("object", whole),
    cell: closed("cell", (column: string, given: string) => cellText(passes, column, given)),
    text: closed("text", text),
    long: closedLater("text", (given: string) => maskLong(given, streamMasker(engine.find, write, room), immediate)),
    stream() {
      const stream = streamMasker(engine.find, write, room);
      const push = (piece: string | Uint8Array): string => stream.push(piece);
      return { push: closed("stream", push), end: closed("stream", () => stream.end()) };
    },
    pieces: closed("stream", (given: readonly string[]) => {
      const all = given.join("");
      return writtenInPieces(given, all, engine.find(all, false, 0, room).spans, write).map((one) => ({
        text: one,
        masked: tokensIn(one),
      }));
    }),
    json: closed("json", whole),
    output: closed("output", (output: Output) => maskedOutput(output, passes)),
    masked: () => mint.masked(),
  };
}

/** Fails closed. The cause names the place and the error's class alone: an error's message may quote what it choked on. */
function closed<Arguments extends readonly unknown[], Result>(
  place: string,
  mask: (...given: Arguments) => Result,
): (...given: Arguments) => Result {
  return (...given) => {
    try {
      return mask(...given);
    } catch (error) {
      throw withheld(place, error);
    }
  };
}

function closedLater(place: string, mask: (given: string) => Promise<string>): (given: string) => Promise<string> {
  return async (given) => {
    try {
      return await mask(given);
    } catch (error) {
      throw withheld(place, error);
    }
  };
}

function withheld(place: string, error: unknown): Faulted {
  const name = error instanceof Error ? error.name : typeof error;
  return new Faulted(fault("output_withheld", {}, `masking of ${place} failed: ${name}`));
}

/** The only minter of MaskedOutput. */
function maskedOutput(output: Output, passes: Passes): MaskedOutput {
  let escaped = 0;
  const clean = (text: string): string => {
    const neutral = neutralise(text);
    escaped += neutral.escaped;
    return neutral.text;
  };
  const shows = { clean, shown: (text: string): string => clean(passes.text(text)) };
  const { headline, blocks, facts, untrusted, maxBytes } = output;
  const shown: Pick<Output, "headline" | "blocks"> = {
    headline: sentence(headline, shows.shown),
    blocks: blocks.map((block) => maskedBlock(block, passes, shows)),
  };
  const addressed = speakingTexts(shown);
  const masked: Output = {
    ...shown,
    facts: facts.cut === undefined ? facts : { ...facts, cut: shows.shown(facts.cut) },
    // Whoever wrote to an AI is a stranger, wherever it stood.
    untrusted: untrusted || addressed > 0,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
  const noted = { ...(escaped === 0 ? {} : { escaped }), ...(addressed === 0 ? {} : { addressed }) };
  return { ...masked, masked: maskedIn(masked), ...noted } as MaskedOutput;
}
