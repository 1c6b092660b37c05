/** What each kind of case asks of the product, and under which names it can expect the answers. */
import { booksOf, ladder, price } from "./ask.ts";
import { agrees } from "./compare.ts";
import type { Line, Priced } from "./ask.ts";
import { needsBasket, promoted, promotionsOfOrder, promotionsOfRules, whomOf } from "./basket.ts";
import { documentLine, documentOf, savedPercent } from "./document.ts";
import type { Paper, Worked } from "./document.ts";
import type { OrderLine, Rule, RuleMatch } from "./format.ts";
import type { Answers, Given } from "./pricing.ts";
import { recordsOf } from "./records.ts";
import { times, worldOf } from "./world.ts";
import type { Goods, World } from "./world.ts";
import { policyOf, roundedAs } from "./strategy.ts";

export const ASKED: Readonly<Record<string, (given: Given) => Answers>> = {
  unit_price: ofLine,
  winning_rule: ofLine,
  discount_percent: ofLine,
  validation_error: ofLine,
  free_goods: ofBasket,
  combined_tier_table: ofTable,
  tier_table: ofTable,
  tax: ofTax,
  order_total: ofOrder,
  rounding: ofRounding,
  display: ofDisplay,
};

function ofLine(given: Given): Answers {
  const { query } = given.of;
  if (query?.lines !== undefined || given.rules.some(needsBasket)) return ofBasket(given);
  const world = worldOf(given.of, asked(given), given.strategy);
  const line = (): Line => lineOf(world, world.query.qty ?? "1");
  const at = (policy: string, asked: Line): Priced =>
    price(world, recordsOf(world, asked.unit), policyOf(policy), asked);
  const { policy, original } = given.strategy;
  const here = () => at(policy, line());
  const perBase = () => at(policy, inBaseUnits(line()));
  return {
    unit_price: () => here().unitPrice,
    price_per_base_uom: () => perBase().unitPrice,
    gross_unit_price: () => here().base,
    list_price: () => here().base,
    original_price: () => (original === undefined ? here().base : at(original, line()).unitPrice),
    discount_percent: () => here().saved,
    rule: () => here().rule,
    line_amount: () => here().net,
    line_net: () => here().net,
    line_total: () => here().net,
    error: () => here().error,
  };
}

/** Rules that count for the query at all. */
function asked({ of, rules }: Given): readonly Rule[] {
  return of.query?.ignore_rules === true ? [] : rules;
}

/** The unit in which the query asks, or else the product's own. */
function sold({ query }: World, goods: Goods): string {
  return query.uom !== undefined && query.uom in goods.uoms ? query.uom : goods.base_uom;
}

function lineOf(world: World, quantity: string): Line {
  const { query, goods } = world;
  const [only] = goods;
  const sku = query.sku ?? query.set ?? only?.sku ?? "";
  const product = goods.find((one) => one.sku === sku);
  if (product === undefined) throw new Error(`${sku} is no product of the case`);
  if (query.uom !== undefined && !(query.uom in product.uoms))
    throw new Error(`${sku} is not sold in ${query.uom}`);
  return { product, quantity, unit: sold(world, product), pooled: null };
}

/** The same quantity in the product's own unit. */
function inBaseUnits(line: Line): Line {
  const { product, quantity, unit } = line;
  return {
    ...line,
    unit: product.base_uom,
    quantity: times(quantity, product.uoms[unit] ?? "1"),
  };
}

function ofBasket(given: Given): Answers {
  const { of, strategy } = given;
  const rules = asked(given);
  const query = of.query ?? {};
  const lines: readonly OrderLine[] = query.lines ?? [
    { sku: query.sku, qty: query.qty ?? "1", uom: query.uom },
  ];
  const world = worldOf(
    of,
    rules.filter((rule) => !needsBasket(rule)),
    strategy,
  );
  const policy = policyOf(strategy.policy);
  const records = recordsOf(world, null);
  const priced = lines.map((line) => {
    const product = world.goods.find(({ sku }) => sku === (line.sku ?? world.goods[0]?.sku));
    if (product === undefined) throw new Error(`${line.sku} is no product of the case`);
    const unit = line.uom ?? product.base_uom;
    const { net } = price(world, records, policy, {
      product,
      quantity: line.qty,
      unit,
      pooled: null,
    });
    return { sku: product.sku, groups: product.groupChain, quantity: line.qty, amount: net ?? "0" };
  });
  const result = promoted(policy, promotionsOfRules(rules), priced, whomOf({ query }, "exclusive"));
  const only = result.lines.length === 1 ? result.lines[0] : undefined;
  return {
    free_lines: () => result.free,
    line_discounts: () => Object.fromEntries(result.lines.map(({ sku, saved }) => [sku, saved])),
    line_nets: () => Object.fromEntries(result.lines.map(({ sku, net }) => [sku, net])),
    discount_percent: () => only?.saved ?? null,
    line_amount: () => only?.net ?? null,
    line_net: () => only?.net ?? null,
    rule: () => result.applied[0] ?? null,
  };
}

