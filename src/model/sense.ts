/**
 * What the fields of a record must say together: each may be right by itself, and the record still
 * be nonsense, such as a price below zero or an offer that ends before it begins.
 */
import * as decimal from "./decimal.ts";
import type { AnyRecord, RecordDefinition, RecordValue } from "./record.ts";

/** Fields without a value (null) contradict nothing. */
export type Sense<F extends string = string> =
  /** A number within bounds, where another field has one of these values if `when` says so. */
  | {
      readonly kind: "bounds";
      readonly field: F;
      readonly least: number;
      readonly most?: number;
      readonly when?: { readonly field: F; readonly is: string };
    }
  /** Two dates, the second not before the first. */
  | { readonly kind: "order"; readonly first: F; readonly last: F }
  /** An amount that is exactly what others add up to. */
  | { readonly kind: "sum"; readonly of: readonly F[]; readonly field: F };

/** One rule, ready to be asked of every row of a pull. */
export interface SenseCheck {
  /** Named when the rule is broken. */
  readonly field: string;
  /** All that take part, for who puts it right. */
  readonly fields: readonly string[];
  /** "a fixed `value` is 0 or more", for messages and pages. */
  readonly expected: string;
  readonly holds: (record: AnyRecord) => boolean;
  /** What a record that breaks it says. */
  readonly found: (record: AnyRecord) => string;
}

/** The rules of a kind of record; none for most. */
export function senseOf({ sense }: Pick<RecordDefinition, "sense">): readonly SenseCheck[] {
  return sense.map((rule) => {
    switch (rule.kind) {
      case "bounds":
        return boundsCheck(rule);
      case "order":
        return orderCheck(rule);
      case "sum":
        return sumCheck(rule);
      default:
        return rule satisfies never;
    }
  });
}

function boundsCheck({
  field,
  least,
  most = Infinity,
  when,
}: Sense & { kind: "bounds" }): SenseCheck {
  const range = most === Infinity ? `${least} or more` : `from ${least} to ${most}`;
  const where = when === undefined ? "" : ` (${when.field} ${when.is})`;
  return {
    field,
    fields: [field],
    expected: `${field}${where} is ${range}`,
    holds: (record) => {
      const value = record[field];
      if (value === null || (when !== undefined && record[when.field] !== when.is)) return true;
      // Bounds are whole numbers: a float is on the right side of them.
      const number = Number(value);
      return number >= least && number <= most;
    },
    found: (record) => `${field} ${String(record[field])}${where}`,
  };
}

function orderCheck({ first, last }: Sense & { kind: "order" }): SenseCheck {
  return {
    field: last,
    fields: [first, last],
    expected: `${last} is ${first} or later`,
    holds: (record) => {
      const [from, to] = [record[first] ?? null, record[last] ?? null];
      return from === null || to === null || from <= to;
    },
    found: (record) =>
      `${last} ${dayText(record[last])} is before ${first} ${dayText(record[first])}`,
  };
}

function sumCheck({ field, of }: Sense & { kind: "sum" }): SenseCheck {
  const amount = (record: AnyRecord, name: string) => decimal.parse<"money">(String(record[name]));
  const total = (record: AnyRecord) => decimal.sum(of.map((name) => amount(record, name)));
  return {
    field,
    fields: [...of, field],
    expected: `${field} is ${of.join(" + ")}`,
    holds: (record) => decimal.compare(amount(record, field), total(record)) === 0,
    found: (record) => {
      const currency = String(record["currency"] ?? "GBP");
      const money = (value: decimal.Decimal<"money">) => decimal.readable(value, currency);
      const parts = of.map((name) => `${name} ${money(amount(record, name))}`);
      return `${parts.join(" + ")} = ${money(total(record))}, and ${field} ${money(amount(record, field))}`;
    },
  };
}

/** "2026-03-31" → "31/03/2026". */
function dayText(value: RecordValue | undefined): string {
  return String(value).split("-").toReversed().join("/");
}
