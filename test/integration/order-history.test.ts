/** Looks after each pull and each minute, whatever came before; and whom they wait for. */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { recordInvoiced } from "../../src/orders/index.ts";
import type { Transaction } from "../../src/store/index.ts";
import { ORIGIN_ID, pull } from "../support/canonical-rows.ts";
import { NOW, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";
import { fillHistory } from "../support/order-history.ts";

const companies = useOrderCompanies();

/** Least of some tries: another process may have been at work during one. */
async function leastMs(tries: number, work: () => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let at = 0; at < tries; at += 1) {
    const since = performance.now();
    await work();
    all.push(performance.now() - since);
  }
  return Math.min(...all);
}

describe("with thousands of orders that are over", () => {
  const FEW = 500;
  const MANY = 5_000;
  let [few, many]: Opened[] = [];

  beforeAll(async () => {
    few = await companies.open("FEW");
    many = await companies.open("MANY");
    await fillHistory(companies.store, { company: "FEW", orders: FEW, open: 10, until: NOW });
    await fillHistory(companies.store, { company: "MANY", orders: MANY, open: 10, until: NOW });
  }, 300_000);

  test(
    "a look at everything grows with their number, not with its square; the next one hardly at all",
    { timeout: 300_000 },
    async () => {
      const firstOfFew = await leastMs(1, () => few?.orders.advance() ?? Promise.resolve());
      const firstOfMany = await leastMs(1, () => many?.orders.advance() ?? Promise.resolve());
      // By the square it would be a hundred times as long.
      expect(firstOfMany / firstOfFew).toBeLessThan(40);
      const nextOfFew = await leastMs(5, () => few?.orders.advance() ?? Promise.resolve());
      const nextOfMany = await leastMs(5, () => many?.orders.advance() ?? Promise.resolve());
      expect(nextOfMany / nextOfFew).toBeLessThan(5);
      expect(nextOfMany).toBeLessThan(firstOfMany / 5);
      const goneMs = await leastMs(3, async () => many?.orders.wentBackwards({ ask: false }));
      expect(goneMs).toBeLessThan(firstOfMany / 5);
    },
  );

  test("what happens to an old one is told at the next look", async () => {
    const { store } = companies;
    if (few === undefined) throw new Error("it is opened before");
    // A look at everything comes before, so that the next one is at what is new.
    await few.orders.advance();
    const touched = (table: string, set: string, erpOrder: string) =>
      store.affect(
        `update ${table} set ${set}, learned_at = $2 where company = 'FEW' and erp_order = $1`,
        [erpOrder, NOW],
      );
    await touched("erp_order", "net = 42, vat = 8.40", "SO0000003");
    await touched(
      "erp_order_line",
      "net = case line when 1 then 18 else 12 end, quantity = case line when 1 then 3 else 2 end",
      "SO0000003",
    );
    await touched("erp_order_line", "despatched_quantity = 3", "SO0000004");
    await pull(store, "FEW", "erp-order", [
      {
        erpOrder: "SO-AGAIN",
        account: "A5",
        orderedOn: "2026-03-30",
        state: "open",
        webOrder: "H0000005",
      },
      {
        erpOrder: "SO-GOES-ON",
        account: "A0",
        orderedOn: "2026-03-30",
        state: "open",
        webOrder: "h0000020",
      },
    ]);
    await pull(store, "FEW", "order-acknowledgement", [
      { webOrder: "H0000006", outcome: "refused", reason: "no stock", answeredOn: "2026-03-31" },
    ]);
    await keyAgain("H0000007");
    await few.orders.advance();
    expect((await few.orders.show("H0000003")).changedInErp).toMatchObject([
      { line: 1, what: "quantity", was: "2", is: "3" },
      { what: "net" },
      { what: "VAT" },
    ]);
    expect((await few.orders.show("H0000003")).events.map(({ event }) => event)).toContain(
      "erp-change",
    );
    const { lines } = await few.orders.show("H0000004");
    expect(lines.map(({ despatchedQuantity }) => Number(despatchedQuantity))).toEqual([3, 3, 3]);
    for (const number of ["H0000005", "H0000006", "H0000020"])
      expect((await few.orders.show(number)).state, number).toBe("conflict");
    const tasks = await few.orders.tasks({ state: "open" });
    expect(tasks.map(({ about }) => about)).toEqual(["ERP order KEYED may be H0000007"]);
  });

  test("a row that comes to light days after the moment it bears is seen by the next look at everything", async () => {
    if (few === undefined) throw new Error("it is opened before");
    await companies.store.affect(
      `update erp_order set web_order = 'H0000008', learned_at = $1::timestamptz - interval '3 days'
        where company = 'FEW' and erp_order = 'TSO0000008'`,
      [NOW],
    );
    await few.orders.advance();
    expect((await few.orders.show("H0000008")).state).toBe("confirmed");
    few.now = few.now.add({ hours: 13 });
    await few.orders.advance();
    expect((await few.orders.show("H0000008")).state).toBe("conflict");
  });
});

