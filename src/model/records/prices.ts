/** Where prices come from: price lists, price rules, promotions, quotations. */
import {
  choice,
  code,
  date,
  defineRecord,
  flag,
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
      ["fixed", "percent", "amount", "markup"],
      "fixed: the price; percent: off the base price; amount: off the base price per pricing unit; markup: percent on cost.",
    ),
    value: moneyWhere(
      ["fixed", "amount"],
      "Price, percent or amount, by `kind`. A negative percent is a surcharge.",
    ),
    currency: otherwise("GBP", code(3, "ISO currency of a price or amount.")),
    unit: optional(code(20, "Unit that a price is per; null: the product's pricing unit.")),
    fromQuantity: otherwise("0", quantity("Break: holds from this many selling units, inclusive.")),
    validFrom: optional(date("First day, inclusive; null: always held.")),
    validTo: optional(date("Last day, inclusive; null: until further notice.")),
    priority: optional(integer("Higher wins where the policy looks at it; null: none.")),
    net: flag(false, "True: a net price, nothing else may reduce it."),
    contract: optional(code(60, "Contract it belongs to; null: none.")),
    contractQuantity: optional(quantity("Selling units the contract covers; null: no limit.")),
  },
  sense: [
    { kind: "bounds", field: "value", least: 0, when: { field: "kind", is: "fixed" } },
    { ...PERCENT, when: { field: "kind", is: "percent" } },
    // A markup takes the price below zero from −100 down.
    { kind: "bounds", field: "value", least: -100, when: { field: "kind", is: "markup" } },
    { kind: "bounds", field: "fromQuantity", least: 0 },
    { kind: "bounds", field: "contractQuantity", least: 0 },
    { kind: "order", first: "validFrom", last: "validTo" },
  ],
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
      ["percent", "amount", "fixed", "multi-buy", "free-goods", "threshold"],
      "How it lowers the price.",
    ),
    value: optional(
      moneyWhere(
        ["amount", "fixed"],
        "Percent, amount off or price, by `kind`; null for free goods.",
      ),
    ),
    buyQuantity: optional(quantity("Selling units to buy; null: any.")),
    freeQuantity: optional(quantity("Selling units given free; null: none.")),
    freeProduct: optional(code(60, "Product given free; null: the bought one.")),
    thresholdValue: optional(money("Order value from which it holds; null: any.")),
    code: optional(code(60, "Code the buyer must give; null: none needed.")),
    validFrom: date("First day, inclusive."),
    validTo: date("Last day, inclusive."),
    stacks: flag(false, "True: may come on top of another promotion."),
  },
  sense: [
    { kind: "bounds", field: "value", least: 0, when: { field: "kind", is: "fixed" } },
    { ...PERCENT, when: { field: "kind", is: "percent" } },
    { kind: "bounds", field: "buyQuantity", least: 0 },
    { kind: "bounds", field: "freeQuantity", least: 0 },
    { kind: "bounds", field: "thresholdValue", least: 0 },
    { kind: "order", first: "validFrom", last: "validTo" },
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
    unitPrice: unitPrice("Net price per pricing unit."),
  },
  sense: [
    { kind: "bounds", field: "quantity", least: 0 },
    { kind: "bounds", field: "unitPrice", least: 0 },
  ],
});
