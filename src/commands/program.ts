// The command line: every command by name, each loaded only when it is the one.

import { Command } from "commander";
import type { JsonObject } from "../domain/json.ts";
import { Faulted, type Fault } from "../domain/fault.ts";
import { isJsonObject, textAt } from "../domain/json.ts";
import { connectOwner, type Connected, type OwnerClient } from "../owner/client.ts";
import { nearest } from "../policy/nearest.ts";
import { CommandFailed, sentenceOf, stateFolder, type Io } from "./io.ts";

const examples = `
With no command Sallyport is an MCP server on standard input and output.

Examples:
  $ sallyport                                      serve one MCP client on stdio
  $ sallyport serve --http                         serve on loopback HTTP, with the tokens of sallyport.yaml
  $ sallyport doctor                               what works, what is missing
  $ sallyport enroll --context prod --namespace shop --print
  $ sallyport approvals list
  $ sallyport transcript verify
`;

/** Builds the command line. The commands' own files are imported only when they run, so that stdio answers at once. */
export function program(io: Io): Command {
  const sallyport = new Command("sallyport")
    .description(
      "Typed Kubernetes tools for AI agents, under governance: decided, approved, masked and provably recorded.",
    )
    .version(io.version, "-V, --version", "print the version")
    .addHelpText("after", examples)
    .showSuggestionAfterError()
    .showHelpAfterError("(sallyport --help lists the commands)")
    .enablePositionalOptions()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err });

  sallyport
    .command("serve", { isDefault: true })
    .description("run the gateway for one MCP client on stdio, or with --http on loopback")
    .option("--config <path>", "sallyport.yaml (default: in the state folder)")
    .option("--http", "listen on loopback HTTP instead of stdio")
    .option("--port <number>", "the port to listen on (default: the configuration's, else a free one)", portOf)
    .allowExcessArguments()
    .action(async (options: { config?: string; http?: boolean; port?: number }, serving: Command) => {
      // The default command gets every word that names none.
      const [unknown] = serving.args;
      if (unknown !== undefined) throw noSuchCommand(sallyport, unknown);
      const { serve } = await import("./serve.ts");
      await serve(io, { ...options, http: options.http ?? false });
    });

  lazy(sallyport, "approvals", "see and answer requests for approval", async () =>
    (await import("./approvals.ts"))
      .approvalsCommand(io, ownerOf(io))
      .addCommand(
        (await import("./approvals-stats.ts")).approvalStatsCommand(io, (await import("./on-record.ts")).onRecord(io)),
      ),
  );
  lazy(sallyport, "calls", "see and cancel calls that run on, such as drains", async () =>
    (await import("./calls.ts")).callsCommand(io, ownerOf(io)),
  );
  lazy(sallyport, "agents", "register, review and disable agents, and see how each stands", async () =>
    (await import("./agents.ts")).agentsCommand(
      io,
      ownerOf(io, async (method, params) => await (await import("./agents-alone.ts")).answerAlone(io, method, params)),
    ),
  );
  lazy(sallyport, "slack", "say what is missing in the Slack workspace's set-up, and who is linked", async () =>
    (await import("./links.ts")).addLinks((await import("./slack.ts")).slackCommand(io), io, ownerOf(io)),
  );
  lazy(sallyport, "transcript", "read and verify the record", async () => {
    const [
      { transcriptCommand },
      { onRecord },
      { rotateKeyCommand },
      { purgeCommand },
      { auditorCommands },
      { holdCommand },
      { handingOut },
      { anchorCommands },
    ] = await Promise.all([
      import("./transcript.ts"),
      import("./on-record.ts"),
      import("./transcript-proofs.ts"),
      import("./transcript-purge.ts"),
      import("./transcript-auditor.ts"),
      import("./transcript-hold.ts"),
      import("./transcript-bundle.ts"),
      import("./transcript-anchor.ts"),
    ]);
    const noted = onRecord(io);
    const transcript = transcriptCommand(io, noted, handingOut(io, noted));
    const own = [
      rotateKeyCommand(io),
      purgeCommand(io),
      holdCommand(io, noted),
      ...auditorCommands(io),
      ...anchorCommands(io),
    ];
    for (const one of own) transcript.addCommand(one);
    return transcript;
  });
  lazy(sallyport, "evidence", "report what the record shows for controls of NIST SP 800-53", async () =>
    (await import("./evidence.ts")).evidenceCommand(io, (await import("./on-record.ts")).onRecord(io)),
  );
  lazy(sallyport, "policy", "check and test policies, list the forbids", async () =>
    (await import("./policy.ts")).policyCommand(io, (await import("./on-record.ts")).onRecord(io)),
  );
  lazy(sallyport, "config", "print what an MCP client needs, check sallyport.yaml, print its schema", async () =>
    (await import("./config.ts")).configCommand(io),
  );
  lazy(sallyport, "enroll", "install Sallyport's accounts and fences in a cluster", async () =>
    (await import("./enroll.ts")).enrollCommand(io, ...(await clustersOf(io))),
  );
  lazy(sallyport, "unenroll", "take them away again", async () =>
    (await import("./enroll.ts")).unenrollCommand(io, ...(await clustersOf(io))),
  );
  lazy(sallyport, "mask", "show what would be masked in a text, and why", async () =>
    (await import("./mask.ts")).maskCommand(io),
  );
  lazy(sallyport, "doctor", "say what works and what is missing", async () =>
    (await import("./doctor.ts")).doctorCommand(io),
  );
  lazy(sallyport, "completion", "print a completion script for bash, zsh or fish", async () =>
    (await import("./completion.ts")).completionCommand(io),
  );
  sallyport
    .command("help")
    .description("display help for command")
    .argument("[command...]")
    .action(async (named: string[]) => {
      const [first] = named;
      if (first !== undefined && !sallyport.commands.some((command) => command.name() === first))
        throw noSuchCommand(sallyport, first);
      await sallyport.parseAsync([...named, "--help"], { from: "user" });
    });
  return sallyport;
}

