// Our OSCAL documents before compliance-trestle of PyPI, which knows OSCAL 1.2.1: both pass, and damaged ones do not.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { componentPage } from "../../../docs/controls-page.ts";
import { oscal } from "../../../src/evidence/formats/oscal.ts";
import { oscalVersion } from "../../../src/evidence/oscal.ts";
import { pythonWith, run } from "../../clients/python.ts";
import { promise } from "../../support/promise.ts";
import { day } from "../transcript/day.ts";
import { reportOn, written } from "./support.ts";

const found = await pythonWith({ name: "compliance-trestle", version: "4.0.1", least: 10 }, process.env);
const why = found.kind === "absent" ? ` (skipped: ${found.why})` : "";

/** The command line of trestle, once for each list of words: loading it takes longer than all that it is asked. Prints the exit codes. */
const inOneProcess = `
import json, sys
from trestle.cli import Trestle
from trestle.oscal import OSCAL_VERSION
codes = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["trestle", *words]
    try:
        codes.append(Trestle().run())
    except SystemExit as ended:
        codes.append(ended.code)
print(json.dumps([OSCAL_VERSION, *codes]))
`;

describe.skipIf(found.kind === "absent")(`compliance-trestle${why}`, () => {
  const python = found.kind === "there" ? found.python : "";

  /** Imports each document into a workspace, where trestle reads it by its own model, and validates what came in. */
  async function judged(documents: { readonly [name: string]: string }): Promise<{ readonly [name: string]: boolean }> {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-trestle-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [root, given] = [join(folder, "workspace"), join(folder, "given")];
    await Promise.all([mkdir(root), mkdir(given)]);
    for (const [name, text] of Object.entries(documents)) await writeFile(join(given, `${name}.json`), text);
    const commands = [
      ["init", "--local"],
      ...Object.keys(documents).map((name) => ["import", "-f", join(given, `${name}.json`), "-o", name]),
      ["validate", "-a"],
    ].map((words) => [...words, "--trestle-root", root]);
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder };
    const { code, out, err } = await run(python, ["-c", inOneProcess, JSON.stringify(commands)], env);
    expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
    const [version, made, ...ended] = JSON.parse(out.trim().split("\n").at(-1) ?? "[]") as readonly (string | number)[];
    expect([version, made, ended.at(-1)]).toEqual([oscalVersion, 0, 0]);
    return Object.fromEntries(Object.keys(documents).map((name, index) => [name, ended[index] === 0]));
  }

  promise(
    "evidence:oscal",
    "the component definition, the results of a day with rows beside them, and those of one control; four damaged copies are refused",
    async () => {
      const folder = await written(day);
      const whole = oscal.text(await reportOn(folder), { rowsFile: (query) => `rows/${query}.ndjson` });
      const one = oscal.text(await reportOn(folder, { wanted: ["AU-5"], seed: "s" }), { rowsFile: () => null });
      const component = componentPage();
      expect(
        await judged({
          component,
          whole,
          one,
          id: whole.replace('"uuid": "', '"uuid": "x'),
          state: whole.replace('"state": "not-satisfied"', '"state": "nearly"'),
          field: whole.replace('"methods":', '"method":'),
          twice: component.replaceAll(/"uuid": "[^"]+"/g, '"uuid": "2ed6657d-e927-568b-95e1-2665a8aea6a2"'),
        }),
      ).toEqual({ component: true, whole: true, one: true, id: false, state: false, field: false, twice: false });
    },
    120_000,
  );
});
