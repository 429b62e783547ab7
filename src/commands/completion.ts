// `sallyport completion`: a script that completes commands and options in bash, zsh or fish.

import { Argument, Command } from "commander";
import type { Io } from "./io.ts";

/** Command → the words that may follow it. The test compares it with what the commands themselves say. */
export const words: { readonly [command: string]: readonly string[] } = {
  serve: ["--config", "--http", "--port"],
  approvals: ["list", "show", "approve", "reject", "watch", "withdraw", "stats"],
  calls: ["list", "cancel"],
  agents: ["list", "show", "register", "disable", "enable", "review"],
  slack: ["check", "links", "unlink"],
  transcript: [
    "list",
    "show",
    "verify",
    "reconcile",
    "prove",
    "check-proof",
    "search",
    "replay",
    "stats",
    "export",
    "rotate-key",
    "purge",
    "anchor",
    "anchors",
    "hold",
    "auditor-key",
    "open-for",
  ],
  evidence: ["report", "review"],
  policy: ["check", "explain", "forbids", "simulate", "test"],
  config: ["print", "check", "schema"],
  enroll: [
    "--namespace",
    "--context",
    "--all-clusters",
    "--print",
    "--yes",
    "--cluster-read",
    "--secrets",
    "--nodes",
    "--exec",
    "--kind",
    "--cluster-kind",
  ],
  unenroll: ["--namespace", "--kind", "--context", "--all-clusters", "--yes"],
  doctor: ["--context", "--json"],
  mask: ["--object", "--why", "--profile"],
  completion: ["bash", "zsh", "fish"],
};

/** What narrows a search of the record, and an export of it. */
const wanted = [
  "--principal",
  "--agent",
  "--session",
  "--tool",
  "--kind",
  "--cluster",
  "--resource",
  "--namespace",
  "--name",
  "--decision",
  "--outcome",
  "--effect",
  "--rule",
  "--approver",
  "--since",
  "--until",
];

/** Sub-command → its options; compared in the same way. */
export const subWords: { readonly [subCommand: string]: readonly string[] } = {
  "approvals list": ["--json", "--all"],
  "approvals show": ["--json"],
  "approvals approve": ["--json", "--reason", "--yes"],
  "approvals reject": ["--json", "--reason", "--tell-agent"],
  "approvals watch": ["--json"],
  "approvals withdraw": ["--json"],
  "approvals stats": ["--since", "--until", "--json"],
  "calls list": ["--json"],
  "calls cancel": ["--json"],
  "agents list": ["--json", "--due"],
  "agents show": ["--json"],
  "agents register": ["--json", "--issuer", "--subject", "--owner", "--purpose", "--expires", "--review-days"],
  "agents disable": ["--json", "--now", "--reason"],
  "agents enable": ["--json", "--expires"],
  "agents review": ["--json", "--note", "--expires"],
  "slack check": ["--card", "--config", "--json"],
  "slack links": ["--json"],
  "slack unlink": ["--json"],
  "transcript list": ["--limit", "--session", "--call", "--json"],
  "transcript show": ["--json"],
  "transcript verify": ["--anchor", "--key", "--bodies-key", "--json"],
  "transcript prove": ["--out"],
  "transcript check-proof": ["--key", "--entry"],
  "transcript rotate-key": [],
  "transcript auditor-key": [],
  "transcript open-for": ["--recipient", "--out", "--why", "--session", "--class"],
  "transcript purge": ["--due", "--before", "--session", "--class", "--why", "--yes"],
  "transcript hold": ["list", "show", "place", "release", "confirm"],
  "transcript anchor": ["--json"],
  "transcript anchors": ["--json"],
  "transcript search": [...wanted, "--limit", "--count", "--reindex", "--whole", "--json"],
  "transcript export": [
    "--format",
    "--out",
    "--bundle",
    "--whole-calls",
    "--bodies",
    "--recipient",
    "--anchor",
    "--why",
    ...wanted,
  ],
  "transcript reconcile": ["--audit-log", "--namespace", "--cluster", "--transcript", "--system", "--json"],
  "transcript replay": ["--policy", "--asciicast", "--bodies-key", "--json"],
  "transcript stats": ["--since", "--until", "--json"],
  "evidence report": ["--period", "--controls", "--format", "--out", "--seed", "--anchor", "--key", "--mapping"],
  "evidence review": [...wanted, "--findings", "--json"],
  "config print": ["claude-code", "claude-desktop", "cursor", "vscode", "codex", "--http", "--token-env", "--config"],
  "config check": ["--config", "--json"],
  "config schema": [],
  "policy check": ["--strict", "--json"],
  "policy explain": ["--json"],
  "policy forbids": ["--json"],
  "policy simulate": ["--since", "--limit", "--json"],
  "policy test": ["--json"],
};

const commands = Object.keys(words);
const first = [...commands, "help", "--help", "--version"].join(" ");
const isGroup = (command: string): boolean => Object.keys(subWords).some((sub) => sub.startsWith(`${command} `));
/** Where the words stand and what may come there: `approvals`, `approvals list`, `enroll` with whatever stands after it. */
const places: readonly { readonly at: string; readonly rest: boolean; readonly offered: string }[] = [
  ...Object.entries(words).map(([at, after]) => ({ at, rest: !isGroup(at), offered: [...after, "--help"].join(" ") })),
  ...Object.entries(subWords).map(([at, after]) => ({ at, rest: false, offered: [...after, "--help"].join(" ") })),
  { at: "help", rest: false, offered: commands.join(" ") },
];
const pattern = ({ at, rest }: (typeof places)[number]): string => (rest ? `"${at}"|"${at} "*` : `"${at}"`);

// What none of the words begins with may be a file: policies, transcripts and calls are named by paths.
const scripts = {
  bash: () => `_sallyport() {
  local word="\${COMP_WORDS[COMP_CWORD]}" at="\${COMP_WORDS[1]}"
  [ "$COMP_CWORD" -gt 2 ] && at="$at \${COMP_WORDS[2]}"
  [ "$COMP_CWORD" -eq 1 ] && { COMPREPLY=($(compgen -W "${first}" -- "$word")); return; }
  case "$at" in
${places.map((one) => `    ${pattern(one)}) COMPREPLY=($(compgen -W "${one.offered}" -- "$word")) ;;`).join("\n")}
  esac
}
complete -o default -F _sallyport sallyport
`,
  zsh: () => `#compdef sallyport
_sallyport() {
  if (( CURRENT == 2 )); then compadd -- ${first}; return; fi
  local at="$words[2]"
  (( CURRENT > 3 )) && at="$at $words[3]"
  case "$at" in
${places.map((one) => `    ${pattern(one)}) compadd -- ${one.offered} ;;`).join("\n")}
  esac
  _files
}
compdef _sallyport sallyport
`,
  fish: () =>
    [
      `complete -c sallyport -n __fish_use_subcommand -f -a "${first}"`,
      ...places.map(({ at, offered }) => {
        const [command = "", sub] = at.split(" ");
        const seen = `__fish_seen_subcommand_from ${command}`;
        const beside = isGroup(command)
          ? `; and not __fish_seen_subcommand_from ${(words[command] ?? []).join(" ")}`
          : "";
        const when = sub === undefined ? `${seen}${beside}` : `${seen}; and __fish_seen_subcommand_from ${sub}`;
        return `complete -c sallyport -n "${when}" -a "${offered}"`;
      }),
      "",
    ].join("\n"),
} as const;

export function completionCommand(io: Io): Command {
  return new Command("completion")
    .description("Print a completion script; for bash: source <(sallyport completion bash)")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => io.out(scripts[shell]()));
}
