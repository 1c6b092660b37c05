/** Dates and moments of the source → ISO text. A day that does not exist is never a date. */
import type { Locale } from "./schema.ts";

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** What a form may be made of; other letters are refused so that `YYYY` or `mm` cannot slip in. */
const TOKENS = ["yyyy", "yy", "MMM", "MM", "M", "dd", "d", "HH", "mm", "ss"] as const;
type Token = (typeof TOKENS)[number];

type Part = { readonly token: Token } | { readonly literal: string };

/** A date's form, ready to read texts by. */
export interface DateForm {
  readonly form: string;
  readonly hasTime: boolean;
  /** ISO date ("2026-03-31"), with "T08:15:00" when the form has a time; undefined when unlike. */
  readonly read: (text: string) => string | undefined;
}

/** The form's reader, or what is wrong with the form. */
export function dateForm(form: string): DateForm | { readonly wrong: string } {
  const parts = partsOf(form);
  if (parts === undefined) return { wrong: `a form made of ${TOKENS.join(", ")} and signs` };
  const tokens = parts.flatMap((part) => ("token" in part ? [part.token] : []));
  const count = (...among: readonly Token[]) =>
    tokens.filter((token) => among.includes(token)).length;
  const whole =
    count("yyyy", "yy") === 1 && count("MMM", "MM", "M") === 1 && count("dd", "d") === 1;
  if (!whole || new Set(tokens).size !== tokens.length)
    return { wrong: "a form with the year, the month and the day, each once" };
  const hasTime = count("HH", "mm", "ss") > 0;
  if (form === "yyyy-MM-dd") return { form, hasTime, read: readIsoDate };
  return { form, hasTime, read: (text) => readByParts(text, parts, hasTime) };
}

function partsOf(form: string): Part[] | undefined {
  const parts: Part[] = [];
  let rest = form;
  while (rest !== "") {
    const token = TOKENS.find((candidate) => rest.startsWith(candidate));
    const literal = rest.charAt(0);
    // A lone T stands between date and time in ISO forms.
    if (token === undefined && literal !== "T" && /[a-z]/i.test(literal)) return undefined;
    parts.push(token === undefined ? { literal } : { token });
    rest = rest.slice(token?.length ?? 1);
  }
  return parts;
}

/** The text itself when it is an existing day as yyyy-MM-dd. */
export function readIsoDate(text: string): string | undefined {
  if (text.length !== 10 || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45)
    return undefined;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  return exists(year, month, day) ? text : undefined;
}

function readByParts(text: string, parts: readonly Part[], hasTime: boolean): string | undefined {
  const found = { year: -1, month: -1, day: -1, hour: 0, minute: 0, second: 0 };
  let at = 0;
  for (const part of parts) {
    if ("literal" in part) {
      if (text.charAt(at) !== part.literal) return undefined;
      at += 1;
      continue;
    }
    const width = widthOf(part.token, text, at);
    const value =
      part.token === "MMM"
        ? MONTHS.indexOf(text.slice(at, at + 3).toLowerCase()) + 1
        : digitsAt(text, at, width);
    if (value < 0) return undefined;
    place(found, part.token, value);
    at += width;
  }
  if (at !== text.length || !exists(found.year, found.month, found.day)) return undefined;
  const date = `${padded(found.year, 4)}-${padded(found.month, 2)}-${padded(found.day, 2)}`;
  if (!hasTime) return date;
  if (found.hour > 23 || found.minute > 59 || found.second > 59) return undefined;
  return `${date}T${padded(found.hour, 2)}:${padded(found.minute, 2)}:${padded(found.second, 2)}`;
}

function widthOf(token: Token, text: string, at: number): number {
  if (token !== "d" && token !== "M") return token.length;
  return digitsAt(text, at + 1, 1) >= 0 ? 2 : 1;
}

