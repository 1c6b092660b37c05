/**
 * What this ERP charges. The rules are written down in README.md; this is one implementation of
 * them, made to be read beside it. It shares no code with Tradepost's own engine on purpose.
 */
import type {
  Customer,
  Merchant,
  PriceRule,
  Product,
} from "../../../deploy/demo/merchant/index.ts";
import { lessPercent, PRICE, QUANTITY, scaled } from "./figures.ts";

export interface Charge {
  /** Per pricing unit, 4 places. */
  readonly price4: number;
  /** The `rule` or `promotion` that won. */
  readonly rule: string;
  readonly from: "price-rule" | "promotion";
}

export interface Priced {
  readonly account: string;
  readonly product: string;
  /** Selling units, 5 places. */
  readonly quantity5: number;
  /** ISO date. */
  readonly on: string;
}

export interface Pricing {
  /** null: no rule gives a price, or account or product is not known. */
  charge(asked: Priced): Charge | null;
  /** All rules as they stand, for the export. */
  rules(): readonly PriceRule[];
  /** Closes rules (by `rule`) on a date and adds others. */
  change(closed: ReadonlySet<string>, closedOn: string, added: readonly PriceRule[]): void;
}

interface Row {
  readonly rule: string;
  readonly from: Charge["from"];
  readonly kind: "fixed" | "percent" | "amount";
  readonly value4: number;
  readonly fromQuantity5: number;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly net: boolean;
}

/** Rules by whom they are for, then by what they are for. */
type Index = ReadonlyMap<string, ReadonlyMap<string, readonly Row[]>>;

/** How rules for an account, its discount group and its price list are found; null: it has none. */
interface Whom {
  readonly account: string;
  readonly group: string | null;
  readonly list: string | null;
}

/** How rules for a product and its group are found. */
interface What {
  readonly product: string;
  readonly group: string;
}

export function pricingOf(merchant: Merchant): Pricing {
  const whoms = new Map(merchant.customers.map((one) => [one.account, whomOf(one)]));
  const whats = new Map(merchant.products.map((one) => [one.product, whatOf(one)]));
  const promotions = promotionIndex(merchant);
  let rules = merchant.priceRules;
  let index = ruleIndex(rules);
  return {
    charge(asked) {
      const whom = whoms.get(asked.account);
      const what = whats.get(asked.product);
      if (whom === undefined || what === undefined) return null;
      return winner(candidates({ index, promotions, whom, what, asked }));
    },
    rules: () => rules,
    change(closed, closedOn, added) {
      rules = rules
        .map((rule) => (closed.has(rule.rule) ? { ...rule, validTo: closedOn } : rule))
        .concat(added);
      index = ruleIndex(rules);
    },
  };
}

const keyOf = (scope: string, code: string | null) => `${scope}:${code ?? "*"}`;
const EVERYONE = keyOf("everyone", null);

function whomOf({ account, customerGroup, priceList }: Customer): Whom {
  return {
    account: keyOf("account", account),
    group: customerGroup === null ? null : keyOf("customer-group", customerGroup),
    list: priceList === null ? null : keyOf("price-list", priceList),
  };
}

function whatOf({ product, productGroup }: Product): What {
  return { product: keyOf("product", product), group: keyOf("product-group", productGroup) };
}

function ruleIndex(rules: readonly PriceRule[]): Index {
  return indexBy(rules, (rule) => ({
    rule: rule.rule,
    from: "price-rule",
    kind: rule.kind,
    value4: scaled(rule.value, PRICE),
    fromQuantity5: scaled(rule.fromQuantity, QUANTITY),
    validFrom: rule.validFrom,
    validTo: rule.validTo,
    net: rule.net,
  }));
}

function promotionIndex({ promotions }: Merchant): Index {
  return indexBy(promotions, (promotion) => ({
    rule: promotion.promotion,
    from: "promotion",
    kind: promotion.kind,
    value4: scaled(promotion.value, PRICE),
    fromQuantity5: 0,
    validFrom: promotion.validFrom,
    validTo: promotion.validTo,
    net: false,
  }));
}

