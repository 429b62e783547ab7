// The architecture as a test: who may import whom, where each library lives, who may mint a brand, and that no promise is uncited.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { requirements } from "./requirements.ts";

const root = join(import.meta.dirname, "..");

function filesBelow(folder: string, ending = ".ts"): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (name === "node_modules") return [];
    return statSync(join(root, path)).isDirectory() ? filesBelow(path, ending) : path.endsWith(ending) ? [path] : [];
  });
}
const read = (path: string): string => readFileSync(join(root, path), "utf8");
/** Without its comments, whose words are free. */
const code = (path: string): string =>
  read(path)
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/^\s*\/\/.*$/gm, "");

/** Every import of a file, type imports too: relative ones as paths from the root, others as package names. */
function importsOf(path: string): string[] {
  const found = read(path).matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)|(?:^|\n)import\s+"([^"]+)"/g,
  );
  return [...found].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    return specifier.startsWith(".") ? relative(root, join(root, dirname(path), specifier)) : specifier;
  });
}

/** Longest prefix first: what a file below it may import of ours. */
const floors: readonly (readonly [string, readonly string[]])[] = [
  ["src/domain/", ["src/domain/"]],
  ["src/kit/", ["src/domain/", "src/kit/"]],
  ["src/tool.ts", ["src/domain/", "src/kit/"]],
  ["src/policy/plan.ts", ["src/domain/", "src/policy/", "src/tool.ts"]],
  ["src/policy/", ["src/domain/", "src/policy/"]],
  ["src/identity/", ["src/domain/", "src/identity/"]],
  ["src/approval/", ["src/domain/", "src/approval/"]],
  ["src/kubernetes/", ["src/domain/", "src/kubernetes/", "src/tool.ts"]],
  ["src/credentials/", ["src/domain/", "src/credentials/", "src/kubernetes/"]],
  ["src/execution/", ["src/domain/", "src/execution/", "src/kubernetes/", "src/tool.ts"]],
  ["src/masking/", ["src/domain/", "src/masking/"]],
  ["src/telemetry/", ["src/domain/", "src/telemetry/"]],
  ["src/transcript/", ["src/domain/", "src/transcript/"]],
  ["src/evidence/", ["src/domain/", "src/transcript/", "src/evidence/"]],
  ["src/pipeline.ts", ["src/domain/", "src/tool.ts"]],
  ["src/catalogue.ts", ["src/domain/", "src/tool.ts"]],
  ["src/owner/", ["src/domain/", "src/owner/"]],
  ["src/mcp/", ["src/domain/", "src/mcp/", "src/gateway.ts", "src/catalogue.ts"]],
  ["src/console/", ["src/domain/", "src/console/", "src/gateway.ts"]],
  ["tools/index.ts", ["src/tool.ts", "tools/"]],
  ["tools/", ["src/tool.ts"]],
];

/** Folders that grow by one file at a time: siblings never import each other, and index.ts (where there is one) lists them all. */
const plural = [
  "src/identity/verifiers",
  "src/approval/channels",
  "src/approval/stores",
  "src/transcript/stores",
  "src/transcript/exporters",
  "src/transcript/anchors",
  "src/evidence/formats",
  "src/credentials/issuers",
];

/** One of them may be a folder: its files are one, and its own index.ts is the way in. */
function isWithin(folder: string, path: string, imported: string): boolean {
  const [own = "", file] = path.slice(folder.length + 1).split("/");
  return file !== undefined && imported.startsWith(`${folder}/${own}/`);
}

