/** Which promotions over a basket can still hold for a line that is priced by itself. */
import type { PriceBook } from "../book.ts";
import type { Enquiry } from "../enquiry.ts";
import { power } from "../scaled.ts";
import { applyPromotions } from "./basket.ts";
import type { BasketInput, NotApplied, Reason } from "./basket-input.ts";
import { compilePromotions } from "./offers.ts";
import type { PromotionSet } from "./offers.ts";
import { openTo } from "./standing-line.ts";
import { placesOf } from "./totals.ts";

const compiled = new WeakMap<PriceBook, PromotionSet>();

/** Compiled once for each book. */
export function promotionsOf(book: PriceBook): PromotionSet {
  const known = compiled.get(book);
  if (known !== undefined) return known;
  const { arithmetic } = book.policy;
  const set = compilePromotions(book.basketPromotions, { arithmetic, timeZone: book.timeZone });
  compiled.set(book, set);
  return set;
}

/** Null where a promotion has a figure that cannot be worked with: a price needs none of them. */
function readable(book: PriceBook): PromotionSet | null {
  try {
    return promotionsOf(book);
  } catch (cause) {
    if (cause instanceof RangeError) return null;
    throw cause;
  }
}

const MOST = 3;

/**
 * Those that hold on the line alone, then those that lack goods, the nearest first; none that needs
 * a code. Limits of use are not looked at.
 */
export function mayApply(enquiry: Enquiry, product: number): readonly string[] {
  const { book, found, line, asking } = enquiry;
  const { arithmetic } = book.policy;
  const set = readable(book);
  if (set === null || found.doubt !== null) return [];
  const { applied, notApplied } = applyPromotions(set, {
    lines: [
      {
        product: book.products.codes[product] ?? "",
        groups: groupsOf(book, product),
        quantity: line.quantity,
        perPricingUnit: found.perUnit,
        amount: found.net * power(placesOf(arithmetic) - arithmetic.lineNet.scale),
        ...openTo(enquiry),
      },
    ],
    customer: customerCodes(enquiry),
    moment: asking.moment,
    codes: [],
    uses: new Map(),
    worth: new Map(),
  });
  const reachable = notApplied.filter(({ why }) => LACKS.includes(why.reason)).sort(nearerFirst);
  return [...applied, ...reachable].slice(0, MOST).map(({ promotion }) => promotion.promotion);
}

const LACKS: readonly Reason["reason"][] = ["needs-quantity", "needs-value", "needs-product"];

function nearerFirst({ why: a }: NotApplied, { why: b }: NotApplied): number {
  const more = (why: Reason) => ("more" in why ? why.more : 0);
  return LACKS.indexOf(a.reason) - LACKS.indexOf(b.reason) || more(a) - more(b);
}

/** Product groups of a product: its own, and those above where the policy says so. */
export function groupsOf(book: PriceBook, product: number): string[] {
  const groups: string[] = [];
  let group = book.products.group[product] ?? -1;
  while (group >= 0) {
    const code = book.groups.codes[group] ?? "";
    if (groups.includes(code)) break;
    groups.push(code);
    group = book.policy.productGroups === "own" ? -1 : (book.groups.parent[group] ?? -1);
  }
  return groups;
}

/** Codes of what an account is and belongs to, as promotions name them. */
export function customerCodes(enquiry: Enquiry): BasketInput["customer"] {
  const { book, asking } = enquiry;
  const { accounts } = book;
  const { account } = asking;
  const site = asking.site >= 0 ? asking.site : (accounts.site[account] ?? -1);
  const branch = asking.branch >= 0 ? asking.branch : (accounts.branch[account] ?? -1);
  const code = (codes: readonly string[], number: number | undefined): string[] =>
    number === undefined || number < 0 ? [] : [codes[number] ?? ""];
  return {
    account: code(accounts.codes, account),
    "head-office": code(book.headOffices.codes, accounts.headOffice[account]),
    "buying-group": code(book.buyingGroups.codes, accounts.buyingGroup[account]),
    "customer-group": code(book.customerGroups.codes, accounts.group[account]),
    site: code(book.sites.codes, site),
    branch: code(book.branches.codes, branch),
    "price-list": enquiry.lists.flatMap(({ list }) => code(book.priceLists.codes, list)),
  };
}
