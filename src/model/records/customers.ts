/** Who buys and who sells: customers, their sites and owners; branches, reps and assignments. */
import {
  choice,
  code,
  defineRecord,
  flag,
  integer,
  money,
  oldDate,
  optional,
  otherwise,
  percent,
  text,
} from "../record.ts";
import { CHANNELS } from "../channel.ts";

export const tradingEntity = defineRecord({
  name: "trading-entity",
  about: 'Who a customer really is: what "new" and a share are about, over several accounts.',
  key: ["tradingEntity"],
  fields: {
    tradingEntity: code(40, "Code of the trading entity."),
    name: text(200, "Name as trade knows it."),
    parent: optional(code(40, "Trading entity that owns it; null when independent.")),
    vatNumber: optional(text(30, "VAT registration; null when not known.")),
    postcode: optional(text(12, "Postcode of its registered office; null when not known.")),
    openedOn: optional(oldDate("When it first became a customer; null when not known.")),
  },
});

export const customer = defineRecord({
  name: "customer",
  about: "A customer's account in the ERP with its terms, credit and stop.",
  key: ["account"],
  fields: {
    account: code(40, "Account reference in the ERP."),
    name: text(200, "Account name."),
    tradingEntity: optional(
      code(40, "Trading entity it belongs to; null: the account is its own."),
    ),
    headOffice: optional(code(40, "Account of the head office; null when it has none.")),
    buyingGroup: optional(code(40, "Buying group it buys under; null when in none.")),
    customerGroup: optional(code(40, "Customer (discount) group; null when in none.")),
    priceList: optional(code(40, "Price list or band; null: standard prices.")),
    branch: optional(code(40, "The merchant's branch that serves it; null: none set.")),
    rep: optional(code(40, "Rep code on the account; null: none set.")),
    currency: otherwise("GBP", code(3, "ISO currency of the account.")),
    vatCode: optional(
      code(20, "VAT code that overrides the product's; null: the product's counts."),
    ),
    vatNumber: optional(text(30, "VAT registration; null when not known.")),
    vatEvidence: optional(
      text(60, "What proves that it pays no VAT, such as a certificate's number; null: nothing."),
    ),
    country: optional(code(2, "ISO country of the account; null: the company's own.")),
    discountPercent: optional(percent("Discount on every line, in percent; null: none.")),
    termsDays: optional(integer("Days until payment is due; null when not known.")),
    termsBasis: optional(
      choice(["invoice-date", "end-of-month"], "What the days count from; null when not known."),
    ),
    settlementPercent: optional(
      percent("Settlement discount; it never changes a price; null: none."),
    ),
    settlementDays: optional(integer("Days within which settlement discount holds; null: none.")),
    creditLimit: optional(money("Credit limit in the account's currency; null: no limit.")),
    balance: optional(money("Balance owed as the ERP states it; null when not known.")),
    onStop: flag(false, "True when the account is on stop."),
    stopReason: optional(text(200, "Why it is on stop; null when not stated.")),
    minimumNet: optional(
      money("Least net of goods of each of its orders; null: the company's own minimum."),
    ),
    referenceRequired: flag(false, "True: each of its orders bears the customer's own reference."),
    cashAccount: flag(false, "True for a cash or guest account: never a new customer."),
    state: otherwise("active", choice(["active", "closed"], "Closed accounts cannot order.")),
    openedOn: optional(oldDate("When the account was opened; null when not known.")),
    email: optional(text(200, "E-mail for orders; null when not known.")),
    telephone: optional(text(40, "Telephone; null when not known.")),
    postcode: optional(text(12, "Postcode of the account; null when not known.")),
  },
  sense: [{ kind: "bounds", field: "discountPercent", least: -100, most: 100 }],
});

export const site = defineRecord({
  name: "site",
  about: "A customer's delivery address or job.",
  key: ["account", "site"],
  fields: {
    account: code(40, "Account of the customer."),
    site: code(40, "Code of the site inside the account."),
    name: text(200, "Name on the delivery."),
    address1: optional(text(100, "First address line; null when blank.")),
    address2: optional(text(100, "Second address line; null when blank.")),
    address3: optional(text(100, "Third address line; null when blank.")),
    town: optional(text(100, "Town; null when blank.")),
    county: optional(text(100, "County; null when blank.")),
    postcode: optional(text(12, "Postcode; null when blank.")),
    country: otherwise("GB", code(2, "ISO country.")),
    vatCode: optional(code(20, "VAT code of deliveries there; null: no override.")),
    standard: flag(false, "True for the account's usual delivery address."),
    state: otherwise("active", choice(["active", "closed"], "Closed sites take no deliveries.")),
  },
});

export const branch = defineRecord({
  name: "branch",
  about: "One of the merchant's own branches or depots.",
  key: ["branch"],
  fields: {
    branch: code(40, "Code of the branch."),
    name: text(100, "Name of the branch."),
    defaultChannel: otherwise(
      "unknown",
      choice(CHANNELS, "Channel of its sales when nothing better is known."),
    ),
  },
});

export const rep = defineRecord({
  name: "rep",
  about: "A sales representative.",
  key: ["rep"],
  fields: {
    rep: code(40, "Rep code."),
    name: text(100, "Name on statements."),
    team: optional(code(40, "Team; null when in none.")),
    email: optional(text(200, "E-mail; null when not known.")),
    startedOn: optional(oldDate("First day; null when not known.")),
    leftOn: optional(oldDate("Last day; null while employed.")),
  },
});

export const assignment = defineRecord({
  name: "assignment",
  about:
    "From when to when a rep has a share of a customer's sales. Shares of an account on a day add up to 100.",
  key: ["account", "rep", "validFrom"],
  fields: {
    account: code(40, "Account of the customer."),
    rep: code(40, 'Rep code, or "HOUSE" for sales that are nobody\'s.'),
    sharePercent: otherwise("100", percent("The rep's share, more than 0 and at most 100.")),
    validFrom: oldDate("First day, inclusive."),
    validTo: optional(oldDate("Last day, inclusive; null: until further notice.")),
  },
  sense: [
    { kind: "bounds", field: "sharePercent", least: 0, most: 100 },
    { kind: "order", first: "validFrom", last: "validTo" },
  ],
});
