// Every promise that Sallyport makes, as data: an id, a sentence, where it comes from. Tests cite ids; an uncited or unknown id fails.

import { accounts } from "./requirements/accounts.ts";
import { anchoring } from "./requirements/anchoring.ts";
import { approval } from "./requirements/approval.ts";
import { bundle } from "./requirements/bundle.ts";
import { clients } from "./requirements/clients.ts";
import { clusters } from "./requirements/clusters.ts";
import { console } from "./requirements/console.ts";
import { commands } from "./requirements/commands.ts";
import { credentials } from "./requirements/credentials.ts";
import { door } from "./requirements/door.ts";
import { evals } from "./requirements/evals.ts";
import { evidence } from "./requirements/evidence.ts";
import { exporting } from "./requirements/exporting.ts";
import { faults } from "./requirements/faults.ts";
import { fetch } from "./requirements/fetch.ts";
import { hostile } from "./requirements/hostile.ts";
import { identity } from "./requirements/identity.ts";
import { kubernetes } from "./requirements/kubernetes.ts";
import { masking } from "./requirements/masking.ts";
import { mcp } from "./requirements/mcp.ts";
import { pipeline } from "./requirements/pipeline.ts";
import { policy } from "./requirements/policy.ts";
import { practice } from "./requirements/practice.ts";
import { telemetry } from "./requirements/telemetry.ts";
import { slack } from "./requirements/slack.ts";
import { tools } from "./requirements/tools.ts";
import { transcript } from "./requirements/transcript.ts";

export interface Requirement {
  /** What holds, in one sentence. */
  readonly promise: string;
  /** The page, RFC or control that asks for it. */
  readonly source: string;
}

export const requirements = {
  ...accounts,
  ...anchoring,
  ...approval,
  ...bundle,
  ...clients,
  ...clusters,
  ...commands,
  ...console,
  ...credentials,
  ...door,
  ...evals,
  ...evidence,
  ...exporting,
  ...faults,
  ...fetch,
  ...hostile,
  ...identity,
  ...kubernetes,
  ...masking,
  ...mcp,
  ...pipeline,
  ...policy,
  ...practice,
  ...telemetry,
  ...slack,
  ...tools,
  ...transcript,
} satisfies Record<string, Requirement>;

export type PromiseId = keyof typeof requirements;
