/** A policy set against one book: per step, only the tables that hold something. */
import type { Place, Policy, PolicyStep } from "./policy.ts";
import { CUSTOMER_SCOPES, PRODUCT_SCOPES } from "./policy.ts";
import { tableOf } from "./tables.ts";
import type { Source } from "./tables.ts";

export interface LiveTable {
  readonly table: number;
  /** Position in `CUSTOMER_SCOPES` of whom it is for. */
  readonly scope: number;
  /** Position in `PRODUCT_SCOPES` of what its keys are. */
  readonly keyedBy: number;
  /** Its first region. */
  readonly region: number;
  /** Its place among those of the step. */
  readonly place: number;
  /** True: the fixed prices in it are base prices and nothing else to this step. */
  readonly leavesFixed: boolean;
}

export interface ProgramStep {
  readonly step: PolicyStep;
  readonly tables: readonly LiveTable[];
  /** True: the base price can compete in it. */
  readonly offersBase: boolean;
  /** Position as a bit. */
  readonly bit: number;
  /** The lowest wins, the first of equals, and nothing else is asked. */
  readonly simple: boolean;
  /** Simple, and an entry that holds is a price as it stands. */
  readonly fast: boolean;
  /** Once a place gave a price, the places after it cannot. */
  readonly firstPlace: boolean;
  /** Account's lists count in their order and may close those behind them. */
  readonly inListOrder: boolean;
  /** Positions, as bits, of the steps that block it. */
  readonly unless: number;
  /** Positions in `CUSTOMER_SCOPES` of whom a hidden step is for. */
  readonly scopes: readonly number[];
}

export interface Program {
  readonly steps: readonly ProgramStep[];
  readonly base: readonly LiveTable[];
  /** Where standard prices stand. */
  readonly standard: readonly LiveTable[];
  /** Fixed prices on lists: what makes a list have a price of a product. */
  readonly lists: readonly LiveTable[];
  readonly amounts: Amounts;
  /** A price can come of several steps or rules, so that it is worked out link by link. */
  readonly linked: boolean;
}

/** How net and VAT of most lines are worked out: figures of the policy's arithmetic. */
export interface Amounts {
  /** Net = unit price × quantity and VAT = net × rate, each half away from zero, and no more. */
  readonly plain: boolean;
  /** The unit price is multiplied by `raise`, what it makes is divided by `netDivisor`. */
  readonly raise: number;
  readonly netDivisor: number;
  readonly vatDivisor: number;
  /** What a price of the cells, with 4 places, is multiplied by for the policy's; 0: it is not. */
  readonly plainFactor: number;
}

/** What a table holds, as bits. */
export const HOLDS_NET = 1;
export const HOLDS_REST = 2;
export const HOLDS_BASE = 4;
export const HOLDS_NET_BASE = 8;

/** Tables whose fixed prices are base prices and compete as that alone. */
export function baseTables(policy: Policy): number[] {
  return policy.base.map(({ customer, product }) => tableOf("rule", customer, product));
}

/** Draws the live tables of some places of a source. */
type Live = (
  source: Source,
  places: readonly Place[],
  holds: number,
  leavesFixed: (table: number) => boolean,
) => LiveTable[];

