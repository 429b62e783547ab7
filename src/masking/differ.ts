// What differs between two sets of profiles, in plain words, and what of it hides less than before.

import type { Format } from "./formats.ts";
import { personalKinds } from "./personal.ts";
import type { Profile } from "./profile.ts";

export interface Differing {
  /** A line each, by profile; empty where only layout, examples or sources changed. */
  readonly lines: readonly string[];
  /** Those of the lines after which something may be readable that was hidden. */
  readonly less: readonly string[];
}

type Profiles = ReadonlyMap<string, Profile>;
interface Line {
  readonly text: string;
  readonly less: boolean;
}
const more = (text: string): Line => ({ text, less: false });
const less = (text: string): Line => ({ text, less: true });

/** Whatever is not plainly more counts as less: a shape that is only different may miss what it found before. */
export function profilesDiffer(before: Profiles, after: Profiles): Differing {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const lines = names.flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === undefined) return [more(`${name}: is new`)];
    if (is === undefined) return [less(`${name}: is gone`)];
    return [...personalLines(was, is), ...formatLines(was, is)].map((line) => ({
      ...line,
      text: `${name}: ${line.text}`,
    }));
  });
  return { lines: lines.map(({ text }) => text), less: lines.filter((line) => line.less).map(({ text }) => text) };
}

function personalLines(was: Profile, is: Profile): readonly Line[] {
  return personalKinds.flatMap((kind) => {
    if (was.personal.has(kind) === is.personal.has(kind)) return [];
    return [is.personal.has(kind) ? more(`also hides ${kind}`) : less(`no longer hides ${kind}`)];
  });
}

function formatLines(was: Profile, is: Profile): readonly Line[] {
  const old = new Map(was.formats.map((format) => [format.id, format]));
  const lines: Line[] = [];
  for (const format of is.formats) {
    const one = old.get(format.id);
    old.delete(format.id);
    if (one === undefined) lines.push(more(`has the new format ${format.id}`));
    else lines.push(...changed(one, format));
  }
  for (const id of old.keys()) lines.push(less(`no longer has the format ${id}`));
  return lines;
}

function changed(was: Format, is: Format): readonly Line[] {
  const lost = was.keywords.filter((word) => !is.keywords.includes(word));
  const gained = is.keywords.filter((word) => !was.keywords.includes(word));
  const says = (text: string): string => `the format ${is.id} ${text}`;
  return [
    ...(was.type === is.type ? [] : [more(says(`is called ${is.type}, was ${was.type}`))]),
    ...(lost.length === 0 ? [] : [less(says("lost keywords"))]),
    ...(gained.length === 0 ? [] : [more(says("has more keywords"))]),
    ...(was.body === is.body ? [] : [less(says("has other characters"))]),
    ...bound(is.min - was.min, says("takes shorter values"), says("takes only longer values")),
    ...bound(was.max - is.max, says("takes longer values"), says("takes only shorter values")),
    ...((was.random ?? false) === (is.random ?? false)
      ? []
      : [is.random ? less(says("must look random")) : more(says("need not look random"))]),
  ];
}

function bound(narrower: number, wider: string, narrow: string): readonly Line[] {
  if (narrower === 0) return [];
  return [narrower > 0 ? less(narrow) : more(wider)];
}
