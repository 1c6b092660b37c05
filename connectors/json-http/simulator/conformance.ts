/** The program as the conformance suite plays it. */
import {
  customer,
  document,
  product,
  start,
  stock,
  type ListName,
  type Row,
  type Simulator,
} from "./index.ts";

export const rig = {
  waivers: {},
  start: async () => farSide(await start()),
};

const ROWS = 8;

function farSide(far: Simulator) {
  // No two share a stamp, and each stands alone in its hour.
  for (let n = 1; n <= ROWS; n += 1)
    for (const list of LISTS)
      far.books[list].push(rowOf(list, n, `2026-03-${10 + n}T09:30:0${n}.250Z`));
  const books = (stream: string): Row[] => far.books[stream as ListName];
  const there = (stream: string): Row[] =>
    books(stream).filter((row) => row["removed"] !== true && !bad.has(row));
  const bad = new Set<Row>();
  let added = 100;
  let seconds = 0;
  /** A stamp of the far side's own, each later than the one before. */
  const now = (): string => {
    seconds += 1;
    return `2026-03-27T12:00:${String(seconds).padStart(2, "0")}.125Z`;
  };
  return {
    settings: far.settings,
    secrets: far.secrets,
    rows: (stream: string) => there(stream).map(shown),
    add(stream: string, stamps: readonly (string | null)[]) {
      for (const stamp of stamps) {
        added += 1;
        books(stream).push(rowOf(stream as ListName, added, stamp ?? now()));
      }
    },
    edit(stream: string, index: number, stamp: string | null) {
      change(rowAt(stream, index), { name: "Edited", net: "99.00", free: 0 }, stamp ?? now());
    },
    remove(stream: string, index: number) {
      const row = rowAt(stream, index);
      if (stream !== "documents")
        far.books[stream as ListName] = books(stream).filter((one) => one !== row);
      else {
        row["removed"] = true;
        change(row, {}, now());
      }
    },
    spoil(stream: string, kind: string) {
      const row = spoiled(stream as ListName, kind);
      if (row === null) return false;
      bad.add(row);
      books(stream).push(row);
      return true;
    },
    misbehave(what: string) {
      if (!FAULTS.has(what)) return false;
      const isOnce = what.endsWith(" once") || what.startsWith("page ") || what === "token expires";
      far.faults.set(what.replace(" once", ""), isOnce ? 1 : Infinity);
      return true;
    },
    fill(_stream: string, rows: number) {
      far.filled = rows;
      Object.assign(far.settings, { pageRows: 1_000 });
    },
    signIns: () => Math.floor(far.signIns),
    close: () => far.close(),
  };

  function rowAt(stream: string, index: number): Row {
    const row = there(stream)[index];
    if (row === undefined) throw new RangeError(`${stream} has no row ${index}`);
    return row;
  }
}

const LISTS: readonly ListName[] = ["customers", "products", "documents", "stock"];

const FAULTS = new Set([
  "page twice",
  "page missing",
  "page short",
  "page empty",
  "page earlier",
  "out of order",
  "token expires",
  "throttles once",
  "fails once",
  "throttles",
  "fails",
  "refuses sign-in",
  "garbage",
  "hangs",
]);

function rowOf(list: ListName, n: number, stamp: string): Row {
  switch (list) {
    case "customers":
      return customer(n);
    case "products":
      return product(n);
    case "documents":
      return document(n, stamp);
    case "stock":
      return stock(n, stamp);
  }
}

/** With a column of its own for each nested value, as the settings ask. */
function shown({ address, ...row }: Row): Row {
  return address === undefined ? row : { ...row, "address.city": (address as Row)["city"] };
}

function change(row: Row, to: Row, stamp: string): void {
  for (const [name, value] of Object.entries(to)) if (name in row) row[name] = value;
  if ("changedAt" in row) row["changedAt"] = stamp;
}

/** A bad row of this kind; null: JSON cannot hold one. */
function spoiled(list: ListName, kind: string): Row | null {
  const row = rowOf(list, 50 + KINDS.indexOf(kind), "2026-03-20T08:00:00.000Z");
  const [key = ""] = Object.keys(row);
  switch (kind) {
    case "wrong type":
      return { ...row, name: 12, net: { amount: 1 }, free: ["7"], changedAt: "yesterday" };
    case "missing key":
      return { ...row, [key]: null };
    case "huge field":
      return { ...row, name: "x".repeat(100_000) };
    case "NUL":
      return { ...row, name: "a\0b" };
    case "control characters":
      return { ...row, name: "a\u001Bb" };
    default:
      return null;
  }
}

const KINDS = ["wrong type", "missing key", "huge field", "NUL", "control characters"];