/** Each outside library has one home. */
const homes: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^@modelcontextprotocol\//, ["src/mcp/"]],
  [/^undici$/, ["src/kubernetes/"]],
  [/^@kubernetes\/client-node$/, []],
  [/^ws$/, ["src/kubernetes/"]],
  [/^lowdb/, ["src/approval/stores/"]],
  [/^re2js$/, ["src/execution/pattern.ts", "src/policy/regex.ts"]],
  [/^@bufbuild\//, ["src/policy/expression.ts"]],
  [/^commander$/, ["src/commands/", "src/main.ts"]],
  [/^pino$/, ["src/log.ts"]],
  [/^@slack\//, ["src/approval/channels/slack"]],
  [/^hono/, ["src/console/"]],
  [/^jose$/, []],
  [/^prom-client$/, ["src/telemetry/metrics.ts"]],
  [/^@opentelemetry\//, ["src/telemetry/traces.ts"]],
];

const sources = [...filesBelow("src"), ...filesBelow("tools")];

describe("floors", () => {
  test("each file imports only what its floor may", () => {
    const wrong = sources.flatMap((path) => {
      const floor = floors.find(([prefix]) => path.startsWith(prefix));
      if (floor === undefined) return [];
      return importsOf(path)
        .filter(
          (one) =>
            one.startsWith("src/") ||
            one.startsWith("tools/") ||
            one.startsWith("test/") ||
            one.startsWith("practice/"),
        )
        .filter((one) => !floor[1].some((allowed) => one.startsWith(allowed)))
        .map((one) => `${path} imports ${one}`);
    });
    expect(wrong).toEqual([]);
  });

  test("siblings of a plural folder never import each other", () => {
    const wrong = sources.flatMap((path) => {
      const folder = plural.find((one) => path.startsWith(`${one}/`));
      if (folder === undefined || path.endsWith("/index.ts")) return [];
      return importsOf(path)
        .filter((one) => one.startsWith(`${folder}/`) && !one.endsWith("/contract.ts") && !isWithin(folder, path, one))
        .map((one) => `${path} imports its sibling ${one}`);
    });
    expect(wrong).toEqual([]);
  });

  // Its `z` is the whole library with every language's error messages, which the built program would carry and load.
  test("zod is imported as a namespace, of which a bundler takes what is used", () => {
    expect(sources.filter((path) => /import \{[^}]*\} from "zod"/.test(code(path)))).toEqual([]);
  });

  test("each outside library stays in its home", () => {
    const wrong = sources.flatMap((path) =>
      importsOf(path).flatMap((one) => {
        const home = homes.find(([library]) => library.test(one));
        return home === undefined || home[1].some((prefix) => path.startsWith(prefix))
          ? []
          : [`${path} imports ${one}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("the catalogue lists every tool file, under the file's own name", () => {
    const files = filesBelow("tools").filter((path) => path !== "tools/index.ts");
    const listed = importsOf("tools/index.ts").filter((path) => path.startsWith("tools/"));
    expect(listed.toSorted()).toEqual(files.toSorted());
    for (const path of files) expect(read(path)).toContain(`name: "${path.slice("tools/".length, -".ts".length)}"`);
  });

  test("each brand has one minter", () => {
    const minters = {
      Principal: "src/identity/identify.ts",
      AuthorizedCall: "src/policy/authorize.ts",
      Grant: "src/credentials/issue.ts",
      MaskedOutput: "src/masking/mask.ts",
      SpentApproval: "src/approval/verdict.ts",
    };
    for (const [brand, minter] of Object.entries(minters)) {
      const casts = sources.filter((path) => new RegExp(`\\bas ${brand}\\b`).test(read(path)));
      expect({ brand, casts }).toEqual({ brand, casts: [minter] });
    }
  });

  test("only main.ts reads the process, and nobody writes to the console", () => {
    const wrong = sources.filter(
      (path) =>
        path !== "src/main.ts" &&
        /\bprocess\.(env|argv|exit|stdin|stdout|stderr|on|cwd|umask)\b|\bconsole\.\w+\(/.test(read(path)),
    );
    expect(wrong).toEqual([]);
  });

  test("nothing switches the type system or a check off", () => {
    const wrong = [...sources, ...filesBelow("practice")].filter((path) =>
      /\bas any\b|as unknown as|: any\b/.test(code(path)),
    );
    expect(wrong).toEqual([]);
    const marks = [...sources, ...filesBelow("practice")].filter((path) =>
      /@ts-(ignore|expect-error|nocheck)|(ox|es)lint-disable/.test(read(path)),
    );
    expect(marks).toEqual([]);
  });

  test("every file says in its first line what it is", () => {
    const wrong = [...sources, ...filesBelow("practice"), ...filesBelow("test")].filter(
      (path) => !/^(#!.*\n)?(\/\/|\/\*\*?) \S/.test(read(path)),
    );
    expect(wrong).toEqual([]);
  });
});

describe("promises", () => {
  test("every promise is cited by a test", () => {
    const tests = filesBelow("test")
      .filter((path) => !path.startsWith("test/requirements"))
      .map(read)
      .join("\n");
    const uncited = Object.keys(requirements).filter((id) => !tests.includes(`"${id}"`));
    expect(uncited).toEqual([]);
  });
});
