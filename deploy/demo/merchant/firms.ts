/**
 * Firms: the businesses behind the accounts, and the trading entities that the ERP knows of them.
 */
import { isoOf } from "./calendar.ts";
import { CATALOGUE, type Trade } from "./catalogue.ts";
import { firmName, postcode, type Place } from "./names.ts";
import type { Branch } from "./people.ts";
import { randomOf, type Random } from "./random.ts";
import type { Scope } from "./scope.ts";

export interface TradingEntity {
  readonly tradingEntity: string;
  readonly name: string;
  readonly parent: string | null;
  readonly vatNumber: string | null;
  readonly postcode: string | null;
  readonly openedOn: string | null;
}

/** A business with one or more accounts. */
export interface Firm {
  readonly number: number;
  readonly name: string;
  readonly trade: Trade;
  readonly place: Place;
  readonly branch: Branch;
  readonly postcode: string;
  readonly vatNumber: string | null;
  readonly openedDay: number;
  readonly weight: number;
  readonly accounts: number;
  readonly tradingEntity: string | null;
}

export type HomeBranch = Branch & { readonly place: Place };

export function firmsOf(scope: Scope, branches: readonly HomeBranch[]): readonly Firm[] {
  const firms: Firm[] = [];
  for (let left = scope.customers - branches.length; left > 0;) {
    const firm = makeFirm(scope, branches, { number: firms.length + 1, atMost: left });
    firms.push(firm);
    left -= firm.accounts;
  }
  return firms;
}

function makeFirm(
  scope: Scope,
  branches: readonly HomeBranch[],
  { number, atMost }: { number: number; atMost: number },
): Firm {
  const random = randomOf(scope.seed, "firm", number);
  const trade = random.weighted(CATALOGUE.trades.map((one) => [one, one.share] as const));
  // A trade counter has fewer accounts of its own than a yard.
  const branch = random.weighted(
    branches.map((one) => [one, one.defaultChannel === "counter" ? 1 : 4] as const),
  );
  const accounts = accountsOf(number, random);
  const grown = Math.min(accounts, atMost);
  return {
    number,
    name: firmName(random, trade.code),
    trade,
    branch,
    place: branch.place,
    postcode: postcode(random, branch.place),
    vatNumber: random.chance(0.75) ? `GB${random.whole(100_000_000, 999_999_999)}` : null,
    openedDay: random.chance(0.75)
      ? scope.opensDay - random.whole(1, 9000)
      : random.whole(scope.opensDay, scope.todayDay - 5),
    // A few buy a hundred times what the many do.
    weight: Math.min(120, (1 - random.next()) ** -0.85) * (accounts > 2 ? 2 : 1),
    accounts: grown,
    tradingEntity: grown > 1 || random.chance(0.4) ? `TE${String(number).padStart(5, "0")}` : null,
  };
}

/** Most have one. Even a small merchant has a firm with two, and one with a head office. */
function accountsOf(number: number, random: Random): number {
  if (number === 2) return 2;
  if (number === 3) return 3;
  return random.weighted([
    [1, 92],
    [2, 5],
    [random.whole(3, 6), 3],
  ]);
}

/** Two of a hundred entities belong to the buying group that the first entity is. */
export function entitiesOf(firms: readonly Firm[]): readonly TradingEntity[] {
  const named = firms.filter((firm) => firm.tradingEntity !== null);
  const buyingGroup = named[0]?.tradingEntity ?? null;
  return named.map((firm) => ({
    tradingEntity: firm.tradingEntity ?? "",
    name: firm.name,
    parent: firm.number % 50 === 0 ? buyingGroup : null,
    vatNumber: firm.vatNumber,
    postcode: firm.postcode,
    openedOn: isoOf(firm.openedDay),
  }));
}

/** Four letters of the name and a number, as counters have always done it. */
export function accountCode(name: string, used: Set<string>): string {
  const letters = name
    .normalize("NFD")
    .replaceAll(/[^A-Za-z]/g, "")
    .toUpperCase()
    .slice(0, 4);
  for (let number = 1; ; number += 1) {
    const code = `${letters}${String(number).padStart(4, "0")}`;
    if (used.has(code)) continue;
    used.add(code);
    return code;
  }
}
