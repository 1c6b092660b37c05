/**
 * Where an enquiry stands: whom each scope means for the account, its lists and the regions of the
 * book that hold something for it. The same for every enquiry of the account while the same terms
 * hold, so it is worked out once and shared.
 */
import type { PriceBook } from "./book.ts";
import type { Holding } from "./holding.ts";
import { planOf } from "./plan.ts";
import { CUSTOMER_SCOPES } from "./policy.ts";
import type { CustomerScope } from "./policy.ts";
import type { LiveTable } from "./program.ts";
import type { Asking, ListPlace, Shelf, Standpoint } from "./shelf.ts";
import { atPlace, vatFor } from "./vat.ts";

export function standpointOf(book: PriceBook, holding: Holding, asking: Asking): Standpoint {
  const { account, site, branch } = asking;
  const slot = (account + site * 31 + branch * 131 + 162) % holding.standpoints.length;
  const known = holding.standpoints[slot];
  const isSame = known?.account === account && known.site === site && known.branch === branch;
  // Rates that change from a day on are those of the moment, which is each enquiry's own.
  if (isSame && known.vat.turns === null) return known;
  const made = workedOut(book, holding, asking);
  holding.standpoints[slot] = made;
  return made;
}

function workedOut(book: PriceBook, holding: Holding, asking: Asking): Standpoint {
  const { program } = book;
  const subjects = subjectsOf(book, asking);
  const lists = listsOf(book, asking.account);
  const shelves: (readonly Shelf[])[] = [];
  for (const { tables, inListOrder } of program.steps)
    shelves.push(
      tables.length === 0 ? NONE : shelvesOf(book, tables, subjects, lists, inListOrder),
    );
  const { account, site, branch } = asking;
  const found = {
    account,
    site,
    branch,
    vat: vatOf(book, asking, subjects[SITE]!),
    subjects,
    lists,
    shelves,
    active: activeSteps(book, account, shelves),
    base: shelvesOf(book, program.base, subjects, lists, true),
  };
  return { ...found, plan: holding.quick === null ? null : planOf(book, found) };
}

/** The place of delivery counts; where there is none, the account's own country. */
function vatOf({ accounts, sites, vat, policy }: PriceBook, asking: Asking, site: number) {
  const { account, moment } = asking;
  const evidence = accounts.evidence[account]!;
  const place = site < 0 ? accounts.countryVat[account]! : sites.countryVat[site]!;
  const codes = {
    account: accounts.vatCode[account]!,
    site: site < 0 ? -1 : sites.vatCode[site]!,
    country: place,
  };
  const order = policy.vatFrom;
  const proved = site < 0 ? evidence : atPlace(evidence, sites.abroad[site] === 1);
  return vatFor(vat, codes, { evidence: proved, order, moment });
}

function activeSteps(
  { program, accounts }: PriceBook,
  account: number,
  shelves: readonly (readonly Shelf[])[],
): number[] {
  const active: number[] = [];
  for (let at = 0; at < shelves.length; at += 1) {
    const { step, offersBase, scopes } = program.steps[at]!;
    const discounts = step.draw === "account-discount" && accounts.discount[account] !== 0;
    if (shelves[at]!.length > 0 || offersBase || discounts || scopes.length > 0) active.push(at);
  }
  return active;
}

const NONE: readonly Shelf[] = [];
const SITE = CUSTOMER_SCOPES.indexOf("site");
const PRICE_LIST = CUSTOMER_SCOPES.indexOf("price-list");

function subjectsOf(book: PriceBook, asking: Asking): number[] {
  const subjects: number[] = [];
  for (const scope of CUSTOMER_SCOPES) subjects.push(subjectOf(book, asking, scope));
  return subjects;
}

/** Number of whom a scope means for the account that asks; -1: nobody. */
export function subjectOf(book: PriceBook, asking: Asking, scope: CustomerScope): number {
  const { accounts } = book;
  const { account } = asking;
  switch (scope) {
    case "account":
      return account;
    case "head-office":
      return accounts.headOffice[account]!;
    case "buying-group":
      return accounts.buyingGroup[account]!;
    case "customer-group":
      return accounts.group[account]!;
    case "site":
      return asking.site >= 0 ? asking.site : accounts.site[account]!;
    case "branch":
      return asking.branch >= 0 ? asking.branch : accounts.branch[account]!;
    case "price-list":
      return firstList(book, account);
    case "everyone":
      return 0;
    default:
      return scope satisfies never;
  }
}

function firstList({ accounts, standardList }: PriceBook, account: number): number {
  const at = accounts.listStart[account]!;
  return at < accounts.listStart[account + 1]! ? accounts.lists[at]! : standardList;
}

/** The account's lists in order, behind them the standard one. */
function listsOf({ accounts, standardList }: PriceBook, account: number): ListPlace[] {
  const lists: ListPlace[] = [];
  const end = accounts.listStart[account + 1]!;
  let isStandard = standardList < 0;
  for (let at = accounts.listStart[account]!; at < end; at += 1) {
    const list = accounts.lists[at]!;
    if (list === standardList) isStandard = true;
    lists.push({ list, closes: accounts.listCloses[at] === 1, standard: false });
  }
  if (!isStandard) lists.push({ list: standardList, closes: true, standard: lists.length > 0 });
  return lists;
}

/** `inListOrder`: with the standard list behind the account's own. */
function shelvesOf(
  book: PriceBook,
  tables: readonly LiveTable[],
  subjects: readonly number[],
  lists: readonly ListPlace[],
  inListOrder: boolean,
): Shelf[] {
  const shelves: Shelf[] = [];
  for (const of of tables) {
    if (of.scope !== PRICE_LIST) {
      putShelf(shelves, book, of, subjects[of.scope]!, -1);
      continue;
    }
    for (let at = 0; at < lists.length; at += 1) {
      const { list, standard } = lists[at]!;
      if (inListOrder || !standard) putShelf(shelves, book, of, list, at);
    }
  }
  return shelves;
}

function putShelf(
  shelves: Shelf[],
  { regions }: PriceBook,
  of: LiveTable,
  subject: number,
  list: number,
): void {
  if (subject < 0) return;
  const region = (of.region + subject) * 2;
  const size = regions[region + 1]!;
  if (size !== 0) shelves.push({ start: regions[region]!, size, of, subject, list });
}

/** Shelves of one list alone, whoever is on it. */
export function shelvesOfList(
  book: PriceBook,
  tables: readonly LiveTable[],
  list: number,
): Shelf[] {
  const shelves: Shelf[] = [];
  for (const of of tables) if (of.scope === PRICE_LIST) putShelf(shelves, book, of, list, -1);
  return shelves;
}
