// Reads the Prometheus text format (exposition format 0.0.4) as a scraper does: strictly, so that a label that breaks out of its quotes is seen.

export interface Sample {
  readonly name: string;
  readonly labels: { readonly [label: string]: string };
  readonly value: number;
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/g;

/** Every sample of a text; throws for a line that is none. */
export function samplesOf(text: string): readonly Sample[] {
  return text.split("\n").flatMap((one) => {
    if (one === "" || one.startsWith("#")) return [];
    const [whole, name = "", labels = "", value = ""] = line.exec(one) ?? [];
    if (whole === undefined) throw new Error(`no line of the format: ${one}`);
    const found = [...labels.matchAll(label)].map(([, key = "", quoted = ""]) => [key, unescaped(quoted)]);
    return [
      { name, labels: Object.fromEntries(found) as Sample["labels"], value: Number(value.replace("Inf", "Infinity")) },
    ];
  });
}

/** The value of the one sample of that name with exactly these labels; undefined where there is none. */
export function valueOf(text: string, name: string, labels: Sample["labels"]): number | undefined {
  const wanted = JSON.stringify(Object.entries(labels).toSorted());
  return samplesOf(text).find(
    (one) => one.name === name && JSON.stringify(Object.entries(one.labels).toSorted()) === wanted,
  )?.value;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(["\\n])/g, (_, one: string) => (one === "n" ? "\n" : one));
}
