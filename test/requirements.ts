// Every promise that Sallyport makes, as data: an id, a sentence, where it comes from. Tests cite ids; an uncited or unknown id fails.

import { approval } from "./requirements/approval.ts";
import { clusters } from "./requirements/clusters.ts";
import { commands } from "./requirements/commands.ts";
import { credentials } from "./requirements/credentials.ts";
import { evals } from "./requirements/evals.ts";
import { faults } from "./requirements/faults.ts";
import { hostile } from "./requirements/hostile.ts";
import { identity } from "./requirements/identity.ts";
import { kubernetes } from "./requirements/kubernetes.ts";
import { masking } from "./requirements/masking.ts";
import { mcp } from "./requirements/mcp.ts";
import { pipeline } from "./requirements/pipeline.ts";
import { policy } from "./requirements/policy.ts";
import { practice } from "./requirements/practice.ts";
import { tools } from "./requirements/tools.ts";
import { transcript } from "./requirements/transcript.ts";

export interface Requirement {
  /** What holds, in one sentence. */
  readonly promise: string;
  /** The page, RFC or control that asks for it. */
  readonly source: string;
}

export const requirements = {
  ...approval,
  ...clusters,
  ...commands,
  ...credentials,
  ...evals,
  ...faults,
  ...hostile,
  ...identity,
  ...kubernetes,
  ...masking,
  ...mcp,
  ...pipeline,
  ...policy,
  ...practice,
  ...tools,
  ...transcript,
} satisfies Record<string, Requirement>;

export type PromiseId = keyof typeof requirements;
