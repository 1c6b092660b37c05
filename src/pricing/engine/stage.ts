/** Records → staged rows: where each stands, its value, its terms. */
import type { Canonical } from "../../model/index.ts";
import type { Codes } from "./book.ts";
import { endOfDay, momentOf, startOfDay } from "./calendar.ts";
import { conditionsText } from "./conditions.ts";
import { identityHashes } from "./content.ts";
import { KEY, REGION, ROW, ROW_TERMS, RULE_HIGH, RULE_LOW, VALUE } from "./layout.ts";
import { needsBasket } from "./document/needs.ts";
import { numberMasters } from "./masters.ts";
import type { Masters, NumberedMasters } from "./masters.ts";
import { scaledOf } from "./scaled.ts";
import { TABLES, placeOf, tableOf } from "./tables.ts";
import type { Source } from "./tables.ts";
import * as terms from "./terms.ts";
import type { Names, TermsTable } from "./terms.ts";

/** Fields that most rules leave blank; absent is null. */
type RareRuleField =
  | "toQuantity"
  | "soldIn"
  | "startsAt"
  | "endsAt"
  | "conditions"
  | "formula"
  | "stack"
  | "priority"
  | "contractUsedQuantity";
type RarePromotionField =
  | "countsOver"
  | "lowers"
  | "startsAt"
  | "endsAt"
  | "stacks"
  | "exclusiveGroup"
  | "priority"
  | "mostPerOrder"
  | "mostUses"
  | "mostUsesPerAccount"
  | "budget"
  | "freeQuantity"
  | "freeProduct"
  | "name";
type WithRare<Row, Field extends keyof Row> = Omit<Row, Field> & Partial<Pick<Row, Field>>;

export type RuleRow = WithRare<Canonical<"price-rule">, RareRuleField>;
export type PromotionRow = WithRare<Canonical<"promotion">, RarePromotionField>;
/** A line of a quotation with what counts of its head; only open quotations are given. */
export type QuotationRow = Pick<
  Canonical<"quotation">,
  "quotation" | "account" | "quotedOn" | "expiresOn"
> &
  Pick<Canonical<"quotation-line">, "line" | "product" | "quantity" | "unitPrice"> &
  Partial<Pick<Canonical<"quotation-line">, "orderedQuantity">>;

export interface Work {
  /** With the book that is being made: of one kept up to date they change. */
  masters: NumberedMasters;
  tableStarts: Int32Array;
  readonly units: Names;
  readonly currencies: Names;
  readonly labels: Names;
  readonly conditions: Names;
  readonly formulas: Names;
  readonly terms: TermsTable;
  /** Row of terms being filled in. */
  readonly draft: Float64Array;
  /** Values that do not fit a cell, each once, in order of arrival. */
  readonly wide: number[];
  readonly widePlaces: Map<number, number>;
  /** What was staged since it was last taken. */
  staged: Staged;
}

/** Rows with their places, and those that have none. */
export interface Staged {
  rows: Int32Array;
  count: number;
  /** Rows by table, four counts each: `HELD_NET` and `HELD_FIXED` added up tell which. */
  readonly held: Int32Array;
  /** Whom or what rows are for that is not there, in words, and how many rows. */
  readonly unreached: Map<string, number>;
  /** Runs that wrote rules, and how many, as far as it was told. */
  readonly runs: Map<string, number>;
  /** Promotions that only a basket can judge. */
  readonly basket: PromotionRow[];
}

export const HELD = 4;
export const HELD_NET = 1;
export const HELD_FIXED = 2;

export function emptyStaged(): Staged {
  return {
    rows: new Int32Array(64 * ROW),
    count: 0,
    held: new Int32Array(TABLES * HELD),
    unreached: new Map(),
    runs: new Map(),
    basket: [],
  };
}

export function emptyWork(masters: Masters): Work {
  const units: Names = { numbers: new Map() };
  const currencies: Names = { numbers: new Map([[masters.currency, OWN_CURRENCY]]) };
  const numbered = numberMasters(masters, units, currencies);
  return {
    masters: numbered,
    tableStarts: tableStartsOf(numbered),
    units,
    currencies,
    labels: { numbers: new Map() },
    conditions: { numbers: new Map() },
    formulas: { numbers: new Map() },
    terms: terms.emptyTerms(),
    draft: terms.openTerms(),
    wide: [],
    widePlaces: new Map(),
    staged: emptyStaged(),
  };
}

/** First region of each table if every table were kept, and their number. */
export function tableStartsOf(masters: NumberedMasters): Int32Array {
  const starts = new Int32Array(TABLES + 1);
  for (let table = 0; table < TABLES; table += 1)
    starts[table + 1] = starts[table]! + subjectCount(masters, table);
  return starts;
}

export function addRule(work: Work, row: RuleRow): void {
  draftRule(work, row);
  stage(work, "rule", row, row.value, row.rule);
}

