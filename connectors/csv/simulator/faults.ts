/** What goes wrong on purpose: which faults are planted when, and the list of those that were. */
import { LAYOUT, type Cell, type Row, type Stream } from "./layout.ts";

export type FaultKind =
  | "bad-rows"
  | "broken-invoice-line"
  | "duplicate-file"
  | "cut-off-file"
  | "windows-1252"
  | "shrunk-snapshot";

/**
 * When each fault is planted: 0 is the first export, n the
 * n-th day that passes, or the first after it that can.
 */
export type FaultPlan = Readonly<Partial<Record<FaultKind, number>>>;

/** One of each, on days that do not disturb each other. */
export const ALL_FAULTS: FaultPlan = {
  "bad-rows": 0,
  "windows-1252": 0,
  "broken-invoice-line": 0,
  "duplicate-file": 1,
  "cut-off-file": 2,
  "shrunk-snapshot": 3,
};

export interface PlantedFault {
  readonly kind: FaultKind;
  readonly what: string;
  readonly stream: Stream;
  /** Name of the file in `out/`. */
  readonly file: string;
  /** Physical lines, the header being 1; empty when the whole file is meant. */
  readonly lines: readonly number[];
  readonly leadsTo: "quarantined" | "ignored" | "refused" | "read" | "stopped";
  /** Net that is missing from sales while it waits; null: none. */
  readonly worth: string | null;
  /** File that brings the same well; null: not written yet, or not needed. */
  readonly healedBy: string | null;
}

/**
 * The plan of faults and the list of what was planted;
 * planting itself is done where the rows and files are.
 */
export interface Faults {
  /** Planned for now or earlier, and not planted yet. */
  due(kind: FaultKind): boolean;
  plant(fault: Omit<PlantedFault, "healedBy">): void;
  /** A file that is well now brings what earlier faults of these kinds spoiled in its stream. */
  heal(kinds: readonly FaultKind[], stream: Stream, file: string): void;
  /** The export of a day is complete. */
  nextExport(): void;
  planted(): readonly PlantedFault[];
}

export function faultsOf(plan: FaultPlan): Faults {
  const due = new Map(Object.entries(plan) as [FaultKind, number][]);
  const list: PlantedFault[] = [];
  let exports = 0;
  const isDue = (kind: FaultKind) => (due.get(kind) ?? Infinity) <= exports;
  return {
    due: isDue,
    plant(fault) {
      // Bad rows stand in several files of one export, so they are due until that is complete.
      if (fault.kind !== "bad-rows") due.delete(fault.kind);
      list.push({ ...fault, healedBy: null });
    },
    heal(kinds, stream, file) {
      for (const [i, fault] of list.entries()) {
        const waits = fault.healedBy === null && fault.file !== file && fault.stream === stream;
        if (waits && kinds.includes(fault.kind)) list[i] = { ...fault, healedBy: file };
      }
    },
    nextExport() {
      if (isDue("bad-rows")) due.delete("bad-rows");
      exports += 1;
    },
    planted: () => [...list],
  };
}

export interface BadRow {
  readonly what: string;
  readonly cells: Cell[];
}

/** Rows that belong to nobody, each wrong in one way; `product` is a code that exists. */
export function badRowsOf(stream: Stream, product: string): readonly BadRow[] {
  const bad = (what: string, cells: Readonly<Record<string, Cell>>): BadRow => ({
    what,
    cells: LAYOUT[stream].map((column) => cells[column] ?? null),
  });
  if (stream === "price-rules") {
    const rule = { ...GOOD_RULE, productCode: product };
    return [
      bad("wrong number", { ...rule, value: "12.5O" }),
      bad("impossible date", { ...rule, rule: "BAD/2", validFrom: "2026-02-30" }),
    ];
  }
  if (stream === "customers") return [bad("unknown choice", { ...NOBODY, state: "dormant" })];
  if (stream === "products") return [bad("missing key", { name: 'A product without a code, 3"' })];
  if (stream === "sites") {
    const postcode = "LS1 4AP, rear entrance";
    return [bad("text too long", { ...NOBODY, site: "MAIN", standard: true, postcode })];
  }
  if (stream !== "sales-lines") return [];
  const { what, cells } = bad("too few columns", { ...GOOD_LINE, product });
  return [
    { what, cells: cells.slice(0, 6) },
    { what: "too many columns", cells: [...cells, "stray", "cells"] },
  ];
}

const GOOD_RULE = {
  rule: "BAD/1",
  customerScope: "everyone",
  productScope: "product",
  kind: "fixed",
  value: "1.00",
  fromQuantity: "0",
  net: false,
};
const NOBODY = { account: "BAD0001", name: "Nobody & Co", onStop: false, cashAccount: false };
const GOOD_LINE = {
  documentType: "invoice",
  document: "BAD000001",
  line: 1,
  lineClass: "goods",
  quantity: "1",
  unitPrice: "1.0000",
  net: "1.00",
  vat: "0.20",
  vatCode: "STANDARD",
};

/** The net with the letter O for its last digit, as a scanned list has it. */
export function broken(row: Row<"sales-lines">): Row<"sales-lines"> {
  return { ...row, net: `${String(row.net).slice(0, -1)}O` };
}