function place(found: Record<string, number>, token: Token, value: number): void {
  switch (token) {
    case "yyyy":
      found["year"] = value;
      break;
    case "yy":
      // Two digits reach from 1950 to 2049.
      found["year"] = value < 50 ? 2000 + value : 1900 + value;
      break;
    case "MMM":
    case "MM":
    case "M":
      found["month"] = value;
      break;
    case "dd":
    case "d":
      found["day"] = value;
      break;
    case "HH":
      found["hour"] = value;
      break;
    case "mm":
      found["minute"] = value;
      break;
    case "ss":
      found["second"] = value;
      break;
    default:
      token satisfies never;
  }
}

/** The number that `width` digits state; −1 when they are no digits. */
function digitsAt(text: string, from: number, width: number): number {
  let value = 0;
  for (let at = from; at < from + width; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function exists(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (DAYS[month - 1] ?? 0) + (leap ? 1 : 0);
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** Text → ISO date by the first form that fits; a time in it is dropped. */
export function dateReader(forms: readonly DateForm[]): (text: string) => string | undefined {
  const [only, ...others] = forms;
  if (only !== undefined && others.length === 0 && !only.hasTime) return only.read;
  return (text) => {
    for (const form of forms) {
      const found = form.read(text);
      if (found !== undefined) return form.hasTime ? found.slice(0, 10) : found;
    }
    return undefined;
  };
}

/**
 * True when a text is written in one of the forms, so that only its day, month or hour can be
 * wrong. Two digits are no year of four.
 */
export function looksLike(text: string, forms: readonly DateForm[]): boolean {
  return forms.some(({ form }) => {
    const parts = (partsOf(form) ?? []).map((part) =>
      "literal" in part ? part.literal.replace(/\W/, String.raw`\$&`) : DIGITS[part.token],
    );
    return new RegExp(`^${parts.join("")}$`).test(text);
  });
}

const DIGITS: Readonly<Record<Token, string>> = {
  yyyy: "\\d{4}",
  yy: "\\d\\d",
  MMM: "[A-Za-z]{3}",
  MM: "\\d\\d",
  M: "\\d\\d?",
  dd: "\\d\\d",
  d: "\\d\\d?",
  HH: "\\d\\d",
  mm: "\\d\\d",
  ss: "\\d\\d",
};

/** A day as the form writes it, for messages. */
export function dayText(form: string): string {
  return (partsOf(form) ?? [])
    .map((part) => ("literal" in part ? part.literal : SAMPLE[part.token]))
    .join("");
}

const SAMPLE: Readonly<Record<Token, string>> = {
  yyyy: "2026",
  yy: "26",
  MMM: "Nov",
  MM: "11",
  M: "11",
  dd: "25",
  d: "25",
  HH: "08",
  mm: "15",
  ss: "00",
};

/**
 * Text → ISO moment in UTC: "2026-03-31T08:15:00Z" as it is, offsets counted in, local times by the
 * zone.
 */
export function instantReader(
  forms: readonly DateForm[],
  timeZone: Locale["timeZone"],
): (text: string) => string | undefined {
  return (text) => {
    const instant = withOffset(text);
    if (instant !== undefined) return instant;
    if (timeZone === undefined) return undefined;
    for (const form of forms) {
      const local = form.hasTime ? form.read(text) : undefined;
      if (local !== undefined) return inZone(local, timeZone);
    }
    return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) ? inZone(text, timeZone) : undefined;
  };
}

function withOffset(text: string): string | undefined {
  // Temporal takes spellings that nobody exports (basic format, annotations); those stay refused.
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[-+]\d\d:?\d\d)$/.test(text))
    return undefined;
  return settled(() => Temporal.Instant.from(text));
}

/**
 * In the hour that a clock change repeats, the earlier of the two; in the one it skips, an hour
 * later.
 */
function inZone(local: string, timeZone: string): string | undefined {
  return settled(() => Temporal.PlainDateTime.from(local).toZonedDateTime(timeZone).toInstant());
}

/** Microseconds are as fine as the database keeps. */
function settled(work: () => Temporal.Instant): string | undefined {
  try {
    return work().round({ smallestUnit: "microsecond", roundingMode: "floor" }).toString();
  } catch {
    return undefined;
  }
}
