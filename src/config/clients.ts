// The configuration block of each MCP client that can use Sallyport: its file's own format, where it goes, and what to do after.

export const clients = ["claude-code", "claude-desktop", "cursor", "vscode", "codex"] as const;
export type ClientName = (typeof clients)[number];

/** How a client reaches Sallyport. */
export type Way =
  | {
      readonly kind: "stdio";
      /** Absolute, or a name that is looked for in PATH. */
      readonly command: string;
      readonly args: readonly string[];
      readonly env: { readonly [name: string]: string };
      /** Milliseconds that an answer may take: holding for a person and the call itself. */
      readonly patience: number;
    }
  | {
      readonly kind: "http";
      readonly url: string;
      /** The environment variable that holds the bearer token; null where the client finds the identity provider by itself. */
      readonly tokenEnv: string | null;
      readonly patience: number;
    };

export interface Block {
  /** Ready to paste; ends with a newline. */
  readonly text: string;
  /** Where it goes and what follows, a sentence or path a line. */
  readonly notes: readonly string[];
}

const entry = "sallyport";

/** The block of one client. A token is never part of it: only the name of the variable that will hold one. */
export function blockFor(client: ClientName, way: Way): Block {
  switch (client) {
    case "claude-code":
      return claudeCode(way);
    case "claude-desktop":
      return claudeDesktop(way);
    case "cursor":
      return cursor(way);
    case "vscode":
      return vscode(way);
    case "codex":
      return codex(way);
  }
}

function claudeCode(way: Way): Block {
  const server =
    way.kind === "stdio" ? program(way) : { type: "http", url: way.url, ...bearer(way, (name) => `\${${name}}`) };
  return {
    text: json({ mcpServers: { [entry]: server } }),
    notes: [
      "Goes into .mcp.json at the root of a project. Or, for yourself in every project, run:",
      `  claude mcp add-json --scope user ${entry} ${shellQuoted(JSON.stringify(server))}`,
      ...tokenNote(way, "the environment that Claude Code is started from", "/mcp in Claude Code signs you in."),
    ],
  };
}

function claudeDesktop(way: Way): Block {
  if (way.kind === "http")
    return {
      text: `${way.url}\n`,
      notes: [
        "Goes into Claude Desktop's Settings > Connectors > Add custom connector, as the address: its file takes programs alone.",
        "The address is called from Anthropic's network and must be reachable there; you sign in when you connect.",
      ],
    };
  const { command, args, env } = way;
  return {
    text: json({ mcpServers: { [entry]: { command, args, ...named(env) } } }),
    notes: [
      "Goes into claude_desktop_config.json (Settings > Developer > Edit Config):",
      "  macOS    ~/Library/Application Support/Claude/claude_desktop_config.json",
      "  Windows  %APPDATA%\\Claude\\claude_desktop_config.json",
      "  Linux    ~/.config/Claude/claude_desktop_config.json",
      ...beside("mcpServers"),
      "Quit Claude Desktop and start it again.",
    ],
  };
}

function cursor(way: Way): Block {
  const server = way.kind === "stdio" ? program(way) : { url: way.url, ...bearer(way, (name) => `\${env:${name}}`) };
  return {
    text: json({ mcpServers: { [entry]: server } }),
    notes: [
      "Goes into mcp.json, for all projects:",
      "  macOS, Linux  ~/.cursor/mcp.json",
      "  Windows       %USERPROFILE%\\.cursor\\mcp.json",
      "Or into .cursor/mcp.json of one project.",
      ...beside("mcpServers"),
      ...tokenNote(way, "the environment that Cursor is started from", "Cursor's settings (MCP) sign you in."),
    ],
  };
}

function vscode(way: Way): Block {
  const input = `${entry}-token`;
  const asked = { type: "promptString", id: input, description: "Bearer token for Sallyport", password: true };
  const block =
    way.kind === "stdio"
      ? { servers: { [entry]: program(way) } }
      : {
          ...(way.tokenEnv === null ? {} : { inputs: [asked] }),
          servers: { [entry]: { type: "http", url: way.url, ...bearer(way, () => `\${input:${input}}`) } },
        };
  return {
    text: json(block),
    notes: [
      "Goes into .vscode/mcp.json of a workspace, or for yourself (MCP: Open User Configuration) into mcp.json:",
      "  macOS    ~/Library/Application Support/Code/User/mcp.json",
      "  Windows  %APPDATA%\\Code\\User\\mcp.json",
      "  Linux    ~/.config/Code/User/mcp.json",
      ...beside("servers"),
      ...(way.kind === "stdio"
        ? []
        : [
            way.tokenEnv === null
              ? "VS Code signs you in when the server starts."
              : "VS Code asks for the token once and keeps it.",
          ]),
    ],
  };
}

function codex(way: Way): Block {
  const table = `mcp_servers.${entry}`;
  const lines =
    way.kind === "stdio"
      ? [`command = ${toml(way.command)}`, `args = [${way.args.map(toml).join(", ")}]`]
      : [`url = ${toml(way.url)}`, ...(way.tokenEnv === null ? [] : [`bearer_token_env_var = ${toml(way.tokenEnv)}`])];
  const env = way.kind === "stdio" ? Object.entries(way.env) : [];
  const text = [
    `[${table}]`,
    ...lines,
    // Codex gives up after 60 seconds, an answer may be held for a person before its call even begins.
    `tool_timeout_sec = ${Math.ceil(way.patience / 1000)}`,
    ...(env.length === 0 ? [] : ["", `[${table}.env]`, ...env.map(([name, value]) => `${name} = ${toml(value)}`)]),
  ];
  return {
    text: `${text.join("\n")}\n`,
    notes: [
      "Goes into config.toml ($CODEX_HOME where that is set):",
      "  macOS, Linux  ~/.codex/config.toml",
      "  Windows       %USERPROFILE%\\.codex\\config.toml",
      ...tokenNote(way, "the environment that Codex is started from", `codex mcp login ${entry} signs you in.`),
    ],
  };
}

function program({ command, args, env }: Extract<Way, { kind: "stdio" }>): object {
  return { type: "stdio", command, args, ...named(env) };
}

const named = (env: { readonly [name: string]: string }): object => (Object.keys(env).length === 0 ? {} : { env });

/** The header by reference: each client has its own way to write "the value of this variable". */
function bearer({ tokenEnv }: Extract<Way, { kind: "http" }>, reference: (name: string) => string): object {
  return tokenEnv === null ? {} : { headers: { Authorization: `Bearer ${reference(tokenEnv)}` } };
}

function tokenNote(way: Way, where: string, signIn: string): readonly string[] {
  if (way.kind === "stdio") return [];
  return [way.tokenEnv === null ? signIn : `The token is read from ${way.tokenEnv} in ${where}.`];
}

const beside = (key: string): readonly string[] => [
  `Where the file is there already, put the entry ${entry} beside the others under ${key}.`,
];

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** A basic string (TOML 1.0): what JSON escapes is escaped there in the same way, DEL aside. */
const toml = (text: string): string => JSON.stringify(text).replaceAll("\u007f", "\\u007F");

const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
