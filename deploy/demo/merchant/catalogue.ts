/** What a builders' merchant sells and to whom: the data of catalogue.yaml. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";

export interface Family {
  readonly group: string;
  /** {0}, {1}, … stand for one value of each axis. */
  readonly name: string;
  readonly axes: readonly (readonly string[])[];
  /** Pence per pricing unit, of the smallest and of the largest. */
  readonly price: readonly [least: number, most: number];
  /** Selling units on a line: least, most, step; in thousandths where it is sold in fractions. */
  readonly quantity: readonly [least: number, most: number, step: number];
  /** EACH when not said. */
  readonly unit?: string;
  /** The pricing unit and how many selling units it holds; one selling unit when not said. */
  readonly per?: { readonly unit: string; readonly sellingUnits: number };
  /** 1 when not said. */
  readonly pack?: number;
  /** STANDARD when not said. */
  readonly vatCode?: string;
}

/** A kind of customer: its discount group and what it buys. */
export interface Trade {
  readonly code: string;
  readonly name: string;
  /** Percent of all customers. */
  readonly share: number;
  readonly groups: readonly string[];
}

interface Catalogue {
  readonly groups: readonly {
    readonly code: string;
    readonly name: string;
    readonly parent: string | null;
  }[];
  readonly trades: readonly Trade[];
  readonly families: readonly Family[];
}

export const CATALOGUE: Catalogue = parse(
  readFileSync(new URL("catalogue.yaml", import.meta.url), "utf8"),
);

/** Units that are sold in fractions. */
export const FRACTIONAL_UNITS: readonly string[] = ["METRE", "TONNE", "M2"];
