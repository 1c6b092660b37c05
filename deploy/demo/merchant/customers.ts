/** Accounts and sites; and how each account behaves: how much it buys, what, when it pays. */
import { isoOf } from "./calendar.ts";
import { CATALOGUE, type Trade } from "./catalogue.ts";
import { moneyText } from "./figures.ts";
import {
  accountCode,
  entitiesOf,
  firmsOf,
  type Firm,
  type HomeBranch,
  type TradingEntity,
} from "./firms.ts";
import { postcode, street, type Place } from "./names.ts";
import type { Branch } from "./people.ts";
import type { Range } from "./products.ts";
import { at, randomOf, type Random } from "./random.ts";
import type { Scope } from "./scope.ts";

export interface Customer {
  readonly account: string;
  readonly name: string;
  readonly tradingEntity: string | null;
  readonly headOffice: string | null;
  readonly customerGroup: string | null;
  readonly priceList: string | null;
  readonly branch: string | null;
  readonly rep: string | null;
  readonly currency: string;
  readonly vatCode: string | null;
  readonly vatNumber: string | null;
  readonly discountPercent: string | null;
  readonly termsDays: number | null;
  readonly termsBasis: "invoice-date" | "end-of-month" | null;
  readonly settlementPercent: string | null;
  readonly settlementDays: number | null;
  readonly creditLimit: string | null;
  readonly onStop: boolean;
  readonly stopReason: string | null;
  readonly cashAccount: boolean;
  readonly state: "active" | "closed";
  readonly openedOn: string;
  readonly email: string | null;
  readonly telephone: string | null;
  readonly postcode: string;
}

export interface Site {
  readonly account: string;
  readonly site: string;
  readonly name: string;
  readonly address1: string | null;
  readonly address2: string | null;
  readonly address3: string | null;
  readonly town: string | null;
  readonly county: string | null;
  readonly postcode: string | null;
  readonly country: string;
  readonly vatCode: string | null;
  readonly standard: boolean;
  readonly state: "active" | "closed";
}

/** An account as the yard knows it. */
export interface Account {
  readonly account: string;
  readonly branch: Branch;
  readonly openedDay: number;
  /** The last day on which it could buy: it was closed or put on stop; null: it still can. */
  readonly lastDay: number | null;
  readonly cash: boolean;
  /** How much it buys, beside others. */
  readonly weight: number;
  /** Its share of orders through the web shop once it is used to it, 0 to 1. */
  readonly webShare: number;
  /** Indexes of the products that it keeps buying, most bought first. */
  readonly basket: readonly number[];
  readonly trade: Trade;
  /** Days after the due date on which it pays. */
  readonly daysLate: number;
  /** Owed from before the first day of history, in pence. */
  readonly openingPence: number;
}

export interface Clientele {
  readonly tradingEntities: readonly TradingEntity[];
  /** Without `rep`, which the territory says. */
  readonly customers: readonly Omit<Customer, "rep">[];
  readonly sites: readonly Site[];
  /** By the same index as `customers`. */
  readonly accounts: readonly Account[];
}

export function clienteleOf(
  scope: Scope,
  range: Range,
  branches: readonly HomeBranch[],
): Clientele {
  const firms = firmsOf(scope, branches);
  const used = new Set<string>();
  const members = firms.flatMap((firm) => {
    const codes = Array.from({ length: firm.accounts }, () => accountCode(firm.name, used));
    return codes.map((account, i) =>
      member(scope, {
        firm,
        account,
        part: i,
        headOffice: i > 0 && codes.length > 2 ? at(codes, 0) : null,
      }),
    );
  });
  const cash = branches.map((branch) => cashMember(scope, branch));
  const all = [...cash, ...members];
  return {
    tradingEntities: entitiesOf(firms),
    customers: all.map((one) => one.customer),
    sites: all.flatMap((one) => one.sites),
    accounts: all.map((one) => ({
      ...one.account,
      basket: basketOf(scope, range, one.account),
    })),
  };
}