/** The terms of a rule, into the draft: all that it says but whom, what, how much and its name. */
export function draftRule(work: Work, row: Omit<RuleRow, "rule" | "value">): void {
  const { draft } = work;
  draft.set(OPEN_TERMS);
  draft[terms.KIND] = terms.KINDS.indexOf(row.kind);
  draft[terms.FLAGS] = row.net ? terms.NET : 0;
  draft[terms.FROM] = scaledOf(row.fromQuantity, 5) ?? Infinity;
  draft[terms.TO] = scaledOf(row.toQuantity ?? "", 5) ?? Infinity;
  setLimit(draft, row.contractQuantity, row.contractUsedQuantity);
  setDates(work, row);
  if (row.kind === "fixed" || row.kind === "amount" || row.formula) {
    draft[terms.CURRENCY] = terms.numberOf(work.currencies, row.currency);
    draft[terms.UNIT] = terms.numberOf(work.units, row.unit);
  }
  draft[terms.SOLD_IN] = terms.numberOf(work.units, row.soldIn ?? null);
  draft[terms.CONDITIONS] = terms.numberOf(work.conditions, conditionsText(row.conditions));
  draft[terms.FORMULA] = terms.numberOf(work.formulas, row.formula ?? null);
  draft[terms.STACK] = STACKS[row.stack ?? "alone"];
  draft[terms.PRIORITY] = row.priority ?? -Infinity;
  draft[terms.LABEL] = terms.numberOf(work.labels, row.contract);
}

export function addPromotion(work: Work, row: PromotionRow): void {
  const isOfBasket = needsBasket(row);
  if (isOfBasket) work.staged.basket.push(row);
  const { draft } = work;
  draft.set(OPEN_TERMS);
  draft[terms.KIND] = terms.KINDS.indexOf(row.kind);
  // A line only says that such a promotion may hold over the basket.
  draft[terms.FLAGS] = isOfBasket ? terms.BASKET : 0;
  if (!isOfBasket) draft[terms.FROM] = scaledOf(row.buyQuantity ?? "0", 5) ?? Infinity;
  if (row.kind === "fixed" || row.kind === "amount") draft[terms.CURRENCY] = OWN_CURRENCY;
  setDates(work, row);
  draft[terms.PRIORITY] = row.priority ?? -Infinity;
  draft[terms.LABEL] = terms.numberOf(work.labels, row.promotion);
  const place = {
    customerScope: row.customerScope,
    customerCode: row.customerCode === "*" ? null : row.customerCode,
    productScope: row.productScope,
    productCode: row.productCode === "*" ? null : row.productCode,
  };
  stage(work, "promotion", place, row.value ?? "0", `${row.promotion}\n${row.customerScope}`);
}

export function addQuotation(work: Work, row: QuotationRow): void {
  const { draft } = work;
  draft.set(OPEN_TERMS);
  draft[terms.KIND] = terms.FIXED;
  setLimit(draft, row.quantity, row.orderedQuantity);
  setDates(work, { validFrom: row.quotedOn, validTo: row.expiresOn });
  draft[terms.LABEL] = terms.numberOf(work.labels, row.quotation);
  const place = {
    customerScope: "account",
    customerCode: row.account,
    productScope: "product",
    productCode: row.product,
  } as const;
  stage(work, "quotation", place, row.unitPrice, `${row.quotation}\n${row.line}`);
}

/** Number that the company's currency gets before any other. */
export const OWN_CURRENCY = 0;
const OPEN_TERMS = terms.openTerms();

const STACKS = {
  alone: terms.STANDS_ALONE,
  add: terms.STACKS_ADD,
  compound: terms.STACKS_COMPOUND,
} as const;

/** What is left of what a contract or quotation covers; below 0 nothing is. */
function setLimit(
  draft: Float64Array,
  covered: string | null,
  used: string | null | undefined,
): void {
  if (covered === null) return;
  const all = scaledOf(covered, 5) ?? Infinity;
  const gone = scaledOf(used ?? "", 5);
  draft[terms.LIMIT] = Math.max(0, all - (gone ?? 0));
  if (gone !== undefined) draft[terms.USED] = gone;
}

type Dated = Partial<Pick<RuleRow, "startsAt" | "endsAt">> & Pick<RuleRow, "validFrom" | "validTo">;

/** A moment counts before the day beside it. */
function setDates(
  { draft, masters: { timeZone } }: Work,
  { validFrom, validTo, startsAt, endsAt }: Dated,
): void {
  if (startsAt) draft[terms.START] = momentOf(startsAt);
  else if (validFrom !== null) draft[terms.START] = startOfDay(validFrom, timeZone);
  if (endsAt) draft[terms.END] = momentOf(endsAt);
  else if (validTo !== null) draft[terms.END] = endOfDay(validTo, timeZone);
}

type PlacedRow = Pick<RuleRow, "customerScope" | "customerCode" | "productScope" | "productCode">;

