// A process that takes the lock of a folder, says so on standard output, and holds it until it ends.

import { takeLock } from "../../../src/owner/lock.ts";

const taken = await takeLock(process.argv[2] ?? "", process.getuid?.() ?? 0);
process.stdout.write(`${taken.kind}\n`);
// Kept alive, and the lock reachable, for as long as standard input is open.
process.stdin.resume().once("end", () => taken.kind === "taken" && taken.lock.release());
