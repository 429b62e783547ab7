// `sallyport completion`: a script that completes commands and options in bash, zsh or fish.

import { Argument, Command } from "commander";
import type { Io } from "./io.ts";

/** Command → the words that may follow it. The test compares it with what the commands themselves say. */
export const words: { readonly [command: string]: readonly string[] } = {
  serve: ["--config", "--http", "--port"],
  approvals: ["list", "show", "approve", "reject", "watch", "withdraw"],
  calls: ["list", "cancel"],
  transcript: ["list", "show", "verify"],
  policy: ["check", "explain", "forbids", "simulate", "test"],
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

const scripts = {
  bash: () => `_sallyport() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}" in
${Object.entries(words)
  .map(
    ([command, after]) =>
      `    ${command}) [ "$COMP_CWORD" -gt 1 ] && { COMPREPLY=($(compgen -W "${after.join(" ")} --help" -- "$word")); return; } ;;`,
  )
  .join("\n")}
  esac
  COMPREPLY=($(compgen -W "${Object.keys(words).join(" ")} --help --version" -- "$word"))
}
complete -F _sallyport sallyport
`,
  zsh: () => `#compdef sallyport
_sallyport() {
  if (( CURRENT == 2 )); then compadd ${Object.keys(words).join(" ")} --help --version; return; fi
  case "$words[2]" in
${Object.entries(words)
  .map(([command, after]) => `    ${command}) compadd -- ${after.join(" ")} --help ;;`)
  .join("\n")}
  esac
}
compdef _sallyport sallyport
`,
  fish: () =>
    [
      "complete -c sallyport -f",
      `complete -c sallyport -n __fish_use_subcommand -a "${Object.keys(words).join(" ")}"`,
      ...Object.entries(words).map(
        ([command, after]) =>
          `complete -c sallyport -n "__fish_seen_subcommand_from ${command}" -a "${after.join(" ")}"`,
      ),
      "",
    ].join("\n"),
} as const;

export function completionCommand(io: Io): Command {
  return new Command("completion")
    .description("Print a completion script; for bash: source <(sallyport completion bash)")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => io.out(scripts[shell]()));
}
