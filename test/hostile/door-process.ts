// The HTTP door in a process of its own, with limits of its own: for attacks that need many connections or that end it.

import { serveHttp } from "../../src/mcp/http.ts";
import { about, testDoor } from "../mcp/door-for-tests.ts";

const [connections = "4096"] = process.argv.slice(2);
const served = await serveHttp({
  door: testDoor(),
  about,
  host: "127.0.0.1",
  port: 0,
  refused: () => undefined,
  // Nobody goes for having been silent, so that all who wait stand there at the same time.
  limits: { connections: Number(connections), head: 600_000, request: 600_000 },
});
if (served.kind === "refused") throw new Error(served.sentence);
process.stdout.write(`${served.url}\n`);
process.stdin.on("data", () => process.stdout.write(`${process.memoryUsage().rss}\n`));
process.stdin.on("end", () => process.exit(0));
