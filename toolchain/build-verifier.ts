// Makes the one-file verifier.

import { build } from "esbuild";
import { join } from "node:path";

/** Writes it to a path, for Node 20 and later; returns its bytes. */
export async function buildVerifier(outfile: string): Promise<number> {
  const built = await build({
    entryPoints: [join(import.meta.dirname, "verifier.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    minifySyntax: true,
    legalComments: "none",
    metafile: true,
    banner: { js: "#!/usr/bin/env node" },
  });
  return Object.values(built.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
}
