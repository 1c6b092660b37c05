/** Prices, rules and reasons in words that a finance person reads. */
import { TERMS } from "./book.ts";
import type { Enquiry, Found, Reason } from "./enquiry.ts";
import { entryOf, headOf } from "./entry.ts";
import type { Entry, EntryHead } from "./entry.ts";
import { momentOf, shownDate, wordsOf } from "./calendar.ts";
import { conditionsWords } from "./conditions.ts";
import { mayApply } from "./document/may-apply.ts";
import type { CustomerScope } from "./policy.ts";
import { scaledOf, shortTextOf, textOf } from "./scaled.ts";
import { placeOf } from "./tables.ts";
import { FIXED, KIND, STRIDE } from "./terms.ts";

/** "£1,234.50", "EUR 12.00", "£0.8145": with the places that it needs, at least pence. */
export function moneyText(value: number, places: number, currency: string): string {
  const sign = value < 0 ? "-" : "";
  const symbol = currency === "GBP" ? "£" : `${currency} `;
  return `${sign}${symbol}${grouped(inPence(textOf(Math.abs(value), places)))}`;
}

/** From 6 places. */
export function fineMoneyText(value: number, currency: string): string {
  return moneyText(value, 6, currency);
}

/** Without the noughts behind the pence: "4.2500" → "4.25". */
function inPence(text: string): string {
  return text.replace(/(\.\d\d\d*?)0+$/, "$1");
}

/** "1,000", "2.5": a decimal text with its thousands set apart. */
export function grouped(text: string): string {
  const [whole = "", fraction] = text.split(".");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? apart : `${apart}.${fraction}`;
}

/** What an entry gives: "£4.2500", "12.5% off", "£0.50 off", "cost plus 20%". */
export function offerText(entry: Entry, currency: string): string {
  const { value } = entry;
  if (value === null) return "a value too large to work with";
  const money = () => fineMoneyText(scaledOf(value, 6) ?? 0, entry.currency ?? currency);
  switch (entry.kind) {
    case "fixed":
      return money();
    case "percent":
      return percentText(value);
    case "amount":
      return `${money()} off`;
    case "markup":
      return `cost plus ${value}%`;
    case "multi-buy":
    case "free-goods":
    case "threshold":
    case "buy-get":
    case "bundle":
      return `a ${entry.kind} offer`;
    case "on-request":
      return "a price on request";
    default:
      return entry.kind satisfies never;
  }
}

/** "12.5% off"; a surcharge: "5% on top". */
export function percentText(value: string): string {
  return value.startsWith("-") ? `${value.slice(1)}% on top` : `${value}% off`;
}

/** "Contract C-17", "Promotion SPRING", "Customer price", "List price (TRADE)". */
export function nameOf(entry: EntryHead): string {
  const { source, label, customerScope, productScope, kind } = entry;
  if (source === "quotation") return `Quotation ${label ?? ""}`;
  if (source === "promotion") return `Promotion ${label ?? ""}`;
  if (label !== null) return `Contract ${label}`;
  const price = kind === "fixed" || kind === "markup" ? "price" : "discount";
  if (productScope === "everything") return `General ${price}`;
  if (productScope === "product-group") return `Product group ${price}`;
  if (customerScope === "account") return `Customer ${price}`;
  if (customerScope === "everyone") return `Standard ${price}`;
  if (customerScope === "price-list") return `List ${price} (${entry.customerCode ?? ""})`;
  return `${capital(customerScope)} ${price}`;
}