function noSuchCommand(sallyport: Command, word: string): CommandFailed {
  const known = sallyport.commands.map((command) => command.name());
  const near = nearest(word, known);
  const meant = near === undefined ? "" : ` Did you mean ${near}?`;
  return new CommandFailed(
    `There is no command ${JSON.stringify(word.slice(0, 40))}.${meant} sallyport --help lists them.`,
    2,
  );
}

async function clustersOf(io: Io) {
  const { connectWith, listedIn } = await import("./clusters.ts");
  return [connectWith(io), listedIn(io)] as const;
}

/** A command whose file is loaded when it is called: its own help and options come with it. */
function lazy(parent: Command, name: string, says: string, load: () => Promise<Command>): void {
  parent
    .command(name)
    .description(says)
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .passThroughOptions()
    .argument("[words...]")
    .action(async (words: string[]) => {
      const loaded = await load();
      loaded.exitOverride().configureOutput({
        writeOut: (text) => parent.configureOutput().writeOut?.(text),
        writeErr: (text) => parent.configureOutput().writeErr?.(text),
      });
      loaded.name(`sallyport ${name}`);
      await loaded.parseAsync(words, { from: "user" });
    });
}

type CallOwner = (method: string, params: JsonObject) => Promise<JsonObject>;

/** Answers where no owner runs; null where somebody has the folder all the same: a gateway that starts or ends, another command. */
type AnswerAlone = (method: string, params: JsonObject) => Promise<JsonObject | null>;

/** Milliseconds between two looks for whoever has the folder, and how many. */
const between = 100;
const looks = 100;

/**
 * The owner process of the state folder, connected at the first call. `SALLYPORT_TOKEN_FILE` names the bearer token of
 * whoever answers. Without `alone` there is no answer where no owner runs.
 */
function ownerOf(io: Io, alone?: AnswerAlone): { readonly call: CallOwner } {
  return {
    async call(method: string, params: JsonObject): Promise<JsonObject> {
      const folder = stateFolder(io.env);
      for (let look = 0; look < looks; look++) {
        const connected = await connectOwner({ folder, uid: io.uid, version: io.version });
        if (connected.kind !== "absent" || alone === undefined) return await answered(connected, method, params);
        const own = await answeredAlone(alone, method, params);
        if (own !== null) return own;
        await io.pause(between);
      }
      throw new CommandFailed(`A Sallyport is starting or ending on ${folder}: try again in a moment.`);
    },
  };

  async function answeredAlone(given: AnswerAlone, method: string, params: JsonObject): Promise<JsonObject | null> {
    try {
      return await given(method, { ...params, ...(await tokenOf(io)) });
    } catch (thrown) {
      if (!(thrown instanceof Faulted)) throw thrown;
      throw new CommandFailed(thrown.fault.cause === "" ? refused(thrown.fault) : sentenceOf(thrown));
    }
  }
  async function answered(connected: Connected<OwnerClient>, method: string, params: JsonObject): Promise<JsonObject> {
    if (connected.kind !== "connected") throw new CommandFailed(connected.sentence);
    try {
      const answer = await connected.to.call(method, { ...params, ...(await tokenOf(io)) });
      switch (answer.kind) {
        case "result":
          return isJsonObject(answer.result) ? answer.result : {};
        case "fault":
          throw new CommandFailed(refused(answer.fault));
        case "gone":
          throw new CommandFailed(answer.sentence);
      }
    } finally {
      connected.to.close();
    }
  }
}

/** What the owner process says of parameters that it can't take stands in the detail of its fault. */
function refused({ code, detail }: Fault): string {
  if (code === "denied") return "The gateway does not take the token of SALLYPORT_TOKEN_FILE for this.";
  const rule = textAt(detail, "problems", 0, "rule");
  const problem = rule === "" ? textAt(detail, "problem") : `${textAt(detail, "problems", 0, "path")}: ${rule}`;
  return `The gateway refused: ${code}${problem === "" ? "" : ` (${problem})`}.`;
}

async function tokenOf(io: Io): Promise<JsonObject> {
  const path = io.env["SALLYPORT_TOKEN_FILE"];
  if (path === undefined || path === "") return {};
  const { readFile } = await import("node:fs/promises");
  return { token: (await readFile(path, "utf8")).trim() };
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new CommandFailed("--port takes a number from 0 to 65535.", 2);
}
