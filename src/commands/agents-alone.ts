// Agents' accounts where no gateway runs: the command takes the state folder's lock itself, and writes entry and account as the gateway would.

import { fault, Faulted } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import type { SessionId } from "../domain/ids.ts";
import { openMasking } from "../masking/mask.ts";
import { takeLock } from "../owner/lock.ts";
import { openAccounts } from "../wiring/accounts.ts";
import { agentMethods } from "../wiring/agent-methods.ts";
import { openState } from "../wiring/state.ts";
import { identitiesOf, operatorOf } from "./agent-identities.ts";
import { CommandFailed, type Io } from "./io.ts";
import { readSetting } from "./setting.ts";

/** One method of `agents.*`; null where somebody else has the lock just now. Faults: those of the method; of the state folder. */
export async function answerAlone(io: Io, method: string, params: JsonObject): Promise<JsonObject | null> {
  const { token, ...rest } = params;
  if (token !== undefined) throw new Faulted(fault("denied"));
  const setting = await readSetting(io, undefined);
  const taken = await takeLock(setting.folder, io.uid);
  if (taken.kind === "refused") throw new CommandFailed(taken.sentence);
  if (taken.kind === "busy") return null;
  try {
    const { config, policy, digest, masking, folder } = setting;
    const { now, random } = io;
    const gateway = { version: io.version, config: digest, policy: policy.digest };
    const say = (sentence: string): void => io.err(`${sentence}\n`);
    const disk = io.disk === undefined ? {} : { disk: io.disk };
    const state = await openState({ folder, gateway, now, random, say, seal: config.transcript.bodies, ...disk });
    const accounts = openAccounts({
      file: state.accounts,
      append: state.transcript.append,
      now,
      broke: () => undefined,
    });
    const words = openMasking({ key: state.keys.masking, ...masking });
    try {
      const methods = agentMethods({
        accounts,
        by: operatorOf(io.user),
        // Nothing runs where no gateway does; what waits for a person is found disabled when it is approved.
        end: async () =>
          await Promise.resolve({ calls: [], withdrawn: [], sessions: 0, milliseconds: 0, recorded: true }),
        ...identitiesOf(config),
        reviewDays: config.agents.reviewDays,
        mask: (text) => words.forCall({ id: "ses_agents" as SessionId, door: "socket" }, {}).text(text),
        now,
      });
      if (!Object.hasOwn(methods, method)) throw new Error(`${method} is no method of agents`);
      return await methods[method as keyof typeof methods](rest);
    } finally {
      await accounts.close();
      await state.store.close();
      await state.transcript.close();
    }
  } finally {
    taken.lock.release();
  }
}