/** The breaks of all units and currencies of a product, as its lists come together. */
function ofTable(given: Given): Answers {
  const { of, strategy } = given;
  const rules = changed(given);
  const world = worldOf(of, rules, strategy);
  const before = worldOf(of, given.rules, strategy);
  const policy = policyOf(strategy.policy);
  const products = new Set([...world.goods.map(({ sku }) => sku), ...Object.keys(of.expect)]);
  const table = (sku: string) => {
    const product = world.goods.find((one) => one.sku === sku);
    if (product === undefined) return [];
    const own = rules.filter((rule) => (rule.sku ?? rule.scope?.sku) === sku);
    const currencies = [...new Set(own.map((rule) => rule.currency ?? world.currency))];
    return Object.keys(product.uoms).flatMap((uom) => {
      const books = booksOf(policy, recordsOf(world, uom), recordsOf(before, uom));
      const [rows = [], ...others] = books.map((book) =>
        currencies.flatMap((currency) =>
          ladder(world, book, { product, uom, currency }).map(({ from, unitPrice }) => ({
            value: unitPrice,
            currency,
            min_qty: from,
            uom,
          })),
        ),
      );
      if (!others.every((other) => agrees(rows, other)))
        throw new Error(`${sku}: a book that was changed differs from one compiled anew`);
      return rows;
    });
  };
  return Object.fromEntries(
    [...products].map((sku) => [sku, () => inOrderOf(of.expect[sku], table(sku))]),
  );
}

/** A table has no order: rows stand as the case has them, those that it has not last. */
function inOrderOf(expected: unknown, rows: readonly Row[]): Row[] {
  if (!Array.isArray(expected)) return [...rows];
  const key = ({ currency, uom, min_qty }: Row) => [currency, uom, min_qty].join("/");
  const order = (expected as Row[]).map(key);
  const place = (row: Row) => (order.includes(key(row)) ? order.indexOf(key(row)) : order.length);
  return rows.toSorted((a, b) => place(a) - place(b));
}

interface Row {
  readonly value: string | null;
  readonly currency: string;
  readonly min_qty: string;
  readonly uom: string;
}

/** The rules after the case's change to them. */
function changed({ of, rules }: Given): readonly Rule[] {
  const { change } = of;
  if (change === undefined || change === null) return rules;
  const { add, remove, set_value } = change;
  const left = remove === undefined ? rules : rules.filter((rule) => !isMatch(rule, remove));
  const set = left.map((rule) =>
    set_value !== undefined && isMatch(rule, set_value.match)
      ? { ...rule, value: set_value.value }
      : rule,
  );
  return add === undefined ? set : [...set, add];
}

function isMatch(rule: Rule, match: RuleMatch): boolean {
  return Object.entries(match).every(([name, value]) => rule[name as keyof Rule] === value);
}

/** A price stated with or without VAT, for a buyer who sees it with or without. */
function ofTax({ of, strategy }: Given): Answers {
  const { query = {}, products = [] } = of;
  const product = products.find(({ sku }) => sku === (query.sku ?? products[0]?.sku));
  const price = product?.list_price ?? product?.unit_price;
  if (price === undefined || price === null) throw new Error("the case has no price");
  const { customer_tax: buyer } = query;
  const included = product?.price_includes_tax_percent;
  const own = product?.tax_percent ?? query.tax_percent ?? included ?? "0";
  const isGross = buyer?.included ?? query.prices_including_tax ?? false;
  // A price without tax stands for the buyer's whole price where his tax is a part of prices.
  const asItStands = buyer !== undefined && Number(included ?? "0") === 0;
  const line = { unit_price: price, qty: query.qty ?? "1", tax_percent: buyer?.percent ?? own };
  const paper: Paper = {
    prices: isGross ? "inclusive" : "exclusive",
    lines: [documentLine(line, asItStands ? undefined : (included ?? "0"))],
  };
  return {
    ...lineAnswers(() => documentOf(roundedAs(policyOf(strategy.policy), of.rounding), paper)),
  };
}

function lineAnswers(work: () => Worked): Answers {
  const first = () => work().lines[0];
  return {
    unit_price: () => first()?.unitPrice,
    line_net: () => first()?.net,
    line_vat: () => first()?.vat,
    line_tax: () => first()?.vat,
    line_gross: () => first()?.gross,
    line_total: () => first()?.gross,
    net: () => work().net,
    vat: () => work().vat,
    tax: () => work().vat,
    gross: () => work().gross,
  };
}

