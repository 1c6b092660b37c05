/**
 * The books of the hostile ERP: what it holds by our order number, reckoned by itself from what it
 * was sent. Money is whole pence. Nothing here is Tradepost's, so that agreement proves something.
 */

/** Tables as a connector writes an order: details first, the header last. */
export type SentTables = readonly {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}[];

export interface HeldOrderLine {
  readonly line: number;
  readonly kind: string;
  readonly code: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly net: number;
  readonly vat: number;
}

export interface HeldDocument {
  readonly number: string;
  readonly key: string;
  readonly account: string;
  readonly lines: readonly HeldOrderLine[];
  readonly net: number;
  readonly vat: number;
  /** From when a search can see it, in milliseconds. */
  readonly visibleAt: number;
  /** In which order it came to be. */
  readonly sequence: number;
}

export interface ErpBooks {
  readonly documents: readonly HeldDocument[];
  /** Keys that were refused for good; nothing was made of them. */
  readonly refused: ReadonlySet<string>;
  /** Keys whose document is another than what was sent, on purpose. */
  readonly tampered: ReadonlySet<string>;
  /** Faults by kind. */
  readonly injected: ReadonlyMap<string, number>;
  readonly calls: number;
}

/** A document as the tables say it; `tamper`: the ERP charges a penny more a unit. */
export function documentOf(
  tables: SentTables,
  {
    tamper,
    ...identity
  }: Pick<HeldDocument, "number" | "visibleAt" | "sequence"> & {
    readonly tamper: boolean;
  },
): HeldDocument {
  const header = rowsOf(tables, "header")[0] ?? {};
  const lines = rowsOf(tables, "lines").map((row, at) =>
    lineOf(tamper && at === 0 ? { ...row, unitPrice: dearer(row["unitPrice"] ?? "0") } : row),
  );
  return {
    ...identity,
    key: header["webOrder"] ?? "",
    account: header["account"] ?? "",
    lines,
    net: sum(lines.map(({ net }) => net)),
    vat: sum(lines.map(({ vat }) => vat)),
  };
}

export function keyOf(tables: SentTables): string {
  return rowsOf(tables, "header")[0]?.["webOrder"] ?? "";
}

/** Its own reckoning: quantity times price, less what is off, to the penny, and VAT on that. */
function lineOf(row: Readonly<Record<string, string>>): HeldOrderLine {
  const text = (name: string) => row[name] ?? "";
  const quantity = text("quantity") === "" ? "1" : text("quantity");
  const worth = scaled(quantity) * scaled(text("unitPrice")) - scaled(text("discount")) * SCALE;
  const net = rounded(worth, SCALE * (SCALE / 100n));
  const rate = text("vatCode") === "STANDARD" ? 20n : 0n;
  return {
    line: Number(text("line")),
    kind: text("kind"),
    code: text("code"),
    quantity,
    unitPrice: text("unitPrice"),
    net: Number(net),
    vat: Number(rounded(net * rate, 100n)),
  };
}

const SCALE = 1_000_000n;

function scaled(text: string): bigint {
  const [whole = "0", fraction = ""] = (text === "" ? "0" : text).split(".");
  const size = BigInt(whole.replace("-", "") + fraction.padEnd(6, "0").slice(0, 6));
  return text.startsWith("-") ? -size : size;
}

/** Half away from zero. */
function rounded(value: bigint, by: bigint): bigint {
  const size = value < 0n ? -value : value;
  const whole = (size * 2n + by) / (by * 2n);
  return value < 0n ? -whole : whole;
}

function dearer(price: string): string {
  const more = scaled(price) + SCALE / 100n;
  return `${more / SCALE}.${String(more % SCALE).padStart(6, "0")}`;
}

function rowsOf(tables: SentTables, name: string): Record<string, string>[] {
  const table = tables.find((one) => one.name === name);
  return (table?.rows ?? []).map((row) =>
    Object.fromEntries((table?.columns ?? []).map((column, at) => [column, row[at] ?? ""])),
  );
}

export function pounds(pence: number): string {
  const size = String(Math.abs(pence)).padStart(3, "0");
  return `${pence < 0 ? "-" : ""}${size.slice(0, -2)}.${size.slice(-2)}`;
}

function sum(all: readonly number[]): number {
  return all.reduce((one, other) => one + other, 0);
}
