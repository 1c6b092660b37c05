/** Where prices come from: price lists, price rules, promotions, quotations. */
import {
  choice,
  code,
  date,
  defineRecord,
  flag,
  instant,
  integer,
  money,
  moneyWhere,
  optional,
  otherwise,
  quantity,
  text,
  unitPrice,
} from "../record.ts";

/** Whom a price rule is for, most particular first. */
export const PRICE_RULE_CUSTOMER_SCOPES = [
  "account",
  "head-office",
  "buying-group",
  "customer-group",
  "site",
  "branch",
  "price-list",
  "everyone",
] as const;
/** What a price rule is for, most particular first. */
export const PRICE_RULE_PRODUCT_SCOPES = ["product", "product-group", "everything"] as const;

/** More than 100 % off is a price below zero; a surcharge (below 0) at most doubles a price. */
const PERCENT = { kind: "bounds", field: "value", least: -100, most: 100 } as const;

export const priceList = defineRecord({
  name: "price-list",
  about: "A price list or band that accounts can be on.",
  key: ["priceList"],
  fields: {
    priceList: code(40, "Code of the price list."),
    name: text(100, "Name of the price list."),
    currency: otherwise("GBP", code(3, "ISO currency of its prices.")),
    standard: flag(false, "True for the list that accounts without one are on."),
  },
});

export const priceRule = defineRecord({
  name: "price-rule",
  about: "One price or discount: for whom, for what, from which quantity, between which dates.",
  key: ["rule", "fromQuantity"],
  fields: {
    rule: code(120, "Identity of the rule in the ERP; breaks of one rule share it."),
    customerScope: choice(PRICE_RULE_CUSTOMER_SCOPES, "Whom it is for."),
    customerCode: optional(
      code(90, 'Account, group, site ("ACCOUNT/SITE"), branch or price list; null for everyone.'),
    ),
    productScope: choice(PRICE_RULE_PRODUCT_SCOPES, "What it is for."),
    productCode: optional(code(60, "Product or product group; null for everything.")),
    kind: choice(
      ["fixed", "percent", "amount", "markup", "on-request"],
      "fixed: the price; percent: off the base price; amount: off the base price per pricing unit; markup: percent on cost; on-request: no price is shown, the buyer asks.",
    ),
    value: moneyWhere(
      ["fixed", "amount"],
      "Price, percent or amount, by `kind`. A negative percent is a surcharge.",
    ),
    currency: otherwise("GBP", code(3, "ISO currency of a price or amount.")),
    unit: optional(code(20, "Unit that a price is per; null: the product's pricing unit.")),
    fromQuantity: otherwise("0", quantity("Break: holds from this many selling units, inclusive.")),
    toQuantity: optional(quantity("Holds up to this many selling units, inclusive; null: any.")),
    soldIn: optional(code(20, "Unit that a line must be sold in for it to hold; null: any.")),
    validFrom: optional(date("First day, inclusive; null: always held.")),
    validTo: optional(date("Last day, inclusive; null: until further notice.")),
    startsAt: optional(instant("Moment from which it holds; null: the start of the first day.")),
    endsAt: optional(
      instant("Moment from which it holds no longer; null: the end of the last day."),
    ),
    conditions: optional(
      text(200, 'What must be so besides: "delivery=collect; channel=web|phone"; null: nothing.'),
    ),
    formula: optional(
      code(40, "Price formula that says what a percent is off, and how it is rounded; null: none."),
    ),
    stack: optional(
      choice(
        ["add", "compound"],
        "Where the policy lets rules stack. add: its percent adds to the others'; compound: it is off what they leave; null: it stands alone.",
      ),
    ),
    priority: optional(integer("Higher wins where the policy looks at it; null: none.")),
    net: flag(false, "True: a net price, nothing else may reduce it."),
    contract: optional(code(60, "Contract it belongs to; null: none.")),
    contractQuantity: optional(quantity("Selling units the contract covers; null: no limit.")),
    contractUsedQuantity: optional(
      quantity("Selling units of it used so far, as the ERP counts them; null: not told."),
    ),
  },
  sense: [
    { kind: "bounds", field: "value", least: 0, when: { field: "kind", is: "fixed" } },
    { ...PERCENT, when: { field: "kind", is: "percent" } },
    // A markup takes the price below zero from −100 down.
    { kind: "bounds", field: "value", least: -100, when: { field: "kind", is: "markup" } },
    { kind: "bounds", field: "fromQuantity", least: 0 },
    { kind: "bounds", field: "toQuantity", least: 0 },
    { kind: "bounds", field: "contractQuantity", least: 0 },
    { kind: "bounds", field: "contractUsedQuantity", least: 0 },
    { kind: "order", first: "validFrom", last: "validTo" },
    { kind: "order", first: "startsAt", last: "endsAt" },
  ],
});

export const priceFormula = defineRecord({
  name: "price-formula",
  about: "How a price list works out prices: what they are taken off, and how they are rounded.",
  key: ["formula"],
  fields: {
    formula: code(40, "Code of the formula."),
    basis: choice(
      ["base", "standard", "cost", "price-list", "running"],
      "What a percent or amount is off. base: the policy's base price; standard: the standard price; cost: the cost; price-list: the price on another list; running: what the steps before came to.",
    ),
    priceList: optional(code(40, "List that the price is taken from; null: none.")),
    roundTo: optional(unitPrice("Rounded to a multiple of this, such as 0.05; null: not rounded.")),
    rounding: otherwise("nearest", choice(["nearest", "up", "down"], "Which multiple.")),
    adjustment: optional(unitPrice("Added after rounding, such as -0.01; null: nothing.")),
    leastMargin: optional(unitPrice("Least amount above the basis; null: none.")),
    mostMargin: optional(unitPrice("Most amount above the basis; null: none.")),
  },
  sense: [{ kind: "bounds", field: "roundTo", least: 0 }],
});

