// What a container runtime would report of pods that can't run: the states that tasks put their pods into until they are repaired.

import { podAddresses, type PodStage } from "../cluster/kwok.ts";

const image = (text: string): string => `.spec.containers[0].image == ${JSON.stringify(text)}`;
const condition = (ready: boolean): string =>
  `conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ Now | Quote }}}
- {type: ContainersReady, status: "${ready ? "True" : "False"}", lastTransitionTime: {{ Now | Quote }}}
- {type: Ready, status: "${ready ? "True" : "False"}", lastTransitionTime: {{ Now | Quote }}}
`;
const container = (fields: string): string => `containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
${fields}
{{ end }}
`;

/** Ended so six times, and waits to be started again. `when` is a jq expression on the pod. */
export function crashes(
  name: string,
  when: string,
  ended: { readonly reason: string; readonly exitCode: number },
  event?: PodStage["event"],
): PodStage {
  const { reason, exitCode } = ended;
  const message = "back-off 5m0s restarting failed container=main";
  const status = `phase: Running
${podAddresses}${condition(false)}${container(`  restartCount: 6
  state: {waiting: {reason: CrashLoopBackOff, message: "${message}"}}
  lastState: {terminated: {reason: ${reason}, exitCode: ${exitCode}, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}}`)}`;
  return { name, when, status, ...(event === undefined ? {} : { event }) };
}

/** Has not been started: the image, a reference or a volume is missing. */
export function waits(
  name: string,
  when: string,
  reason: string,
  message: string,
  event?: PodStage["event"],
): PodStage {
  const status = `phase: Pending
${podAddresses}${condition(false)}${container(`  restartCount: 0
  state: {waiting: {reason: ${reason}, message: ${JSON.stringify(message)}}}`)}`;
  return { name, when, status, ...(event === undefined ? {} : { event }) };
}

/** Runs, and its readiness probe fails. */
export function unready(name: string, when: string, message: string): PodStage {
  const status = `phase: Running
${podAddresses}${condition(false)}${container(`  restartCount: 0
  state: {running: {startedAt: {{ Now | Quote }}}}`)}`;
  return { name, when, status, event: { type: "Warning", reason: "Unhealthy", message } };
}

/** A jq expression: the first container runs this image. */
export const runsImage = image;
