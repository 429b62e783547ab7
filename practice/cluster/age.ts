// Ages as kubectl shows them: two units while young, one when old.

/** `45s`, `7m36s`, `3h`, `2d4h`, `40d`; `<unknown>` for no time. */
export function ageText(time: string, now: number): string {
  if (time === "") return "<unknown>";
  return durationText(now - Date.parse(time));
}

/** Milliseconds as Kubernetes' HumanDuration writes them. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return `${minutes}m${rest(seconds % 60, "s")}`;
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return `${hours}h${rest(minutes % 60, "m")}`;
  if (hours < 48) return `${hours}h`;
  if (days < 8) return `${days}d${rest(hours % 24, "h")}`;
  if (days < 365 * 2) return `${days}d`;
  return `${Math.floor(days / 365)}y${days < 365 * 8 ? rest(days % 365, "d") : ""}`;
}

const rest = (count: number, unit: string): string => (count === 0 ? "" : `${count}${unit}`);