interface Target {
  readonly customerScope: string;
  readonly customerCode: string | null;
  readonly productScope: string;
  readonly productCode: string;
}

function indexBy<T extends Target>(list: readonly T[], rowOf: (one: T) => Row): Index {
  const index = new Map<string, Map<string, Row[]>>();
  for (const one of list) {
    const whom = keyOf(one.customerScope, one.customerCode);
    const what = keyOf(one.productScope, one.productCode);
    const theirs = index.get(whom) ?? new Map<string, Row[]>();
    const rows = theirs.get(what) ?? [];
    index.set(whom, theirs.set(what, rows));
    rows.push(rowOf(one));
  }
  return index;
}

interface Candidate extends Charge {
  readonly rank: number;
  readonly net: boolean;
}

interface Lookup {
  readonly index: Index;
  readonly promotions: Index;
  readonly whom: Whom;
  readonly what: What;
  readonly asked: Priced;
}

function candidates({ index, promotions, whom, what, asked }: Lookup): readonly Candidate[] {
  const find = (rules: Index, theWhom: string | null, theWhat: string): readonly Row[] => {
    const rows = theWhom === null ? undefined : rules.get(theWhom)?.get(theWhat);
    return rows === undefined ? [] : inForce(rows, asked);
  };
  const list = find(index, whom.list, what.product);
  const base = ranked(5, list.length > 0 ? list : find(index, EVERYONE, what.product), null);
  const base4 = base.length === 0 ? null : Math.min(...base.map(({ price4 }) => price4));
  return [
    ...ranked(1, find(index, whom.account, what.product), base4),
    ...ranked(2, find(index, whom.account, what.group), base4),
    ...ranked(3, find(index, whom.group, what.group), base4),
    ...[EVERYONE, whom.group, whom.account].flatMap((theWhom) => [
      ...ranked(4, find(promotions, theWhom, what.product), base4),
      ...ranked(4, find(promotions, theWhom, what.group), base4),
    ]),
    ...base,
  ];
}

/** Of each rule that holds on the date, the row with the greatest break that is reached. */
function inForce(rows: readonly Row[], { on, quantity5 }: Priced): readonly Row[] {
  const holding = rows.filter(
    (row) =>
      (row.validFrom === null || row.validFrom <= on) &&
      (row.validTo === null || row.validTo >= on) &&
      row.fromQuantity5 <= quantity5,
  );
  return holding.length < 2 ? holding : greatestBreaks(holding);
}

function greatestBreaks(rows: readonly Row[]): readonly Row[] {
  const best = new Map<string, Row>();
  for (const row of rows) {
    const other = best.get(row.rule);
    if (other === undefined || other.fromQuantity5 < row.fromQuantity5) best.set(row.rule, row);
  }
  return [...best.values()];
}

function ranked(rank: number, rows: readonly Row[], base4: number | null): readonly Candidate[] {
  return rows.flatMap(({ rule, from, net, kind, value4 }) => {
    const price4 = priceOf(kind, value4, base4);
    return price4 === null ? [] : [{ rank, rule, from, net, price4: Math.max(0, price4) }];
  });
}

function priceOf(kind: Row["kind"], value4: number, base4: number | null): number | null {
  switch (kind) {
    case "fixed":
      return value4;
    case "percent":
      return base4 === null ? null : lessPercent(base4, value4);
    case "amount":
      return base4 === null ? null : base4 - value4;
    default:
      return kind satisfies never;
  }
}

function winner(all: readonly Candidate[]): Charge | null {
  const net = all.filter((candidate) => candidate.net);
  const [first, ...others] = net.length > 0 ? net : all;
  if (first === undefined) return null;
  const { price4, rule, from } = others.reduce(
    (best, candidate) => (beats(candidate, best) ? candidate : best),
    first,
  );
  return { price4, rule, from };
}

function beats(one: Candidate, other: Candidate): boolean {
  if (one.price4 !== other.price4) return one.price4 < other.price4;
  if (one.rank !== other.rank) return one.rank < other.rank;
  return one.rule < other.rule;
}