interface Part {
  readonly firm: Firm;
  readonly account: string;
  /** 0 is the firm's first account. */
  readonly part: number;
  readonly headOffice: string | null;
}

interface Member {
  readonly customer: Omit<Customer, "rep">;
  readonly sites: readonly Site[];
  readonly account: Omit<Account, "basket">;
}

type Standing =
  | { readonly kind: "good" }
  | { readonly kind: "stop" | "closed"; readonly day: number };

function member(scope: Scope, part: Part): Member {
  const { firm, account } = part;
  const random = randomOf(scope.seed, "account", account);
  const name = part.part === 0 ? firm.name : `${firm.name} (${partName(part.part)})`;
  const openedDay = Math.min(
    scope.todayDay - 5,
    firm.openedDay + (part.part === 0 ? 0 : random.whole(30, 700)),
  );
  const standing = standingOf(scope, { firm: firm.number, openedDay, random });
  const customer = customerRow(part, { name, openedDay, standing, random });
  return {
    customer,
    sites: sitesOf(customer, firm.place, random),
    account: {
      account,
      branch: firm.branch,
      openedDay,
      lastDay: standing.kind === "good" ? null : standing.day,
      cash: false,
      weight: firm.weight / (1 + part.part),
      webShare: random.chance(0.45) ? 0 : random.next() * 0.8,
      trade: firm.trade,
      daysLate: random.weighted([
        [random.whole(-3, 2), 50],
        [random.whole(3, 14), 35],
        [random.whole(15, 60), 15],
      ]),
      openingPence:
        openedDay < scope.opensDay && random.chance(0.35) ? random.whole(2000, 250_000) : 0,
    },
  };
}

function partName(part: number): string {
  return at(["Head Office", "Plant", "Projects", "North", "South", "Maintenance"], part);
}

/** Most are good customers. Even a small merchant has one on stop. */
function standingOf(
  scope: Scope,
  { firm, openedDay, random }: { firm: number; openedDay: number; random: Random },
): Standing {
  const drawn = random.weighted([
    ["good", 94.5],
    ["stop", 2.5],
    ["closed", 3],
  ]);
  const kind = firm === 5 ? "stop" : drawn;
  if (kind === "good") return { kind };
  const earliest = Math.max(openedDay, scope.todayDay - (kind === "stop" ? 200 : 700));
  return { kind, day: random.whole(earliest, scope.todayDay - 1) };
}

interface Draft {
  readonly name: string;
  readonly openedDay: number;
  readonly standing: Standing;
  readonly random: Random;
}

function customerRow(
  { firm, account, headOffice }: Part,
  { name, openedDay, standing, random }: Draft,
): Omit<Customer, "rep"> {
  const settles = random.chance(0.1);
  return {
    account,
    name,
    tradingEntity: firm.tradingEntity,
    headOffice,
    customerGroup: random.chance(0.85) ? firm.trade.code : null,
    priceList: random.weighted([
      ["TRADE", 50],
      ["TRADE+", 20],
      [null, 30],
    ]),
    branch: firm.branch.branch,
    currency: "GBP",
    // Exempt for some reason of its own: an export account, a charity.
    vatCode: random.chance(0.01) ? "ZERO" : null,
    vatNumber: firm.vatNumber,
    discountPercent: null,
    termsDays: random.weighted([
      [30, 75],
      [14, 10],
      [60, 15],
    ]),
    termsBasis: random.chance(0.7) ? "end-of-month" : "invoice-date",
    settlementPercent: settles ? "2.5" : null,
    settlementDays: settles ? 7 : null,
    creditLimit: random.chance(0.95) ? moneyText(creditLimitPence(firm.weight, random)) : null,
    onStop: standing.kind === "stop",
    stopReason:
      standing.kind === "stop"
        ? random.pick([
            "Over 90 days",
            "Cheque returned",
            "Limit withdrawn by insurer",
            "In dispute",
          ])
        : null,
    cashAccount: false,
    state: standing.kind === "closed" ? "closed" : "active",
    openedOn: isoOf(openedDay),
    email: random.chance(0.7) ? `orders@${account.toLowerCase()}.example` : null,
    telephone: random.chance(0.9)
      ? `01${random.whole(13, 99)}4 ${random.whole(100_000, 999_999)}`
      : null,
    postcode: firm.postcode,
  };
}

