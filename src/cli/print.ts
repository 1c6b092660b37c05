/** How the command line shows things: tables that line up, money, dates; or JSON for programs. */
import { decimal, momentText } from "../model/index.ts";

export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => string;
  /** Figures stand to the right. */
  readonly right?: boolean;
}

/** Rows under their heads, columns as wide as their widest cell; `foot` stands under a rule. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  foot: readonly string[] = [],
): string {
  const cells = [
    columns.map((column) => column.head),
    ...rows.map((row) => columns.map((column) => oneLine(column.of(row)))),
    ...(foot.length === 0 ? [] : [foot]),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((line) => line[index]?.length ?? 0)),
  );
  const lines = cells.map((line) =>
    line
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.right === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  const [heads, ...body] = lines;
  if (foot.length > 0) body.splice(-1, 0, rule);
  return [heads, rule, ...body].join("\n");
}

function oneLine(cell: string): string {
  return cell.replaceAll(/\s+/g, " ");
}

/** Rows of files are shown as they came, but never steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\t\n]/gu, "\u{fffd}");
}

/** Pounds and pence of a decimal text; "–" when there is none. */
export function pounds(text: string | null | undefined, currency = "GBP"): string {
  return text === null || text === undefined
    ? "–"
    : decimal.readable(decimal.parse(text), currency);
}

/** A price with all the places that it has, two at least: £3.10, £3.443. */
export function price(text: string, currency = "GBP"): string {
  const value = plain(text);
  const more = value.replace(/^[^.]*(?:\.\d{0,2})?/, "");
  if (more === "") return pounds(value, currency);
  const cut = pounds(value.replace("-", "").slice(0, -more.length), currency);
  return `${value.startsWith("-") ? "-" : ""}${cut}${more}`;
}

/** Decimal texts added up; what is not known counts nothing. */
export function total(texts: readonly (string | null | undefined)[]): string {
  const known = texts.filter((text) => text !== null && text !== undefined);
  return known.length === 0
    ? "0.00"
    : decimal.format(decimal.sum(known.map(decimal.parse<"money">)));
}

/** 12.00000 → 12, 4.250000 → 4.25 */
export function plain(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** handedOver → handed over */
export function words(state: string): string {
  return state.replaceAll(/[A-Z-]/g, (each) => (each === "-" ? " " : ` ${each.toLowerCase()}`));
}

/** 31/03/2026, from ISO text. */
export function day(iso: string | null): string {
  return iso === null ? "–" : iso.slice(0, 10).split("-").toReversed().join("/");
}

/** 31/03/2026 08:15, in the company's time zone. */
export function moment(at: Temporal.Instant | null, timeZone: string): string {
  return at === null ? "–" : momentText(at, timeZone);
}

/** 12,345 */
export function count(value: number): string {
  return value.toLocaleString("en-GB");
}

/** For spreadsheets: what a file brought in can never become a formula there. */
export async function csv(rows: readonly (readonly string[])[]): Promise<string> {
  const { stringify } = await import("csv-stringify/sync");
  const harmless = (cell: string) => (/^(?:[=+@\t\r]|-(?!\d))/.test(cell) ? `'${cell}` : cell);
  return stringify(rows.map((row) => row.map(harmless))).trimEnd();
}

/** JSON with moments as ISO text and without secrets: what `--json` prints. */
export function json(value: unknown): string {
  return JSON.stringify(
    value,
    (_, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner),
    2,
  );
}