/** Orders in the smallest unit of their money: goods, surcharges and carriage. */
function ofOrder({ of }: Given): Answers {
  const prices = of.prices_include_tax === true ? "inclusive" : "exclusive";
  const policy = roundedAs(
    policyOf(of.minor_unit_decimals === undefined ? "document-line" : "vendure-promotions"),
    of.rounding,
  );
  const given = (of.lines ?? []).map((line, at) => ({
    ...line,
    sku: line.sku ?? `line ${at + 1}`,
  }));
  const plain = documentOf(policy, { prices, lines: given.map((line) => documentLine(line)) });
  const promotions = of.promotions ?? [];
  const { off } = promoted(
    policy,
    promotionsOfOrder(promotions),
    given.map((line, at) => ({
      sku: line.sku,
      groups: line.groups ?? [],
      quantity: line.qty,
      amount: (prices === "inclusive" ? plain.lines[at]?.gross : plain.lines[at]?.net) ?? "0",
    })),
    whomOf({ query: of.query ?? {} }, prices),
  );
  const lines = given.map((line, at) => ({ ...documentLine(line), lowered: off[at] ?? 0 }));
  const surcharges = of.surcharges ?? [];
  const carriage = of.shipping ?? [];
  const onCarriage = promotions.filter(({ level }) => level === "shipping");
  const goods = () => documentOf(policy, { prices, lines, charges: surcharges });
  const all = () =>
    documentOf(policy, { prices, lines, charges: surcharges, carriage, promotions: onCarriage });
  const sent = () => {
    const charges = all().charges.slice(surcharges.length);
    return charges.length === 1 ? charges[0] : undefined;
  };
  return {
    subtotal: () => goods().net,
    subtotal_with_tax: () => goods().gross,
    shipping: () => sent()?.net,
    shipping_with_tax: () => sent()?.gross,
    total: () => all().net,
    total_with_tax: () => all().gross,
    tax: () => all().vat,
    total_tax: () => all().vat,
    line_nets: () => all().lines.map(({ net }) => net),
    line_grosses: () => all().lines.map(({ gross }) => gross),
    line_taxes: () => all().lines.map(({ vat }) => vat),
    tax_summary: () => all().rates.map(({ rate, net, vat }) => ({ rate, base: net, tax: vat })),
  };
}

/** VAT worked out on each line, on each rate of the document, or in each unit's price. */
function ofRounding(given: Given): Answers {
  const { of } = given;
  if (of.tiers !== undefined) return ofRows(given);
  const isGross = of.lines?.some(({ gross_unit }) => gross_unit !== undefined);
  const prices = (of.prices_include_tax ?? isGross) ? "inclusive" : "exclusive";
  const lines = (of.lines ?? []).map((line) => documentLine(line));
  const inUnits = (of.lines ?? []).map((line) => documentLine(line, "0"));
  const rounded = (name: string) => roundedAs(policyOf(name), of.rounding);
  const byLine = () => documentOf(rounded("document-line"), { prices, lines });
  const byRate = () => documentOf(rounded("document-rate"), { prices, lines });
  const byUnit = () =>
    documentOf(rounded("document-unit"), { prices: "inclusive", lines: inUnits });
  const named = (work: () => Worked, suffix: string): Answers => ({
    [`net${suffix}`]: () => work().net,
    [`vat${suffix}`]: () => work().vat,
    [`tax${suffix}`]: () => work().vat,
    [`gross${suffix}`]: () => work().gross,
    [`total${suffix}`]: () => work().gross,
  });
  return {
    ...named(byLine, ""),
    ...named(byLine, "_line"),
    ...named(byLine, "_line_sum"),
    ...named(byLine, "_per_line"),
    ...named(byRate, "_invoice"),
    ...named(byRate, "_total"),
    ...named(byRate, "_per_invoice"),
    ...named(byUnit, "_unit"),
    ...named(byUnit, "_per_unit"),
    line_net: () => byLine().lines.map(({ net }) => net),
    line_vat: () => byLine().lines.map(({ vat }) => vat),
    line_gross: () => byLine().lines.map(({ gross }) => gross),
  };
}

/** Rows of one product: breaks counted over each row, or over all of them. */
function ofRows(given: Given): Answers {
  const world = worldOf(given.of, given.rules, given.strategy);
  const rows = given.of.query?.rows ?? [given.of.query?.qty ?? "1"];
  const records = recordsOf(world, null);
  const policy = policyOf("tier-all-units");
  const unitPrice = (quantity: string, pooled: readonly string[] | null) =>
    price(world, records, policy, { ...lineOf(world, quantity), pooled }).unitPrice;
  return {
    unit_price: () => unitPrice(rows[0] ?? "1", rows),
    pooled_unit_price: () => unitPrice(rows[0] ?? "1", rows),
    per_line_unit_prices: () => rows.map((row) => unitPrice(row, null)),
  };
}

function ofDisplay({ of }: Given): Answers {
  const { base_price, tier_price } = of.query ?? {};
  return {
    save_percent: () => {
      if (base_price === undefined || tier_price === undefined)
        throw new Error("save_percent needs query.base_price and query.tier_price");
      return savedPercent(base_price, tier_price);
    },
  };
}