export function programOf(policy: Policy, tableRegions: Int32Array, holdings: Uint8Array): Program {
  const inBase = baseTables(policy);
  const live: Live = (source, places, holds, leavesFixed) =>
    places.flatMap(({ customer, product }, place) => {
      const table = tableOf(source, customer, product);
      if ((holdings[table]! & holds) === 0) return [];
      return {
        table,
        scope: CUSTOMER_SCOPES.indexOf(customer),
        keyedBy: PRODUCT_SCOPES.indexOf(product),
        region: tableRegions[table]!,
        place,
        leavesFixed: leavesFixed(table),
      };
    });
  const fixed = (places: readonly Place[]) => live("rule", places, HOLDS_ALL, () => false);
  const netBase = inBase.some((table) => (holdings[table]! & HOLDS_NET_BASE) !== 0);
  return {
    steps: policy.steps.map((step, at) => ({
      step,
      tables: tablesOf(step, inBase, live),
      offersBase:
        step.draw === "base" ||
        (step.draw === "rules" && step.withBase && (step.only !== "net" || netBase)),
      ...waysOf(policy, at),
    })),
    base: fixed(policy.base),
    standard: fixed([{ customer: "everyone", product: "product" }]),
    lists: fixed([{ customer: "price-list", product: "product" }]),
    amounts: amountsOf(policy),
    linked: policy.steps.some(
      ({ hit, takes, from }) => hit === "continue" || takes !== "one" || from !== "base",
    ),
  };
}

function amountsOf({ arithmetic, breaks, zero }: Policy): Amounts {
  const { unitPrice, lineNet, vat, discount, prices } = arithmetic;
  return {
    plain:
      discount === "unit" &&
      prices === "exclusive" &&
      breaks === "all-units" &&
      lineNet.mode === "half-away" &&
      vat.mode === "half-away",
    raise: 10 ** Math.max(0, lineNet.scale - unitPrice.scale),
    netDivisor: 10 ** Math.max(0, unitPrice.scale - lineNet.scale),
    vatDivisor: 10 ** (lineNet.scale + 6 - vat.scale),
    // Where the policy keeps fewer places than the cells, or 0 is no price, nothing is as it is.
    plainFactor:
      zero === "price" && breaks === "all-units" && unitPrice.scale >= 4
        ? 10 ** (unitPrice.scale - 4)
        : 0,
  };
}

const HOLDS_ALL = HOLDS_NET | HOLDS_REST | HOLDS_BASE | HOLDS_NET_BASE;

/** How a step is gone about, whatever the book holds. */
function waysOf(
  { steps }: Policy,
  at: number,
): Omit<ProgramStep, "step" | "tables" | "offersBase"> {
  const { compete, tie, takes, unless, draw, places } = steps[at]!;
  const stacks = takes !== "one";
  const simple = compete.length === 1 && compete[0] === "lowest" && tie === "first" && !stacks;
  return {
    bit: 1 << at,
    simple,
    fast: simple && draw === "rules" && steps[at]!.sign === "any",
    firstPlace: compete[0] === "particular" && !stacks,
    inListOrder: compete.includes("list-order"),
    unless: unless.reduce(
      (bits, name) => bits | (1 << steps.findIndex((step) => step.step === name)),
      0,
    ),
    scopes:
      draw === "hidden" ? places.map(({ customer }) => CUSTOMER_SCOPES.indexOf(customer)) : [],
  };
}

function tablesOf(step: PolicyStep, inBase: readonly number[], live: Live): LiveTable[] {
  const { draw, places, kinds } = step;
  switch (draw) {
    case "quotations":
      return live("quotation", OFFERED, HOLDS_REST, () => false);
    case "rules": {
      const asksFixed = kinds !== null && kinds.includes("fixed");
      const leaves = (table: number) => !asksFixed && inBase.includes(table);
      return live("rule", places, heldBy(step, asksFixed), leaves);
    }
    case "promotions":
      return live("promotion", places, HOLDS_REST, () => false);
    case "account-discount":
    case "base":
    case "hidden":
      return [];
    default:
      return draw satisfies never;
  }
}

const OFFERED: readonly Place[] = [{ customer: "account", product: "product" }];

function heldBy({ only }: PolicyStep, asksFixed: boolean): number {
  const net = asksFixed ? HOLDS_NET | HOLDS_NET_BASE : HOLDS_NET;
  const rest = asksFixed ? HOLDS_REST | HOLDS_BASE : HOLDS_REST;
  switch (only) {
    case "net":
      return net;
    case "not-net":
      return rest;
    case "any":
      return net | rest;
    default:
      return only satisfies never;
  }
}
