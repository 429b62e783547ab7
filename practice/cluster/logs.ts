// Pod logs: what the containers are made out to have written, and the options of `pods/log`.

import { integerOf } from "./pages.ts";
import { at, labelsOf, listAt, mapAt, numberAt, textAt, textsAt, type JsonObject } from "./json.ts";
import { badRequest, invalid, invalidValue, unserved } from "./status.ts";

/** A seed's logs for the pods that its labels choose, oldest line first. */
export interface LogSource {
  readonly namespace: string;
  readonly labels: JsonObject;
  readonly container: string;
  readonly lines: readonly string[];
  /** What the run before the last crash wrote. */
  readonly previous: readonly string[];
}

/** The logs that a seed's `PodLog` manifests hold. */
export function logSource(manifest: JsonObject): LogSource {
  return {
    namespace: textAt(manifest, "metadata", "namespace"),
    labels: mapAt(manifest, "spec", "labels"),
    container: textAt(manifest, "spec", "container"),
    lines: textsAt(manifest, "spec", "lines"),
    previous: textsAt(manifest, "spec", "previous"),
  };
}

interface Line {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

/** A source's lines are spread over this long after the container's start, so a pod logs on while one watches. */
const spread = 15 * 60 * 1000;

/** The answer to `GET pods/NAME/log`. */
export function podLog(sources: readonly LogSource[], pod: JsonObject, query: URLSearchParams, now: number): string {
  const container = containerOf(pod, query.get("container") ?? "");
  if (query.get("follow") === "true") throw unserved("follow logs");
  if (query.has("stream")) throw unserved("know the log option stream");
  const options = optionsOf(pod, query, now);
  const lines = written(sources, pod, container, query.get("previous") === "true", now);
  const recent = lines.filter((line) => line.at >= options.since && line.at <= now);
  const kept = options.tail === null ? recent : recent.slice(Math.max(0, recent.length - options.tail));
  const stamped = query.get("timestamps") === "true";
  const stamp = (line: Line): string => (stamped ? `${new Date(line.at).toISOString().replace("Z", "000000Z")} ` : "");
  const text = kept.map((line) => `${stamp(line)}${line.text}\n`).join("");
  return options.limit === null ? text : Buffer.from(text).subarray(0, options.limit).toString("utf8");
}

function containerOf(pod: JsonObject, asked: string): string {
  const name = textAt(pod, "metadata", "name");
  const names = listAt(pod, "spec", "containers").map((container) => textAt(container, "name"));
  if (asked === "" && names.length > 1) {
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]`);
  }
  const container = asked === "" ? (names[0] ?? "") : asked;
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  return container;
}

function optionsOf(pod: JsonObject, query: URLSearchParams, now: number) {
  const [tail, limit, since] = [
    integerOf(query, "tailLines"),
    integerOf(query, "limitBytes"),
    integerOf(query, "sinceSeconds"),
  ];
  const sinceTime = query.get("sinceTime") ?? "";
  const causes = [
    ...(tail !== null && tail < 0 ? [invalidValue("tailLines", tail, "must be greater than or equal to 0")] : []),
    ...(limit !== null && limit < 1 ? [invalidValue("limitBytes", limit, "must be greater than 0")] : []),
    ...(since !== null && since < 1 ? [invalidValue("sinceSeconds", since, "must be greater than 0")] : []),
    ...(since !== null && sinceTime !== ""
      ? [
          {
            reason: "FieldValueForbidden",
            message: "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
            field: "[]",
          },
        ]
      : []),
  ];
  if (causes.length > 0) throw invalid("PodLogOptions", "", textAt(pod, "metadata", "name"), causes);
  if (sinceTime !== "" && Number.isNaN(Date.parse(sinceTime)))
    throw badRequest(`parsing time ${JSON.stringify(sinceTime)}`);
  const from = since !== null ? now - since * 1000 : sinceTime !== "" ? Date.parse(sinceTime) : 0;
  return { tail, limit, since: from };
}

/** The container's lines with their times: after its start, or before the end of the run that crashed. */
function written(
  sources: readonly LogSource[],
  pod: JsonObject,
  container: string,
  previous: boolean,
  now: number,
): readonly Line[] {
  const name = textAt(pod, "metadata", "name");
  const status = listAt(pod, "status", "containerStatuses").find((one) => textAt(one, "name") === container);
  const ended = textAt(status, "lastState", "terminated", "finishedAt");
  if (previous && ended === "")
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  const waiting = textAt(status, "state", "waiting", "reason");
  if (!previous && (status === undefined || (waiting !== "" && numberAt(status, "restartCount") === 0))) {
    throw badRequest(
      `container "${container}" in pod "${name}" is waiting to start: ${waiting || "ContainerCreating"}`,
    );
  }
  const source = sources.find((one) => isFor(one, pod, container));
  const started = [`practice container ${container} of ${name} started`];
  const lines = (previous ? source?.previous : source?.lines) ?? started;
  if (previous)
    return lines.map((text, index) => ({ at: Date.parse(ended) - (lines.length - 1 - index) * 1000, text }));
  const start = Date.parse(
    textAt(status, "state", "running", "startedAt") || textAt(pod, "status", "startTime") || ended,
  );
  return lines.map((text, index) => ({ at: Math.min(start, now) + (index * spread) / lines.length, text }));
}

const isFor = (source: LogSource, pod: JsonObject, container: string): boolean =>
  source.namespace === textAt(pod, "metadata", "namespace") &&
  source.container === container &&
  Object.entries(source.labels).every(([label, value]) => at(labelsOf(pod), label) === value);