/** "Contract C-17: £4.2500 from 10, 01/01/2026 to 31/12/2026". */
export function ruleText(enquiry: Enquiry, entry: Entry): string {
  const currency = enquiry.book.currencies[enquiry.currency]!;
  const parts = [
    `${nameOf(entry)}: ${offerText(entry, currency)}${unitText(enquiry, entry)}${breakText(entry)}`,
    datesText(entry, enquiry.book.timeZone),
    entry.soldIn === null ? "" : `sold in ${entry.soldIn}`,
    entry.conditions === null ? "" : `where ${conditionsWords(entry.conditions)}`,
    entry.formula === null ? "" : `by formula ${entry.formula}`,
    entry.net ? "net" : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** " per HUNDRED": of money; where the rule names no unit it is the product's pricing unit. */
function unitText({ book, line }: Enquiry, { kind, unit, formula }: Entry): string {
  const isMoney = (kind === "fixed" || kind === "amount") && formula === null;
  const own = isMoney ? book.units[book.products.pricingUnit[line.product]!] : undefined;
  const per = unit ?? own;
  return per === undefined ? "" : ` per ${per}`;
}

/** " from 10", " from 10 to 99", " up to 99". */
function breakText({ fromQuantity, toQuantity }: Entry): string {
  const from = fromQuantity === "0" ? "" : ` from ${grouped(fromQuantity)}`;
  if (toQuantity === null) return from;
  return from === "" ? ` up to ${grouped(toQuantity)}` : `${from} to ${grouped(toQuantity)}`;
}

/** The account's own discount, a percent with 4 places. */
export function discountText(percent: number): string {
  return `Account discount: ${percentText(shortTextOf(percent, 4))}`;
}

/** "01/01/2026 to 31/12/2026", "since 01/01/2026", "until 31/12/2026 17:00". */
function datesText(entry: Entry, timeZone: string): string {
  const from = startText(entry, timeZone);
  const to = endText(entry, timeZone);
  if (from !== null && to !== null) return `${from} to ${to}`;
  if (from !== null) return `since ${from}`;
  return to === null ? "" : `until ${to}`;
}

/** When it starts, as the trade writes it; null: it always held. */
export function startText({ validFrom, startsAt }: Entry, timeZone: string): string | null {
  if (validFrom !== null) return shownDate(validFrom);
  return startsAt === null ? null : wordsOf(momentOf(startsAt), timeZone);
}

/** Its last day, or the moment at which it stops; null: it holds until further notice. */
export function endText({ validTo, endsAt }: Entry, timeZone: string): string | null {
  if (validTo !== null) return shownDate(validTo);
  return endsAt === null ? null : wordsOf(momentOf(endsAt), timeZone);
}

/** "customer group TRADE", "everyone". */
export function whomText(entry: EntryHead): string {
  if (entry.customerCode === null) return "everyone";
  return `${entry.customerScope.replace("-", " ")} ${entry.customerCode}`;
}

/** "product BRK001", "everything". */
export function whatText(entry: EntryHead): string {
  if (entry.productCode === null) return "everything";
  return `${entry.productScope.replace("-", " ")} ${entry.productCode}`;
}

function capital(scope: string): string {
  const words = scope.replace("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Why the answer is what it is, in one short line. */
export function becauseOf(enquiry: Enquiry, askedIn: "line" | "basket" = "line"): string {
  const { found } = enquiry;
  const reason = found.doubt === null ? priceReason(enquiry) : doubtText(found);
  return reason + remarks(enquiry, askedIn);
}

function priceReason(enquiry: Enquiry): string {
  const { found } = enquiry;
  if (found.links !== null && found.links.length > 1) return chainReason(enquiry);
  if (found.table < 0) return `${discountText(found.value)} ${baseName(enquiry)}`;
  // A fixed price on a product is called the same on every line of the account under the same
  // terms.
  if (!isPlain(enquiry)) return reasonOf(enquiry);
  const { table, subject, word } = found;
  const reasons = (enquiry.reasons ??= new Map<number, Reason>());
  const known = reasons.get(word & TERMS);
  if (known !== undefined && known.table === table && known.subject === subject) return known.text;
  const text = reasonOf(enquiry);
  reasons.set(word & TERMS, { table, subject, text });
  return text;
}

/** "List price (TRADE), then 10% off, then 5% off". */
function chainReason(enquiry: Enquiry): string {
  const currency = enquiry.book.currencies[enquiry.currency]!;
  const links = enquiry.found.links ?? [];
  return links
    .map((link, at) => {
      if (link.table < 0) return percentText(shortTextOf(link.value, 4));
      const entry = entryOf(enquiry, link);
      return at === 0 ? nameOf(entry) : `${offerText(entry, currency)} (${nameOf(entry)})`;
    })
    .join(", then ");
}

function isPlain({ found, book }: Enquiry): boolean {
  const kind = book.terms[(found.word & TERMS) * STRIDE + KIND]!;
  return kind === FIXED && placeOf(found.table).product === "product";
}

function reasonOf(enquiry: Enquiry): string {
  const head = headOf(enquiry, enquiry.found);
  const parts = [head.kind === "fixed" ? nameOf(head) : discountReason(enquiry)];
  if (head.source === "rule" && head.productScope !== "product")
    parts.push(`${whomText(head)} on ${whatText(head)}`);
  else if (head.source === "rule" && !NAMED_BY_SCOPE.has(head.customerScope))
    parts.push(whomText(head));
  if (head.fromQuantity !== "0") parts.push(`from ${grouped(head.fromQuantity)}`);
  if (head.net) parts.push("net price");
  return parts.join(", ");
}

/**
 * Scopes whose rules are called by what needs no further naming: the account, its list, everyone.
 */
const NAMED_BY_SCOPE: ReadonlySet<CustomerScope> = new Set(["account", "price-list", "everyone"]);

/** "Promotion SPRING: 10% off the list price (TRADE)". */
function discountReason(enquiry: Enquiry): string {
  const entry = entryOf(enquiry, enquiry.found);
  const offer = offerText(entry, enquiry.book.currencies[enquiry.currency]!);
  const base = entry.kind === "percent" || entry.kind === "amount" ? ` ${baseName(enquiry)}` : "";
  return `${nameOf(entry)}: ${offer}${base}`;
}

/** "the list price (TRADE)"; only after the base price was found. */
export function baseName(enquiry: Enquiry): string {
  if (enquiry.found.base < 0) return "what came before";
  return `the ${lowerFirst(nameOf(baseHeadOf(enquiry)))}`;
}

export function baseHeadOf(enquiry: Enquiry): EntryHead {
  const { baseTable, baseSubject, baseKey, baseValue, baseWord } = enquiry.found;
  return headOf(enquiry, {
    table: baseTable,
    subject: baseSubject,
    key: baseKey,
    value: baseValue,
    word: baseWord,
  });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function doubtText({ doubt }: Found): string {
  switch (doubt) {
    case null:
      return "";
    case "no-price":
      return "No price holds for this customer, product, quantity and day";
    case "on-request":
      return "Price on request";
    case "ambiguous":
      return "Not known: ambiguous rules; two or more hold and nothing in the policy tells which of them counts";
    case "hidden":
      return "Not known: the ERP has discounts for this customer that its interface does not show";
    case "formula-unknown":
      return "Not known: a price that holds is worked out by a formula that is not there";
    case "unit-unknown":
      return "Not known: a price that holds, or the line, is in a unit that the product is not sold in";
    case "cost-unknown":
      return "Not known: a price that holds is a markup on a cost that is not known";
    case "unreadable":
      return "Not known: a rule that holds has a value too large to work with";
    case "below-zero":
      return "Not known: a rule that holds takes the price below zero";
    case "pricing-unit-unknown":
      return "Not known: how many selling units the product's pricing unit has is missing or not above 0";
    case "too-large":
      return "Not known: the amount is too large to work with";
    default:
      return doubt satisfies never;
  }
}

function remarks(enquiry: Enquiry, askedIn: "line" | "basket"): string {
  const { book, found, asking } = enquiry;
  const stops = found.step >= 0 && book.policy.steps[found.step]!.draw === "quotations";
  const unused = asking.quotation >= 0 && !stops;
  return (
    (unused ? `; quotation ${book.labels[asking.quotation] ?? ""} gives no price here` : "") +
    noRate(enquiry) +
    (askedIn === "line" && found.basketLabel >= 0 ? promotionsAhead(enquiry) : "")
  );
}

function noRate({ book, found }: Enquiry): string {
  if (found.doubt !== null || found.vatCode < 0 || found.vatRate >= 0) return "";
  const code = book.vatCodes[found.vatCode] ?? "";
  return `; VAT not known: the settings give the code ${code} no rate on this day, state it in the company's vat`;
}

function promotionsAhead(enquiry: Enquiry): string {
  const names = mayApply(enquiry, enquiry.line.product);
  if (names.length === 0) return "";
  return `; promotion${names.length > 1 ? "s" : ""} ${names.join(", ")} may apply in the basket`;
}
