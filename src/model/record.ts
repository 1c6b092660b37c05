/**
 * How a canonical record is described. One description gives the TypeScript type, the columns of
 * its table, the check of a value and the documented CSV layout, so that these cannot drift apart.
 */
import type { Sense } from "./sense.ts";

/**
 * What a field holds. Texts in a record are already trimmed; "" never occurs, null means not known.
 */
export type FieldKind =
  /** Free text up to `max` characters. */
  | { readonly kind: "text"; readonly max: number }
  /** An identifier of the source system up to `max` characters; compared exactly, case included. */
  | { readonly kind: "code"; readonly max: number }
  /** A word from a closed list. */
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "flag" }
  /** A whole number within ±2,147,483,647. */
  | { readonly kind: "integer" }
  /** A decimal text with at most `scale` places and `precision` digits in all: "12.50". */
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  /**
   * A business date as ISO text, "2026-03-31"; it has no time zone. Its year is `since` (1990 when
   * not said) to 2099: 0026 and 2206 are slips.
   */
  | { readonly kind: "date"; readonly since?: number }
  /** A moment as ISO text in UTC, "2026-03-31T08:15:00Z", of 1990 to 2099. */
  | { readonly kind: "instant" };

export type Field = FieldKind & {
  /** Unit, range and what null means, in words that a mapping's author reads. */
  readonly about: string;
  /** True when null is allowed. */
  readonly optional?: boolean;
  /**
   * What a mapping that does not name the field gives; only flags, choices and decimals have one.
   */
  readonly otherwise?: string | boolean | number;
  /** An amount of money; words: only where the record's `kind` is one of them. */
  readonly money?: true | readonly string[];
};

type ValueOf<F> = F extends { kind: "flag" }
  ? boolean
  : F extends { kind: "integer" }
    ? number
    : F extends { kind: "choice"; values: readonly (infer V)[] }
      ? V
      : string;

export interface RecordDefinition<
  Name extends string = string,
  Fields extends Readonly<Record<string, Field>> = Readonly<Record<string, Field>>,
> {
  /** Kebab-case, singular: `price-rule`. Also the name of its mapping file. */
  readonly name: Name;
  /** Its table: snake_case, singular. */
  readonly table: string;
  /** One sentence: what one record is. */
  readonly about: string;
  /** The natural key inside a company; these fields are never null. */
  readonly key: readonly string[];
  readonly fields: Fields;
  /** True when a posted document: merged at once and never removed by a snapshot. */
  readonly posted: boolean;
  /** What its fields must say together; a row that breaks one waits in quarantine. */
  readonly sense: readonly Sense[];
}

/** The years that a field's dates can be of. */
export function yearsOf(field: FieldKind): { readonly first: number; readonly last: number } {
  return { first: (field.kind === "date" ? field.since : undefined) ?? 1990, last: 2099 };
}

/** The TypeScript type of a record: every field is present, null when not known. */
export type RecordOf<D> = D extends { readonly fields: infer Fields }
  ? {
      readonly [F in keyof Fields]: Fields[F] extends { optional: true }
        ? ValueOf<Fields[F]> | null
        : ValueOf<Fields[F]>;
    }
  : never;

/** Any record's value, when its kind is only known at run time. */
export type RecordValue = string | number | boolean | null;
export type AnyRecord = Readonly<Record<string, RecordValue>>;

export function defineRecord<
  const Name extends string,
  const Fields extends Readonly<Record<string, Field>>,
>(definition: {
  name: Name;
  about: string;
  key: readonly (keyof Fields & string)[];
  posted?: boolean;
  fields: Fields;
  sense?: readonly Sense<keyof Fields & string>[];
}): RecordDefinition<Name, Fields> {
  return {
    ...definition,
    table: definition.name.replaceAll("-", "_"),
    posted: definition.posted ?? false,
    sense: definition.sense ?? [],
  };
}

/** Of the record's field: its currency where it is an amount of money; null: it is none. */
export function currencyIn(
  { fields }: RecordDefinition,
  field: string,
  record: Readonly<Record<string, string | null>>,
): string | null {
  const { money } = fields[field] ?? {};
  const isMoney = money === true || (money?.includes(record["kind"] ?? "") ?? false);
  return isMoney ? (record["currency"] ?? "GBP") : null;
}

/** `validFrom` → `valid_from`: the column of a field. */
export function columnOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export const code = (max: number, about: string) => ({ kind: "code", max, about }) as const;
export const text = (max: number, about: string) => ({ kind: "text", max, about }) as const;
export const date = (about: string) => ({ kind: "date", about }) as const;
/** A date that can be long ago: when an account was opened, when a rep started. */
export const oldDate = (about: string) => ({ kind: "date", since: 1900, about }) as const;
export const instant = (about: string) => ({ kind: "instant", about }) as const;
export const integer = (about: string) => ({ kind: "integer", about }) as const;
export const flag = (otherwise: boolean, about: string) =>
  ({ kind: "flag", otherwise, about }) as const;
export const choice = <const V extends readonly string[]>(values: V, about: string) =>
  ({ kind: "choice", values, about }) as const;
/** An amount of money with 2 places, as ledgers post it. */
export const money = (about: string) =>
  ({ kind: "decimal", precision: 18, scale: 2, money: true, about }) as const;
/** A price or cost per unit; ERPs keep 2 to 6 places. */
export const unitPrice = (about: string) =>
  ({ kind: "decimal", precision: 18, scale: 6, money: true, about }) as const;
/** A price or amount where the record's `kind` is one of these, else a percent. */
export const moneyWhere = <const K extends readonly string[]>(money: K, about: string) =>
  ({ ...unitPrice(about), money }) as const;
export const quantity = (about: string) =>
  ({ kind: "decimal", precision: 18, scale: 5, about }) as const;
export const percent = (about: string) =>
  ({ kind: "decimal", precision: 9, scale: 4, about }) as const;
export const optional = <const F extends Field>(field: F) =>
  ({ ...field, optional: true }) as const;
export const otherwise = <const F extends Field, const V extends string | number>(
  value: V,
  field: F,
) => ({ ...field, otherwise: value }) as const;
