// Quantities as Kubernetes writes them (apimachinery, resource.Quantity), as numbers and back as short text.

const binary: { readonly [suffix: string]: number } = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const decimal: { readonly [suffix: string]: number } = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
};

/** `250m` is 0.25, `64Mi` is 67108864; 0 for text that is no quantity. */
export function quantity(text: string): number {
  const found = /^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:[eE]([+-]?\d{1,2}))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])?$/.exec(text);
  if (found === null) return 0;
  const suffix = found[3] ?? "";
  return Number(found[1]) * 10 ** Number(found[2] ?? 0) * (binary[suffix] ?? decimal[suffix] ?? 1);
}

/** Cores as `250m` or `2.5`. */
export function cpuText(cores: number): string {
  return cores < 10 ? `${Math.round(cores * 1000)}m` : String(Math.round(cores * 10) / 10);
}

/** Bytes as `64Mi` or `1.5Gi`. */
export function memoryText(bytes: number): string {
  return bytes < 10 * 2 ** 30 ? `${Math.round(bytes / 2 ** 20)}Mi` : `${Math.round((bytes / 2 ** 30) * 10) / 10}Gi`;
}