export const customerPriceList = defineRecord({
  name: "customer-price-list",
  about: "A further price list that an account is on, with its place among them.",
  key: ["account", "priceList"],
  fields: {
    account: code(40, "Account of the customer."),
    priceList: code(40, "Price list or band."),
    position: integer("Place among the account's lists; lower ones come first."),
    closes: flag(
      false,
      "True: used for a product only if no list before has a price of it; then no later list is.",
    ),
  },
});

export const promotion = defineRecord({
  name: "promotion",
  about: "A dated offer on top of the price rules.",
  key: ["promotion", "productScope", "productCode", "customerCode"],
  fields: {
    promotion: code(60, "Code of the promotion."),
    name: text(100, "Name shown to buyers."),
    customerScope: choice(PRICE_RULE_CUSTOMER_SCOPES, "Whom it is for."),
    customerCode: otherwise("*", code(90, "Account, group or list; * for everyone.")),
    productScope: choice(PRICE_RULE_PRODUCT_SCOPES, "What it is on."),
    productCode: otherwise("*", code(60, "Product or product group; * for everything.")),
    kind: choice(
      ["percent", "amount", "fixed", "multi-buy", "buy-get", "bundle", "free-goods", "threshold"],
      "percent, amount, fixed: of the price; multi-buy: every buyQuantity units for `value`; buy-get: for each buyQuantity bought, freeQuantity of freeProduct at `value` percent off; bundle: its products together for `value`; free-goods: freeQuantity given on a line of its own; threshold: `value` percent off from thresholdValue on.",
    ),
    value: optional(
      moneyWhere(
        ["amount", "fixed", "multi-buy", "bundle"],
        "Percent, amount off or price, by `kind`; null for free goods.",
      ),
    ),
    buyQuantity: optional(
      quantity("Selling units to buy; in a bundle, of this product; null: any."),
    ),
    freeQuantity: optional(quantity("Selling units given free or cheaper; null: none.")),
    freeProduct: optional(code(60, "Product given; null: the bought one.")),
    thresholdValue: optional(money("Net value from which it holds; null: any.")),
    countsOver: otherwise(
      "line",
      choice(
        ["line", "product", "group", "document"],
        "What quantity and value are counted over: the line, all lines of the product, all of its group or place, or the document.",
      ),
    ),
    lowers: otherwise(
      "line",
      choice(["line", "document"], "Whether lines or the document's net are lowered."),
    ),
    code: optional(code(60, "Code the buyer must give; null: none needed.")),
    validFrom: date("First day, inclusive."),
    validTo: date("Last day, inclusive."),
    startsAt: optional(instant("Moment from which it holds; null: the start of the first day.")),
    endsAt: optional(
      instant("Moment from which it holds no longer; null: the end of the last day."),
    ),
    stacks: flag(false, "True: may come on top of another promotion."),
    exclusiveGroup: optional(
      code(40, "Of the promotions of one group only the best holds; null: in none."),
    ),
    priority: optional(integer("Higher is looked at first; null: after those with one.")),
    mostPerOrder: optional(integer("Times it holds in one order; null: any number.")),
    mostUses: optional(integer("Orders that may use it; null: any number.")),
    mostUsesPerAccount: optional(integer("Orders of one account that may use it; null: any.")),
    budget: optional(money("Most that it may give away in all; null: no limit.")),
  },
  sense: [
    { kind: "bounds", field: "value", least: 0, when: { field: "kind", is: "fixed" } },
    { ...PERCENT, when: { field: "kind", is: "percent" } },
    { kind: "bounds", field: "buyQuantity", least: 0 },
    { kind: "bounds", field: "freeQuantity", least: 0 },
    { kind: "bounds", field: "thresholdValue", least: 0 },
    { kind: "bounds", field: "budget", least: 0 },
    { kind: "order", first: "validFrom", last: "validTo" },
    { kind: "order", first: "startsAt", last: "endsAt" },
  ],
});

export const quotation = defineRecord({
  name: "quotation",
  about: "An offer to a customer: its prices beat every rule until it expires or is used up.",
  key: ["quotation"],
  fields: {
    quotation: code(40, "Number of the quotation."),
    account: code(40, "Account it was offered to."),
    quotedOn: date("Date of the offer."),
    expiresOn: optional(date("Last day it holds; null: no expiry.")),
    customerReference: optional(text(60, "The customer's reference; null when blank.")),
    state: otherwise(
      "open",
      choice(["open", "ordered", "lost", "expired"], "Only open ones hold."),
    ),
  },
  sense: [{ kind: "order", first: "quotedOn", last: "expiresOn" }],
});

export const quotationLine = defineRecord({
  name: "quotation-line",
  about: "A line of a quotation.",
  key: ["quotation", "line"],
  fields: {
    quotation: code(40, "Number of the quotation."),
    line: integer("Line number."),
    product: code(60, "Product code."),
    quantity: quantity("Selling units offered."),
    orderedQuantity: optional(
      quantity("Selling units of it ordered so far, as the ERP counts them; null: not told."),
    ),
    unitPrice: unitPrice("Net price per pricing unit."),
  },
  sense: [
    { kind: "bounds", field: "quantity", least: 0 },
    { kind: "bounds", field: "unitPrice", least: 0 },
  ],
});