/** Puts a row with the drafted terms into its place, or counts it as reaching nobody. */
function stage(work: Work, source: Source, row: PlacedRow, value: string, identity: string): void {
  const table = tableOf(source, row.customerScope, row.productScope);
  const subject = subjectOf(work.masters, row);
  const key = keyOf(work.masters, row);
  if (subject < 0 || key < 0) {
    leaveOut(work, row, subject < 0);
    return;
  }
  const stored = storedValue(work, value);
  const number = terms.internTerms(work.terms, work.draft);
  const [high, low] = identityHashes(identity);
  stageRow(work, table, subject, key, stored, number, high, low);
}

/** Puts a row into its place in numbers. */
export function stageRow(
  work: Work,
  table: number,
  subject: number,
  key: number,
  value: number,
  number: number,
  ruleHigh: number,
  ruleLow: number,
): void {
  const { staged } = work;
  if ((staged.count + 1) * ROW > staged.rows.length) {
    const wider = new Int32Array(staged.rows.length * 2);
    wider.set(staged.rows);
    staged.rows = wider;
  }
  const { rows } = staged;
  const at = staged.count * ROW;
  rows[at + REGION] = work.tableStarts[table]! + subject;
  rows[at + KEY] = key;
  rows[at + VALUE] = value;
  rows[at + ROW_TERMS] = number;
  rows[at + RULE_HIGH] = ruleHigh;
  rows[at + RULE_LOW] = ruleLow;
  staged.count += 1;
  staged.held[table * HELD + heldAs(work.terms.rows, number)]! += 1;
}

/** Which of a table's counts a row with these terms is in. */
export function heldAs(rows: Float64Array, number: number): number {
  const at = number * terms.STRIDE;
  return (
    ((rows[at + terms.FLAGS]! & terms.NET) !== 0 ? HELD_NET : 0) +
    (rows[at + terms.KIND] === terms.FIXED ? HELD_FIXED : 0)
  );
}

/** The value as its cell holds it; sets the draft's flags to say how. */
function storedValue(work: Work, value: string): number {
  const { draft } = work;
  const plain = scaledOf(value, 4);
  if (plain !== undefined && plain === (plain | 0)) return plain;
  const fine = scaledOf(value, 6);
  if (fine === undefined) {
    draft[terms.FLAGS]! |= terms.UNREADABLE;
    return 0;
  }
  const fits = fine === (fine | 0);
  draft[terms.FLAGS]! |= fits ? terms.FINE : terms.WIDE;
  return fits ? fine : wideValue(work, fine);
}

export function wideValue({ wide, widePlaces }: Work, value: number): number {
  const known = widePlaces.get(value);
  if (known !== undefined) return known;
  widePlaces.set(value, wide.length);
  return wide.push(value) - 1;
}

export function leaveOut(
  { staged: { unreached } }: Work,
  row: PlacedRow,
  noSubject: boolean,
): void {
  const words = noSubject
    ? `${row.customerScope} ${row.customerCode ?? "(blank)"}`
    : `${row.productScope} ${row.productCode ?? "(blank)"}`;
  unreached.set(words, (unreached.get(words) ?? 0) + 1);
}

function subjectOf(masters: NumberedMasters, row: PlacedRow): number {
  const codes = subjectsOf(masters, row.customerScope);
  if (codes === null) return 0;
  return codes.numbers.get(row.customerCode ?? "") ?? -1;
}

function keyOf(masters: NumberedMasters, row: PlacedRow): number {
  const codes = keysOf(masters, row.productScope);
  if (codes === null) return 0;
  return codes.numbers.get(row.productCode ?? "") ?? -1;
}

/** Whom a customer scope can name; null: it names nobody, it is for everyone. */
export function subjectsOf(
  masters: NumberedMasters,
  scope: RuleRow["customerScope"],
): Codes | null {
  switch (scope) {
    case "account":
      return masters.accounts;
    case "head-office":
      return masters.headOffices;
    case "buying-group":
      return masters.buyingGroups;
    case "customer-group":
      return masters.customerGroups;
    case "site":
      return masters.sites;
    case "branch":
      return masters.branches;
    case "price-list":
      return masters.priceLists;
    case "everyone":
      return null;
    default:
      return scope satisfies never;
  }
}

export function keysOf(masters: NumberedMasters, scope: RuleRow["productScope"]): Codes | null {
  switch (scope) {
    case "product":
      return masters.products;
    case "product-group":
      return masters.groups;
    case "everything":
      return null;
    default:
      return scope satisfies never;
  }
}

export function subjectCount(masters: NumberedMasters, table: number): number {
  return subjectsOf(masters, placeOf(table).customer)?.codes.length ?? 1;
}

export function keyCount(masters: NumberedMasters, table: number): number {
  return keysOf(masters, placeOf(table).product)?.codes.length ?? 1;
}
