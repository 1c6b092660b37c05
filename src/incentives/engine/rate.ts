/**
 * What percentage a line earns under a component of a plan, and which row of which version said so.
 */
import { CHANNELS, decimal } from "../../model/index.ts";
import { columnOf, COLUMNS } from "./base.ts";
import { dayNumber, SALES_CLASSES } from "./facts.ts";
import type { Pool } from "./ledger.ts";
import type { Component, Plan, PlanVersion, RateRow } from "./plan.ts";

/** The rate of a line and why. `units` are ten-thousandths of a percent. */
export type Rate =
  | {
      readonly basis: "row";
      readonly units: number;
      readonly version: number;
      /** 1 for the first row of the component's table. */
      readonly row: number;
      readonly match: RateRow;
    }
  /** The plan has a version for the date, and no row for the line. */
  | { readonly basis: "no-row"; readonly units: 0; readonly version: number }
  /** The plan, or this component of it, did not exist on the date. */
  | { readonly basis: "no-version"; readonly units: 0 }
  /** A credit note for a line that was never paid here: nothing is taken back. */
  | { readonly basis: "before-pay-start"; readonly units: 0 };

const NO_VERSION: Rate = { basis: "no-version", units: 0 };
const BEFORE_PAY_START: Rate = { basis: "before-pay-start", units: 0 };

export interface Rates {
  /** Every rate that can come out, so that a rate is known by its position. */
  readonly all: readonly Rate[];
  /**
   * Position in `all` for a day (20260331), a column (`columnOf`) and a product group's number or
   * -1.
   */
  readonly find: (day: number, column: number, productGroup: number) => number;
}

/**
 * One version's table, flattened: class × channel, once for each product group that a row names.
 */
interface Table {
  readonly from: number;
  readonly otherwise: Int32Array;
  /** By the group's number. */
  readonly byGroup: readonly (Int32Array | undefined)[];
}

export function compileRates(
  plan: Plan,
  component: string,
  { groups, payStartOn }: { groups: Pool; payStartOn: string | null },
): Rates {
  const all: Rate[] = [NO_VERSION, BEFORE_PAY_START];
  const tables = plan.versions
    .map((version) => tableOf(version, { component, groups, all }))
    .sort((left, right) => right.from - left.from);
  const start = payStartOn === null ? 0 : dayNumber(payStartOn);
  return {
    all,
    find(day, column, productGroup) {
      if (day < start) return 1;
      for (const { from, otherwise, byGroup } of tables)
        if (from <= day) return (byGroup[productGroup] ?? otherwise)[column]!;
      return 0;
    },
  };
}

function tableOf(
  { from, version, components }: PlanVersion,
  to: { readonly component: string; readonly groups: Pool; readonly all: Rate[] },
): Table {
  const component = components.find((it) => it.component === to.component);
  const day = dayNumber(from);
  if (component === undefined)
    return { from: day, otherwise: new Int32Array(COLUMNS), byGroup: [] };
  const first = to.all.length;
  to.all.push(...ratesOf(component, version));
  const byGroup: (Int32Array | undefined)[] = to.groups.texts.map(() => undefined);
  for (const group of new Set(component.rates.flatMap((row) => row.productGroups ?? []))) {
    const number = to.groups.find(group);
    if (number >= 0) byGroup[number] = flatten(component, group, first);
  }
  return { from: day, otherwise: flatten(component, null, first), byGroup };
}

/** "No row" first, then the rows in their order. */
function ratesOf(component: Component, version: number): Rate[] {
  const rows = component.rates.map((match, index): Rate => {
    const units = Number(decimal.digitsAt(decimal.parse(match.percent), 4));
    return { basis: "row", units, version, row: index + 1, match };
  });
  return [{ basis: "no-row", units: 0, version }, ...rows];
}

function flatten(component: Component, group: string | null, first: number): Int32Array {
  const table = new Int32Array(COLUMNS);
  for (const salesClass of SALES_CLASSES)
    for (const [number, channel] of CHANNELS.entries()) {
      const row = component.rates.findIndex(
        ({ classes, channels, productGroups }) =>
          (classes?.includes(salesClass) ?? true) &&
          (channels?.includes(channel) ?? true) &&
          (productGroups === null || (group !== null && productGroups.includes(group))),
      );
      table[columnOf(salesClass, number)] = first + 1 + row;
    }
  return table;
}

/** Codes of a plan's components over all its versions, in order of appearance. */
export function componentsOf(plan: Plan): { component: string; title: string }[] {
  const found = new Map<string, string>();
  for (const version of plan.versions)
    for (const { component, title } of version.components) found.set(component, title);
  return [...found].map(([component, title]) => ({ component, title }));
}