function creditLimitPence(weight: number, random: Random): number {
  return Math.ceil(weight * (1.5 + random.next() * 4)) * 50_000;
}

function sitesOf(customer: Omit<Customer, "rep">, place: Place, random: Random): readonly Site[] {
  const jobs = random.weighted([
    [1, 80],
    [random.whole(2, 4), 15],
    [random.whole(5, 12), 5],
  ]);
  return Array.from({ length: jobs }, (_, i) => ({
    account: customer.account,
    site: i === 0 ? "MAIN" : `JOB${String(i).padStart(3, "0")}`,
    name: i === 0 ? customer.name : `Plot ${random.whole(1, 90)}, ${street(random)}`,
    address1: street(random),
    address2: random.chance(0.2) ? "off Ring Road" : null,
    address3: null,
    town: place.town,
    county: random.chance(0.6) ? "West Yorkshire" : null,
    postcode: i === 0 ? customer.postcode : postcode(random, place),
    country: "GB",
    vatCode: null,
    standard: i === 0,
    state: i > 2 && random.chance(0.2) ? "closed" : "active",
  }));
}

/** Each branch books its unnamed counter customers on one account. */
function cashMember(scope: Scope, branch: HomeBranch): Member {
  const account = `CASH-${branch.branch}`;
  const random = randomOf(scope.seed, "cash", branch.branch);
  const firm: Firm = {
    number: 0,
    name: `Cash sales ${branch.place.town}`,
    trade: at(CATALOGUE.trades, 0),
    place: branch.place,
    branch,
    postcode: postcode(random, branch.place),
    vatNumber: null,
    openedDay: scope.opensDay - 9000,
    weight: 1,
    accounts: 1,
    tradingEntity: null,
  };
  const made = member(scope, { firm, account, part: 0, headOffice: null });
  return {
    sites: made.sites.slice(0, 1),
    customer: {
      ...made.customer,
      customerGroup: null,
      priceList: null,
      vatCode: null,
      termsDays: 0,
      termsBasis: "invoice-date",
      settlementPercent: null,
      settlementDays: null,
      creditLimit: "0.00",
      onStop: false,
      stopReason: null,
      cashAccount: true,
      state: "active",
      email: null,
      telephone: null,
    },
    account: {
      ...made.account,
      lastDay: null,
      cash: true,
      // One twelfth of all sales are cash sales, whatever the size of the merchant.
      weight: (scope.customers / 12 / scope.branches) * 3,
      webShare: 0,
      daysLate: 0,
      openingPence: 0,
    },
  };
}

/** What an account keeps buying: mostly the groups of its trade. */
function basketOf(scope: Scope, range: Range, account: Omit<Account, "basket">): readonly number[] {
  const random = randomOf(scope.seed, "basket", account.account);
  const size = Math.min(range.products.length, Math.round(15 + 12 * Math.log2(1 + account.weight)));
  const chosen = new Set<number>();
  for (let tries = 0; tries < size * 3 && chosen.size < size; tries += 1) {
    const group = range.byGroup.get(random.pick(account.trade.groups)) ?? [];
    const any = random.chance(0.15) || group.length === 0;
    const index = any ? random.whole(0, range.products.length - 1) : random.pick(group);
    if (at(range.products, index).state !== "blocked") chosen.add(index);
  }
  return [...chosen];
}
