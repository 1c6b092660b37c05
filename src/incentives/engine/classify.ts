/** New or repeat, with the documents that decided it. */
import { dateOf, dayNumber } from "./facts.ts";
import type { EntityFact, FirstInvoice, PayRules, SalesClass } from "./facts.ts";
import { CREDIT } from "./ledger.ts";
import type { Ledger, Pools } from "./ledger.ts";

/**
 * Why a line has its class. Dates are ISO; `newTo` is the last day on which the customer is new.
 */
export type ClassEvidence =
  /** The first qualifying invoice decides; a full window of complete history lies before it. */
  | {
      readonly class: SalesClass;
      readonly basis: "first-invoice";
      readonly tradingEntity: string;
      readonly firstOn: string;
      readonly firstDocument: string | null;
      readonly newTo: string;
    }
  /** History does not reach back far enough, the opening date decides. */
  | {
      readonly class: SalesClass;
      readonly basis: "opening-date";
      readonly tradingEntity: string;
      readonly openedOn: string;
      readonly firstOn: string;
      readonly firstDocument: string | null;
      readonly newTo: string;
    }
  /** Neither history nor an opening date: paid as repeat and listed. */
  | {
      readonly class: "repeat";
      readonly basis: "unproven";
      readonly tradingEntity: string;
      readonly firstOn: string;
      readonly firstDocument: string | null;
      readonly historyFrom: string;
    }
  | { readonly class: "repeat"; readonly basis: "cash-account"; readonly account: string }
  | { readonly class: "repeat"; readonly basis: "no-invoice"; readonly tradingEntity: string };

export interface Classes {
  /** Every evidence that can come out, so that one is known by its position. */
  readonly all: readonly ClassEvidence[];
  /**
   * Position in `all` for a line of this account and trading entity (numbers of the pools) on a
   * day.
   */
  readonly find: (account: number, tradingEntity: number, day: number) => number;
}

/** A customer's whole life in one comparison: before `repeatFrom` the one, from it on the other. */
interface Standing {
  /** ISO date; "": always `after`. */
  readonly repeatFrom: string;
  readonly before: ClassEvidence;
  readonly after: ClassEvidence;
}

export function compileClasses(
  { accounts, tradingEntities }: Pools,
  entities: readonly EntityFact[],
  cashAccounts: ReadonlySet<string>,
  rules: PayRules,
): Classes {
  const facts = new Map(entities.map((entity) => [entity.tradingEntity, entity]));
  const all: ClassEvidence[] = [];
  // Entity e has its evidence at 2e and 2e + 1.
  const repeatFrom = Int32Array.from(tradingEntities.texts, (tradingEntity) => {
    const unknown = { tradingEntity, firstOn: null, firstDocument: null, openedOn: null };
    const standing = standingOf(facts.get(tradingEntity) ?? unknown, rules);
    all.push(standing.before, standing.after);
    return standing.repeatFrom === "" ? 0 : dayNumber(standing.repeatFrom);
  });
  const cash = new Int32Array(accounts.texts.length);
  for (const account of cashAccounts) {
    const number = accounts.find(account);
    if (number >= 0)
      cash[number] = all.push({ class: "repeat", basis: "cash-account", account }) - 1;
  }
  return {
    all,
    find: (account, entity, day) =>
      cash[account]! || 2 * entity + (day < repeatFrom[entity]! ? 0 : 1),
  };
}

/**
 * An invoice counts as somebody's first when the ledger is complete for a whole window before it,
 * or when the account was opened inside the complete history. Otherwise older invoices may be
 * missing: an account opened earlier is taken to have bought when it opened.
 */
function standingOf(entity: EntityFact, rules: PayRules): Standing {
  const { tradingEntity, firstOn, firstDocument, openedOn } = entity;
  if (firstOn === null) {
    const evidence = { class: "repeat", basis: "no-invoice", tradingEntity } as const;
    return { repeatFrom: "", before: evidence, after: evidence };
  }
  const first = { tradingEntity, firstOn, firstDocument };
  const proven = (): Standing => {
    const { repeatFrom, newTo } = windowFrom(firstOn, rules);
    return both(repeatFrom, { ...first, basis: "first-invoice", newTo });
  };
  const { historyFrom } = rules;
  if (historyFrom === null || windowFrom(historyFrom, rules).repeatFrom <= firstOn) return proven();
  if (openedOn === null) {
    const unproven = { ...first, class: "repeat", basis: "unproven", historyFrom } as const;
    return { ...proven(), before: unproven };
  }
  const since = openedOn >= historyFrom || firstOn < openedOn ? firstOn : openedOn;
  const { repeatFrom, newTo } = windowFrom(since, rules);
  return both(repeatFrom, { ...first, basis: "opening-date", openedOn, newTo });
}

type Dated = Extract<ClassEvidence, { newTo: string }>;
type Undecided = Dated extends infer E ? (E extends Dated ? Omit<E, "class"> : never) : never;

function both(repeatFrom: string, evidence: Undecided): Standing {
  return {
    repeatFrom,
    before: { ...evidence, class: "new" },
    after: { ...evidence, class: "repeat" },
  };
}

/**
 * Half-open: a first invoice of 15 March makes new up to 14 March a year later, repeat from the
 * 15th.
 */
function windowFrom(since: string, rules: PayRules): { repeatFrom: string; newTo: string } {
  const end = Temporal.PlainDate.from(since).add({ months: rules.newMonths });
  return { repeatFrom: end.toString(), newTo: end.subtract({ days: 1 }).toString() };
}

/**
 * The first qualifying invoice of every trading entity in a ledger: an invoice whose goods are
 * worth more than nothing after reversals. Cash accounts make nobody a customer.
 */
export function firstInvoices(ledger: Ledger, cashAccounts: ReadonlySet<string>): FirstInvoice[] {
  const { columns, count, pools } = ledger;
  const { day, document, flags } = columns;
  const found: (FirstInvoice | undefined)[] = pools.tradingEntities.texts.map(() => undefined);
  const worthOf = documentWorth(ledger, cashAccounts);
  for (let start = 0, end = 0; start < count; start = end) {
    const isSame = (i: number): boolean =>
      i < count &&
      day[i] === day[start] &&
      document[i] === document[start] &&
      (flags[i]! & CREDIT) === (flags[start]! & CREDIT);
    end = start + 1;
    while (isSame(end)) end += 1;
    if ((flags[start]! & CREDIT) !== 0) continue;
    for (const [entity, worth] of worthOf(start, end)) {
      if (worth <= 0) continue;
      const firstDocument = pools.documents.texts[document[start]!]!;
      const tradingEntity = pools.tradingEntities.texts[entity]!;
      found[entity] ??= { tradingEntity, firstOn: dateOf(day[start]!), firstDocument };
    }
  }
  return found.filter((it) => it !== undefined);
}

/**
 * Net of the goods of one document, by trading entity: a document may have been moved to another.
 */
function documentWorth(
  { columns, pools }: Ledger,
  cashAccounts: ReadonlySet<string>,
): (start: number, end: number) => ReadonlyMap<number, number> {
  const { account, tradingEntity, netPence, lineClass } = columns;
  const cash = new Set([...cashAccounts].map((code) => pools.accounts.find(code)));
  const goods = pools.lineClasses.find("goods");
  const worth = new Map<number, number>();
  return (start, end) => {
    worth.clear();
    for (let i = start; i < end; i += 1) {
      if (lineClass[i] !== goods || cash.has(account[i]!)) continue;
      const entity = tradingEntity[i]!;
      worth.set(entity, (worth.get(entity) ?? 0) + netPence[i]!);
    }
    return worth;
  };
}
