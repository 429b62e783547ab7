// What an eval task is: a set-up on a real cluster, the ideal calls of an agent, and what the cluster must be like afterwards.

import type { JsonObject } from "../../src/domain/json.ts";
import type { PodStage } from "../cluster/kwok.ts";
import type { Answer } from "../support/world.ts";
import type { Place } from "./place.ts";

export interface Task {
  /** Its number in tools.md, section 7. */
  readonly number: number;
  readonly title: string;
  /** What the user asks the agent. */
  readonly prompt: string;
  /** How many calls tools.md counts for it. */
  readonly ideal: number;
  /** Its set-up takes long, so it begins before the others. */
  readonly long?: true;
  /** Label of its namespace; `dev` where it is left out. */
  readonly environment?: "dev" | "prod";
  /** Who answers requests for approval: somebody at once, or only when the task says so. Nobody where it is left out. */
  readonly person?: "at once" | "when told";
  /** What pods of its namespace do instead of becoming ready. */
  readonly stages?: readonly PodStage[];
  /** Nodes and pods that are compared before and after too, by their path. */
  readonly beside?: readonly string[];
  /** What a request for approval of this task names on its card; its namespace where it is left out. */
  readonly about?: string;
  /** Containers whose log the set-up writes. */
  readonly logs?: readonly string[];
  /** Makes what is asked about, and returns once it stands as it should. */
  setUp(place: Place): Promise<void>;
  /** The ideal calls. Names that the prompt does not say are taken from the answers, as an agent would read them. */
  play(agent: Agent, place: Place): Promise<void>;
  /** Each difference in the namespace's objects, as `substance.ts` writes them: all of them, and no other. */
  readonly changed?: readonly (string | RegExp)[];
  /** Differences that a controller may have made by then. */
  readonly mayChange?: readonly RegExp[];
  /** What was written under the agent's grants, previews aside: `patch deployments/api`, with names drawn by lot as `*`. */
  readonly wrote?: readonly string[];
  /** Further looks at the cluster, with the admin's own token. */
  check?(place: Place): Promise<void>;
}

export interface Agent {
  /** A call that must succeed. */
  call(tool: string, arguments_: JsonObject): Promise<Answer>;
  /** A call that must be refused or fail with this code. */
  refused(tool: string, arguments_: JsonObject, code: string): Promise<Answer>;
  readonly person: {
    /** Waits for the request that is open in this task and answers it. */
    approves(): Promise<void>;
    refuses(why: string): Promise<void>;
  };
}

/** Why a task did not pass. */
export class EvalFailed extends Error {}

/** What the answer says: the pattern's first group, or all that matched. Throws where it does not say it. */
export function says(answer: Answer, pattern: RegExp): string {
  const match = pattern.exec(answer.text);
  if (match === null) throw new EvalFailed(`an answer does not say ${String(pattern)}:\n${answer.text}`);
  return match[1] ?? match[0];
}

export function saysNot(answer: Answer, pattern: RegExp): void {
  if (pattern.test(answer.text)) throw new EvalFailed(`an answer says ${String(pattern)}:\n${answer.text}`);
}

/** Throws unless it holds. */
export function holds(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new EvalFailed(otherwise);
}
