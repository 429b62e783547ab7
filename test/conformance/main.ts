// `npm run test:conformance`: the official MCP conformance suite against both doors and both revisions; exit code 0 where all that has to pass does.

import { fixtureDoor, realDoor, verdicts } from "./doors.ts";
import { revisions } from "./run.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
let wrong = 0;
for (const open of [fixtureDoor, realDoor]) {
  const door = await open();
  try {
    for (const revision of revisions) {
      const ran = await door.run(revision);
      const found = verdicts(ran, door.mustPass[revision]);
      say(`\n${door.name}, ${revision}: ${found.length} scenarios of ${ran.required.length} required ones`);
      for (const { name, passed, failed } of found) {
        say(`${failed.length === 0 ? "ok    " : "FAILED"}  ${name} (${passed} checks)`);
        for (const one of failed) say(`          ${one}`);
      }
      wrong += found.filter(({ failed }) => failed.length > 0).length;
    }
  } finally {
    await door.stop();
  }
}
say(wrong === 0 ? "\nAll scenarios that have to pass did." : `\n${wrong} scenarios failed.`);
process.exitCode = wrong === 0 ? 0 : 1;
