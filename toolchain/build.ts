// Builds the published program: dist/main.js with lazy chunks, the default policies beside it, and the notices of what is bundled.

import { build } from "esbuild";
import { chmod, cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildVerifier } from "./build-verifier.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };

await rm(dist, { recursive: true, force: true });
const built = await build({
  // The thread stands beside the program: it is found by its name there.
  entryPoints: [
    { in: join(root, "src", "main.ts"), out: "main" },
    { in: join(root, "src", "transcript", "block-thread.ts"), out: "block-thread" },
  ],
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  define: { SALLYPORT_VERSION: JSON.stringify(version) },
  banner: {
    js: "#!/usr/bin/env node\nimport{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});
await chmod(join(dist, "main.js"), 0o755);
const verifier = await buildVerifier(join(dist, "verify.mjs"));
await cp(join(root, "policies"), join(dist, "policies"), { recursive: true });
await cp(join(root, "docs", "controls.yaml"), join(dist, "docs", "controls.yaml"));
await writeFile(join(root, "THIRD_PARTY_NOTICES.md"), await notices(Object.keys(built.metafile.inputs)));
const bytes = Object.values(built.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(
  `dist/main.js and ${Object.keys(built.metafile.outputs).length - 1} chunks, ${(bytes / 1e6).toFixed(1)} MB; dist/verify.mjs, ${Math.round(verifier / 1000)} kB\n`,
);

/** Name, version and licence text of each bundled package, as the licences ask. */
async function notices(inputs: readonly string[]): Promise<string> {
  const packages = new Set<string>();
  for (const input of inputs) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found?.[1] !== undefined) packages.add(found[1]);
  }
  const parts = ["# Third-party notices", "", "The published program holds code of these packages.", ""];
  for (const folder of [...packages].sort()) {
    const read = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8")) as {
      name?: string;
      version?: string;
      license?: string;
    };
    if (read.name === undefined || read.version === undefined) continue;
    parts.push(
      `## ${read.name} ${read.version} (${read.license ?? "see its licence"})`,
      "",
      "```",
      await licence(join(root, folder)),
      "```",
      "",
    );
  }
  return parts.join("\n");
}

async function licence(folder: string): Promise<string> {
  for (const name of ["LICENSE", "LICENSE.md", "LICENSE.txt", "license", "LICENCE", "LICENSE-MIT"])
    try {
      return (await readFile(join(folder, name), "utf8")).trim();
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    }
  return "(the package carries no licence file; its licence is named above)";
}