/** The same order once more in the ERP, without our number; its lines come in a later pull. */
async function keyAgain(number: string): Promise<void> {
  const { store } = companies;
  await store.affect(
    `insert into erp_order (company, erp_order, account, ordered_on, state, customer_reference, feed,
       row_hash, origin_id, origin_line, run_id, learned_at)
     select company, 'KEYED', account, ordered_on, 'open', customer_reference, 'erp/history',
            md5(number)::uuid, $2, 1, $3, $4::timestamptz - interval '2 days'
       from web_order where company = 'FEW' and number = $1`,
    [number, ORIGIN_ID, randomUUID(), NOW],
  );
  await store.affect(
    `insert into erp_order_line (company, erp_order, line, product, quantity, despatched_quantity,
       invoiced_quantity, unit_price, net, feed, row_hash, origin_id, origin_line, run_id, learned_at)
     select l.company, 'KEYED', l.line, l.product, l.quantity, 0, 0, l.unit_price, l.net, 'erp/history',
            md5(number)::uuid, $2, l.line, $3, $4
       from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
      where o.company = 'FEW' and o.number = $1`,
    [number, ORIGIN_ID, randomUUID(), NOW],
  );
}

describe("nobody waits in a ring", () => {
  const pulled = async (
    company: string,
    number: string,
    state: "open" | "complete",
    despatched: string,
  ) => {
    const { store } = companies;
    const erpOrder = "SO-1";
    const whole = { account: "A1", orderedOn: "2026-03-31", net: "18.40", vat: "1.68" };
    await pull(store, company, "erp-order", [{ erpOrder, webOrder: number, state, ...whole }]);
    await pull(store, company, "erp-order-line", [
      lineOf(1, "BRICK", "2", "8.40", despatched),
      lineOf(2, "SAND", "1", "10.00", despatched),
    ]);
  };
  const lineOf = (line: number, product: string, quantity: string, net: string, gone: string) => ({
    erpOrder: "SO-1",
    line,
    product,
    quantity,
    net,
    unitPrice: "1",
    despatchedQuantity: gone,
    invoicedQuantity: "0",
    webOrderLine: line,
  });

  /** What whoever amends or cancels does: the order's row first, then its lines. */
  async function amendDuring(company: string, number: string, work: () => Promise<unknown>) {
    const { store } = companies;
    return store.transaction(async (tx) => {
      await tx.query("select 1 from web_order where company = $1 and number = $2 for update", [
        company,
        number,
      ]);
      const other = work().then(
        () => "done",
        (error: unknown) => String(error),
      );
      await waits(tx);
      await tx.affect(
        `update web_order_line l set unit_price = l.unit_price from web_order o
          where o.company = $1 and o.number = $2 and l.company = o.company and l.order_id = o.id`,
        [company, number],
      );
      return { other };
    });
  }

  /** Until somebody waits for a row that this transaction holds. */
  async function waits(tx: Transaction): Promise<void> {
    await expect
      .poll(async () => {
        // Of locks, since what else runs is shown as it was at the transaction's first look.
        const [row] = await tx.query<{ waiting: number }>(
          `select count(*)::int as waiting from pg_locks
            where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))`,
        );
        return row?.waiting;
      }, POLL)
      .toBeGreaterThan(0);
  }
  const POLL = { timeout: 20_000, interval: 20 };

  test("a look that writes what was despatched, and an amendment", async () => {
    const one = await companies.open("RING");
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await companies.jobs.drain();
    await pulled("RING", webOrder, "open", "0");
    await one.orders.advance();
    expect((await one.orders.show(webOrder)).state).toBe("confirmed");
    await pulled("RING", webOrder, "complete", "1");
    const { other } = await amendDuring("RING", webOrder, () => one.orders.advance());
    expect(await other).toBe("done");
    const { lines } = await one.orders.show(webOrder);
    expect(lines.map((line) => Number(line.despatchedQuantity))).toEqual([1, 1]);
    expect(lines.map((line) => Number(line.cancelledQuantity))).toEqual([1, 0]);
  });

  test("sales that tell what was invoiced, and an amendment", async () => {
    const { store } = companies;
    const one = await companies.open("RUNG");
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await companies.jobs.drain();
    const line = { webOrder, line: 1, invoicedQuantity: "2", creditedQuantity: "0" };
    const told = { company: "RUNG", at: Temporal.Instant.from(NOW), lines: [line] };
    const { other } = await amendDuring("RUNG", webOrder, () =>
      store.transaction((tx) => recordInvoiced(tx, told)),
    );
    expect(await other).toBe("done");
    const { lines } = await one.orders.show(webOrder);
    expect(lines.map((each) => Number(each.invoicedQuantity))).toEqual([2, 0]);
  });
});
