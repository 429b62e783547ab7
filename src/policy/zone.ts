// The time of day and the day of the week in a named zone: what freeze windows are written in.

export const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

/** Is this a zone of the IANA database, such as Europe/Berlin, or UTC? */
export function isZone(zone: string): boolean {
  if (zone !== "UTC" && !/^[A-Z][A-Za-z_+-]*(\/[A-Za-z0-9_+-]+){1,2}$/.test(zone)) return false;
  try {
    formatIn(zone);
    return true;
  } catch {
    return false;
  }
}

/** A formatter takes far longer to make than to use; there are some hundred zones at most. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatIn(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    weekday: "long",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  formats.set(zone, made);
  return made;
}

/** `now` in milliseconds since 1970, as a clock on the wall there shows it. */
export function timeIn(zone: string, now: number) {
  const part: { [type: string]: string } = {};
  for (const { type, value } of formatIn(zone).formatToParts(now)) part[type] = value;
  const { year = "", month = "", day = "", hour = "", minute = "", weekday = "" } = part;
  return {
    date: `${year}-${month}-${day}`,
    time: `${hour}:${minute}`,
    hour: BigInt(hour),
    minute: BigInt(minute),
    weekday: weekday.toLowerCase(),
  };
}
