/** Formats numbers, sizes and times for a language. Pure: the language and the time are arguments. */

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function bytes(count: number, language: string): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1);
  const value = count / 1_000 ** power;
  const digits = power > 0 && value < 10 ? 1 : 0;
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${units[power]}`;
}

/** `1:02:33`, `3:05`. */
export function playing(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A time to the second, in the reader's time zone, with the name of the zone. */
export function exactly(at: Date, language: string): string {
  return at.toLocaleString(language, {
    dateStyle: "full",
    timeStyle: "long",
  });
}

/** How long ago; a date if that is more than a week. */
export function ago(at: Date, now: number, language: string): string {
  const seconds = Math.round((at.valueOf() - now) / 1_000);
  if (Math.abs(seconds) > 7 * 86_400) {
    return at.toLocaleDateString(language, { dateStyle: "medium" });
  }
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) {
      return relative.format(Math.trunc(seconds / length), unit);
    }
  }
  return relative.format(Math.trunc(seconds), "second");
}

/** Date and time for a line of a list. */
export function moment(at: Date, language: string): string {
  return at.toLocaleString(language, { dateStyle: "short", timeStyle: "medium" });
}

/** The number (0 to 5) of the hue for the placeholder of an item without a cover. */
export function hueOf(text: string): number {
  let hash = 0;
  for (const character of text) {
    hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  }
  return Math.abs(hash) % 6;
}
