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
  /** True: fixed prices in it are base prices. */
  readonly holdsBase: boolean;
}

export interface ProgramStep {
  readonly step: PolicyStep;
  readonly tables: readonly LiveTable[];
  /** True: the base price can compete in it. */
  readonly offersBase: boolean;
}

export interface Program {
  readonly steps: readonly ProgramStep[];
  readonly base: readonly LiveTable[];
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

export function programOf(policy: Policy, tableRegions: Int32Array, holdings: Uint8Array): Program {
  const inBase = baseTables(policy);
  const live = (source: Source, places: readonly Place[], holds: number) =>
    places.flatMap(({ customer, product }) => {
      const table = tableOf(source, customer, product);
      if ((holdings[table]! & holds) === 0) return [];
      return {
        table,
        scope: CUSTOMER_SCOPES.indexOf(customer),
        keyedBy: PRODUCT_SCOPES.indexOf(product),
        region: tableRegions[table]!,
        holdsBase: inBase.includes(table),
      };
    });
  const netBase = inBase.some((table) => (holdings[table]! & HOLDS_NET_BASE) !== 0);
  return {
    steps: policy.steps.map((step) => ({
      step,
      tables: tablesOf(step, live),
      offersBase:
        step.draw === "base" ||
        (step.draw === "rules" && step.withBase && (step.only !== "net" || netBase)),
    })),
    base: live("rule", policy.base, HOLDS_BASE | HOLDS_NET_BASE),
  };
}

const HELD = { net: HOLDS_NET, "not-net": HOLDS_REST, any: HOLDS_NET | HOLDS_REST } as const;

function tablesOf(
  step: PolicyStep,
  live: (source: Source, places: readonly Place[], holds: number) => LiveTable[],
): LiveTable[] {
  switch (step.draw) {
    case "quotations":
      return live("quotation", [{ customer: "account", product: "product" }], HOLDS_REST);
    case "rules":
      return live("rule", step.places, HELD[step.only]);
    case "promotions":
      return live("promotion", step.places, HOLDS_REST);
    case "account-discount":
    case "base":
    case "hidden":
      return [];
    default:
      return step.draw satisfies never;
  }
}
