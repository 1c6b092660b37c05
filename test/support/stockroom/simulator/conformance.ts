/** The stockroom as the conformance suite plays it. */
import { customer, invoice, start, type Row, type Stockroom } from "./index.ts";

export const rig = {
  // Nothing is waived. One would read: `"cursor-future": "the source has no clock"`.
  waivers: {},
  start: async () => farSide(await start()),
};

type Stream = "customers" | "invoices";

function farSide(far: Stockroom) {
  for (let n = 1; n <= 8; n += 1) far.books.customers.push(customer(numbered("C", n)));
  // No two share a stamp, and one in three stands alone in its hour.
  for (let n = 1; n <= 8; n += 1)
    far.books.invoices.push(invoice(numbered("I", n), `2026-03-${10 + n}T09:30:0${n}Z`));
  const list = (stream: string): Row[] => far.books[stream as Stream];
  const sort = (): void => {
    far.books.customers.sort((a, b) => compare(a["account"], b["account"]));
    far.books.invoices.sort(
      (a, b) => compare(a["changed"], b["changed"]) || compare(a["number"], b["number"]),
    );
  };
  let keys = 100;
  let clock = 0;
  /** A stamp of the far side's own, each later than the one before. */
  const stamp = (): string => {
    clock += 1;
    return `2026-03-27T12:00:${String(clock).padStart(2, "0")}Z`;
  };
  return {
    settings: far.settings,
    secrets: far.secrets,
    rows: (stream: string) =>
      list(stream).filter((row) => row["deleted"] !== true && row["bad"] !== true),
    add(stream: string, stamps: readonly (string | null)[]) {
      for (const at of stamps) {
        keys += 1;
        const isCustomer = stream === "customers";
        const row = isCustomer
          ? customer(numbered("C", keys))
          : invoice(numbered("I", keys), at ?? stamp());
        list(stream).push(row);
      }
      sort();
    },
    edit(stream: string, index: number, at: string | null) {
      change(stream, index, { name: "Edited Ltd", net: "99.00" }, at ?? stamp());
    },
    remove(stream: string, index: number) {
      if (stream === "invoices") return change(stream, index, { deleted: true }, stamp());
      const row = this.rows(stream)[index];
      far.books.customers = far.books.customers.filter((one) => one !== row);
    },
    spoil(stream: string, kind: string) {
      const bad = spoiled(stream, kind);
      if (bad === null) return false;
      list(stream).push({ ...bad, bad: true });
      sort();
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
      far.settings.pageRows = 1_000;
    },
    signIns: () => far.signIns,
    orders: {
      order: (key: string) => ({
        key,
        tables: [{ name: "lines", columns: ["sku"], rows: [["A1"]] }],
      }),
      refusable: (key: string) => ({ key, tables: [] }),
      held: (key: string) =>
        [...far.books.orders.keys()].filter((reference) => reference.startsWith(key)).length,
      loseAnswer() {
        far.faults.set("loses the answer", 1);
        return true;
      },
    },
    close: () => far.close(),
  };

  function change(stream: string, index: number, to: Row, changed: string): void {
    const row = list(stream).filter((one) => one["deleted"] !== true)[index];
    if (row === undefined) throw new RangeError(`${stream} has no row ${index}`);
    const known = Object.keys(to).filter((name) => name in row || name === "deleted");
    for (const name of known) row[name] = to[name];
    if (stream === "invoices") row["changed"] = changed;
    sort();
  }
}

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

/** A bad row of this kind; null: JSON cannot hold one. */
function spoiled(stream: string, kind: string): Row | null {
  const good = stream === "customers" ? customer("C5") : invoice("I5", "2026-03-20T08:00:00Z");
  switch (kind) {
    case "wrong type":
      return { ...good, name: 12, net: { amount: 1 } };
    case "missing key":
      return stream === "customers" ? { name: "Nobody" } : { ...good, number: null };
    case "huge field":
      return { ...good, name: "x".repeat(100_000), account: "C6", number: "I6" };
    case "NUL":
      return { ...good, name: "a\0b", account: "C7", number: "I7" };
    case "control characters":
      return { ...good, name: "a\u001bb", account: "C8", number: "I8" };
    default:
      return null;
  }
}

function numbered(letter: string, n: number): string {
  return `${letter}${String(n).padStart(9, "0")}`;
}

function compare(a: unknown, b: unknown): number {
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
