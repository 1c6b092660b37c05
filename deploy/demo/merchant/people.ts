/** The merchant's own side: branches, reps, and who looks after which account from when to when. */
import { isoOf } from "./calendar.ts";
import type { Account } from "./customers.ts";
import { personName, places, type Place } from "./names.ts";
import { at, randomOf, type Random } from "./random.ts";
import type { Scope } from "./scope.ts";

export interface Branch {
  readonly branch: string;
  readonly name: string;
  readonly defaultChannel: "counter" | "unknown";
}

export interface Rep {
  readonly rep: string;
  readonly name: string;
  readonly team: string | null;
  readonly email: string | null;
  readonly startedOn: string | null;
  readonly leftOn: string | null;
}

export interface Assignment {
  readonly account: string;
  readonly rep: string;
  readonly sharePercent: string;
  readonly validFrom: string;
  readonly validTo: string | null;
}

/** Sales that are nobody's. */
export const HOUSE = "HOUSE";

/**
 * Branches in the order of their opening. With more than one, the last is a trade counter: whatever
 * is sold there is sold at the counter, which its `defaultChannel` says.
 */
export function branchesOf(scope: Scope): readonly (Branch & { readonly place: Place })[] {
  return places(scope.branches).map((place, i) => {
    const counterOnly = i > 0 && i === scope.branches - 1;
    return {
      place,
      branch: place.branch,
      name: `${place.town} ${counterOnly ? "trade counter" : "yard & showroom"}`,
      defaultChannel: counterOnly ? "counter" : "unknown",
    };
  });
}

/** The last rep left two fifths into the last year but one; all others are employed. */
export function repsOf(scope: Scope): readonly Rep[] {
  return Array.from({ length: scope.reps }, (_, i) => {
    const random = randomOf(scope.seed, "rep", i);
    const name = personName(random);
    const left = i === scope.reps - 1;
    return {
      rep: repCode(i),
      name,
      team: i % 2 === 0 ? "NORTH" : "SOUTH",
      email: random.chance(0.9) ? `rep${i + 1}@merchant.example` : null,
      startedOn: isoOf(scope.opensDay - random.whole(30, 4000)),
      leftOn: left ? isoOf(leavingDay(scope)) : null,
    };
  });
}

function repCode(index: number): string {
  return `REP${String(index + 1).padStart(2, "0")}`;
}

function leavingDay(scope: Scope): number {
  return scope.todayDay - 365 - 145;
}

/** A stretch of days on which an account's shares are the same. */
interface Spell {
  readonly from: number;
  /** null: until further notice. */
  readonly to: number | null;
  readonly shares: readonly (readonly [rep: string, percent: number])[];
}

export interface Territory {
  readonly assignments: readonly Assignment[];
  /**
   * The rep with the greatest share of an account on a day; null when it is nobody's or unassigned.
   */
  repOn(account: string, day: number): string | null;
}

export function territoryOf(scope: Scope, accounts: readonly Account[]): Territory {
  const spells = new Map(
    accounts.map((one) => {
      const random = randomOf(scope.seed, "assignment", one.account);
      return [one.account, withoutLeaver(scope, spellsOf(scope, one, random))];
    }),
  );
  const assignments = [...spells].flatMap(([account, list]) =>
    list.flatMap((spell) => rowsOf(account, spell)),
  );
  return {
    assignments,
    repOn(account, day) {
      const spell = spells
        .get(account)
        ?.find(({ from, to }) => from <= day && (to === null || day <= to));
      const rep = spell?.shares[0]?.[0] ?? HOUSE;
      return rep === HOUSE ? null : rep;
    },
  };
}

/**
 * Most accounts keep one rep; some are shared 60/40,
 * change hands, belong to the house, or to nobody yet.
 */
function spellsOf(scope: Scope, account: Account, random: Random): readonly Spell[] {
  const from = account.openedDay;
  const rep = repCode(random.whole(0, scope.reps - 1));
  const other = repCode(random.whole(0, scope.reps - 1));
  const change = scope.opensDay + random.whole(90, Math.max(91, scope.todayDay - scope.opensDay));
  const alone = (name: string) => [[name, 100]] as const;
  const inTwo = (first: Spell["shares"], second: Spell["shares"]): readonly Spell[] =>
    change <= from
      ? [{ from, to: null, shares: second }]
      : [
          { from, to: change - 1, shares: first },
          { from: change, to: null, shares: second },
        ];
  if (account.cash) return [{ from, to: null, shares: alone(HOUSE) }];
  const kind = random.weighted([
    ["one", 78],
    ["split", 8],
    ["change", 7],
    ["house", 4],
    ["from the house", 2],
    ["nobody", 1],
  ]);
  if (kind === "nobody") return [];
  if (kind === "house") return [{ from, to: null, shares: alone(HOUSE) }];
  if (kind === "from the house") return inTwo(alone(HOUSE), alone(rep));
  if (kind === "one" || rep === other) return [{ from, to: null, shares: alone(rep) }];
  if (kind === "change") return inTwo(alone(rep), alone(other));
  return inTwo(alone(rep), [
    [rep, 60],
    [other, 40],
  ]);
}

/** Whatever the leaver still had on the last day goes to the first rep from the day after. */
function withoutLeaver(scope: Scope, spells: readonly Spell[]): readonly Spell[] {
  const leaver = repCode(scope.reps - 1);
  const last = leavingDay(scope);
  return spells.flatMap((spell): readonly Spell[] => {
    const leaves = spell.shares.some(([rep]) => rep === leaver);
    if (!leaves || (spell.to !== null && spell.to <= last)) return [spell];
    const after = { ...spell, shares: handedOver(spell.shares, leaver) };
    if (spell.from > last) return [after];
    return [
      { ...spell, to: last },
      { ...after, from: last + 1 },
    ];
  });
}

function handedOver(shares: Spell["shares"], leaver: string): Spell["shares"] {
  const successor = repCode(0);
  const passed = shares.map(
    ([rep, percent]) => [rep === leaver ? successor : rep, percent] as const,
  );
  const reps = new Set(passed.map(([rep]) => rep));
  return reps.size === passed.length ? passed : [[at(passed, 0)[0], 100]];
}

function rowsOf(account: string, { from, to, shares }: Spell): readonly Assignment[] {
  return shares.map(([rep, percent]) => ({
    account,
    rep,
    sharePercent: String(percent),
    validFrom: isoOf(from),
    validTo: to === null ? null : isoOf(to),
  }));
}
