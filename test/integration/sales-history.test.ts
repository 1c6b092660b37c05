/** Posting after years of orders: what it reads, and that it posts as if it had read everything. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Sales } from "../../src/sales/index.ts";
import type { Store, Transaction } from "../../src/store/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { salesOf } from "../support/order-sales.ts";
import { fillHistory } from "../support/order-history.ts";

const database = useDatabase();
const UNTIL = "2026-03-31T09:00:00Z";

interface Clock {
  now: Temporal.Instant;
}

function open(company: string, clock: Clock, store: Store = database.store): Sales {
  return salesOf(store, company, () => clock.now);
}

const startOf = (): Clock => ({ now: Temporal.Instant.from(UNTIL) });

/** The store, counting the rows that its transactions read from tables. */
function counting(store: Store): { readonly store: Store; take(): number } {
  const READ = `
    select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int as rows
      from pg_stat_xact_user_tables`;
  let rows = 0;
  const read = async (tx: Transaction) => (await tx.query<{ rows: number }>(READ))[0]?.rows ?? 0;
  const transaction: Store["transaction"] = (work, options) =>
    store.transaction(async (tx) => {
      const before = await read(tx);
      const result = await work(tx);
      rows += (await read(tx)) - before;
      return result;
    }, options);
  const counted = new Proxy(store, {
    get: (target, name): unknown =>
      name === "transaction" ? transaction : Reflect.get(target, name),
  });
  return {
    store: counted,
    take: () => {
      const taken = rows;
      rows = 0;
      return taken;
    },
  };
}

describe("with thousands of orders that are over", () => {
  const ORDERS = 10_000;
  const company = "PAST";
  const clock = startOf();
  let counted: ReturnType<typeof counting>;
  let sales: Sales;

  beforeAll(async () => {
    counted = counting(database.store);
    sales = open(company, clock, counted.store);
    await fillHistory(database.store, { company, orders: ORDERS, open: 50, until: UNTIL });
    await sales.post();
    // The last of the history is a day old, and everything was compared since.
    clock.now = clock.now.add({ hours: 30 });
    await sales.post();
    await database.store.query("vacuum analyze");
    counted.take();
  }, 300_000);

  test("with nothing new it reads nothing of them", async () => {
    expect(await sales.post()).toMatchObject({ posted: 0, reversed: 0 });
    // The ledger's own row, and not one of the 250,000.
    expect(counted.take()).toBeLessThan(20);
  });

  test("documents cost what they have to do with, and so does an order's late ERP number", async () => {
    const { store } = database;
    const invoices = Array.from({ length: 10 }, (_, at) => `N${at}`);
    await pullAt(clock, "sales-document", company, (at) => ({
      documentType: "invoice" as const,
      document: invoices[at] ?? "",
      account: "A1",
      documentOn: "2026-03-30",
      erpOrder: at % 2 === 0 ? `LATE${at}` : null,
      webOrder: at % 2 === 0 ? null : "H0004999",
      customerReference: `PO ${4_900 + at}`,
      net: "12.00",
      vat: "2.40",
      gross: "14.40",
    }));
    await pullAt(clock, "sales-line", company, (at) => ({
      documentType: "invoice" as const,
      document: invoices[at] ?? "",
      line: 1,
      product: "P1",
      quantity: "2",
      unitPrice: "6",
      net: "12.00",
      vat: "2.40",
    }));
    expect(await sales.post()).toMatchObject({ posted: 10, reversed: 0 });
    // Of 250,000 rows; the push log alone has 10,000.
    expect(counted.take()).toBeLessThan(2_000);
    await store.affect(
      `update web_order set erp_order = 'LATE0', changed_at = $2
        where company = $1 and number = 'H0004901'`,
      [company, clock.now],
    );
    clock.now = clock.now.add({ minutes: 1 });
    expect(await sales.post()).toMatchObject({ posted: 1, reversed: 1 });
    expect(counted.take()).toBeLessThan(2_000);
    expect((await sales.postingsOf("N0")).at(-1)).toMatchObject({
      channel: "web",
      webOrder: "H0004901",
    });
  });

  test("what comes to light days after the moment it bears is posted within half a day", async () => {
    const { store } = database;
    await pullAt(clock, "sales-document", company, (at) => ({
      documentType: "invoice" as const,
      document: `OLD${at}`,
      account: "A1",
      documentOn: "2026-03-01",
      net: "1.00",
      vat: "0.20",
      gross: "1.20",
    }));
    await store.affect(
      `update sales_document set learned_at = learned_at - interval '3 days'
        where company = $1 and document like 'OLD%'`,
      [company],
    );
    expect(await sales.post()).toMatchObject({ posted: 0 });
    clock.now = clock.now.add({ hours: 12 });
    expect(await sales.post()).toMatchObject({ posted: 10, reversed: 0 });
  });

  test("after a clock was put back everything is compared", async () => {
    await pullAt(clock, "sales-document", company, (at) => ({
      documentType: "invoice" as const,
      document: `BACK${at}`,
      account: "A1",
      documentOn: "2026-03-01",
      net: "1.00",
      vat: "0.20",
      gross: "1.20",
    }));
    await database.store.affect(
      `update sales_document set learned_at = learned_at - interval '3 days'
        where company = $1 and document like 'BACK%'`,
      [company],
    );
    clock.now = clock.now.subtract({ hours: 2 });
    expect(await sales.post()).toMatchObject({ posted: 10, reversed: 0 });
  });
});

/** Ten rows, learned now. */
async function pullAt<N extends "sales-document" | "sales-line">(
  clock: Clock,
  name: N,
  company: string,
  row: (at: number) => Parameters<typeof pull<N>>[3][number],
): Promise<void> {
  const rows = Array.from({ length: 10 }, (_, at) => row(at));
  await pull(database.store, company, name, rows);
  await database.store.affect(
    `update ${name.replace("-", "_")} set learned_at = $2 where company = $1 and document = any($3)`,
    [company, clock.now, rows.map(({ document }) => document)],
  );
}

describe("a history that comes piece by piece", () => {
  const ORDERS = 48;
  const SLICES = 3;

  /** Every way in which a document can belong to a web order, and some in which it cannot. */
  const VARIED = [
    // Our number in small letters on the document.
    `update sales_document set web_order = lower(web_order) where company = $1 and origin_line % 7 = 0`,
    // Only the order itself knows which ERP order it is.
    `update erp_order set web_order = null where company = $1 and origin_line % 5 = 0`,
    `delete from erp_order where company = $1 and origin_line % 6 = 0 and web_order is not null`,
    `update sales_document set web_order = null where company = $1 and origin_line % 30 in (0, 5, 6, 10, 18, 25)`,
    // Only the customer's reference says anything: our number, or a word that many orders have.
    `update sales_document set web_order = null, erp_order = null, customer_reference = lower(web_order)
      where company = $1 and origin_line % 11 = 0`,
    `update sales_document set web_order = null, erp_order = null, customer_reference = 'STOCK'
      where company = $1 and origin_line % 9 = 0`,
    `update sales_line set erp_order = null, erp_order_line = null
      where company = $1 and (origin_line % 9 = 0 or origin_line % 11 = 0)`,
    `update web_order set customer_reference = 'STOCK' where company = $1 and right(number, 1) in ('1', '4', '9')`,
    // One ERP order that two orders claim, and a branch with a channel of its own.
    `update web_order set erp_order = 'SO0000010' where company = $1 and number = 'H0000016'`,
    `update sales_document set branch = 'LEEDS' where company = $1 and origin_line % 4 = 0`,
    `insert into branch (company, branch, name, default_channel, feed, row_hash, origin_id, origin_line,
       run_id, learned_at)
     select company, 'LEEDS', 'Leeds', 'counter', feed, row_hash, origin_id, 1, run_id, learned_at
       from erp_order where company = $1 limit 1`,
    // Credit notes of an invoice's first line, keyed in the office.
    `insert into sales_document (company, document_type, document, account, document_on, currency, net,
       vat, gross, feed, row_hash, origin_id, origin_line, run_id, learned_at)
     select company, 'credit', 'C' || origin_line, account, document_on + 3, currency, 12, 2.4, 14.4,
            feed, row_hash, origin_id, origin_line, run_id, learned_at
       from sales_document where company = $1 and origin_line % 3 = 0`,
    `insert into sales_line (company, document_type, document, line, line_class, product, quantity,
       unit_price, discount_percent, net, vat, credits_document, credits_line, feed, row_hash, origin_id,
       origin_line, run_id, learned_at)
     select company, 'credit', 'C' || origin_line, 1, 'goods', product, 2, 6, 0, 12, 2.4, document, line,
            feed, row_hash, origin_id, origin_line, run_id, learned_at
       from sales_line where company = $1 and origin_line % 3 = 0 and line = 1`,
  ];

  beforeAll(async () => {
    await fillHistory(database.store, { company: "WHOLE", orders: ORDERS, open: 3, until: UNTIL });
    for (const sql of VARIED) await database.store.affect(sql, ["WHOLE"]);
    await pull(
      database.store,
      "WHOLE",
      "product",
      Array.from({ length: 80 }, (_, at) => ({
        product: `P${at * 5}`,
        name: "A product",
        productGroup: "GROUP",
      })),
    );
  });

  /** Rows of the whole history as a company gets them at a moment. */
  async function copy(
    company: string,
    at: Temporal.Instant,
    table: string,
    where: string,
    changes: Readonly<Record<string, null>> = {},
  ): Promise<void> {
    const moment = table.startsWith("web_order") ? "changed_at" : "learned_at";
    await database.store.affect(
      `insert into ${table}
       select (jsonb_populate_record(t, $2::jsonb || jsonb_build_object('company', $1::text,
                 '${moment}', $3::timestamptz))).*
         from ${table} t where t.company = 'WHOLE' and ${where}`,
      [company, JSON.stringify(changes), at],
    );
  }

  const sliceOf = (number: string) => `(${number}) % ${SLICES}`;
  const K = "right(t.number, 7)::int";
  const LINE_K = `(select right(o.number, 7)::int from web_order o
                    where o.company = t.company and o.id = t.order_id)`;

  type Piece = (company: string, at: Temporal.Instant) => Promise<void>;
  const ofSlice = (slice: number): Readonly<Record<string, Piece>> => ({
    // Handed in: the ERP has given no number yet.
    orders: async (company, at) => {
      await copy(company, at, "web_order", `${sliceOf(K)} = ${slice}`, { erp_order: null });
      await copy(company, at, "web_order_line", `${sliceOf(LINE_K)} = ${slice}`);
    },
    erp: async (company, at) => {
      await copy(company, at, "erp_order", `${sliceOf("t.origin_line")} = ${slice}`);
      await copy(company, at, "erp_order_line", `${sliceOf("t.origin_line")} = ${slice}`);
    },
    documents: (company, at) =>
      copy(company, at, "sales_document", `${sliceOf("t.origin_line")} = ${slice}`),
    lines: (company, at) =>
      copy(company, at, "sales_line", `${sliceOf("t.origin_line")} = ${slice}`),
  });
  const pieces: Readonly<Record<string, Piece>> = {
    products: (company, at) => copy(company, at, "product", "true"),
    branches: (company, at) => copy(company, at, "branch", "true"),
    ...Object.fromEntries(
      Array.from({ length: SLICES }, (_, slice) =>
        Object.entries(ofSlice(slice)).map(
          ([name, piece]) => [`${name} ${slice + 1}`, piece] as const,
        ),
      ).flat(),
    ),
  };
  /** The orders that are there learn their ERP numbers, as one by one they would. */
  const learnNumbers: Piece = async (company, at) => {
    await database.store.affect(
      `update web_order w set erp_order = t.erp_order, changed_at = $2
         from web_order t where w.company = $1 and t.company = 'WHOLE' and t.id = w.id
          and w.erp_order is null and t.erp_order is not null`,
      [company, at],
    );
  };

  /** All that a posting leaves but the moments, batches and versions of getting there. */
  async function outcome(company: string, sales: Sales): Promise<unknown> {
    const { store } = database;
    expect(await sales.post({ everything: true })).toMatchObject({ posted: 0, reversed: 0 });
    expect(await sales.recheck()).toEqual([]);
    const { rows: totals } = await sales.totals({ by: ["account", "period", "channel"] });
    return {
      standing: await store.query(
        `select s.document_type, s.document, s.line, p.content_hash, p.net, p.channel_evidence
           from sales_line_state s left join sales_posting p on p.company = s.company and p.id = s.posting
          where s.company = $1 order by 1, 2, 3`,
        [company],
      ),
      links: await store.query(
        `select document_type, document, line, web_order, web_order_line, quantity, net, evidence
           from order_invoice_link where company = $1 order by 1, 2, 3, 4, 5`,
        [company],
      ),
      suggestions: await sales.suggestions(),
      orderLines: await store.query(
        `select o.number, l.line, l.invoiced_quantity, l.credited_quantity
           from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
          where o.company = $1 order by 1, 2`,
        [company],
      ),
      charges: await store.query(
        `select number, invoiced_charges, invoiced_net, invoiced_vat, credited_net, credited_vat
           from web_order where company = $1 order by 1`,
        [company],
      ),
      totals,
    };
  }

  test(
    "is posted as it would be in one go, whatever comes when",
    { timeout: 300_000 },
    async () => {
      const clock = startOf();
      for (const piece of [...Object.values(pieces), learnNumbers])
        await piece("AT-ONCE", clock.now);
      const atOnce = open("AT-ONCE", clock);
      await atOnce.post();
      const expected = await outcome("AT-ONCE", atOnce);
      expect(await atOnce.suggestions()).not.toEqual([]);
      let run = 0;
      const names = Object.keys(pieces);
      await fc.assert(
        fc.asyncProperty(
          fc.shuffledSubarray(names, { minLength: names.length }),
          fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length }),
          async (order, numbersLearned) => {
            run += 1;
            const company = `STEPS${run}`;
            const ticking = startOf();
            const sales = open(company, ticking);
            await sales.post();
            for (const [index, name] of order.entries()) {
              await pieces[name]?.(company, ticking.now);
              if (numbersLearned[index] === true) await learnNumbers(company, ticking.now);
              ticking.now = ticking.now.add({ minutes: 30 });
              await sales.post();
            }
            await learnNumbers(company, ticking.now);
            await sales.post();
            // Never once was everything compared.
            const [ledger] = await database.store.query<{ looked: Temporal.Instant }>(
              `select looked_at_all as looked from sales_ledger where company = $1`,
              [company],
            );
            expect(ledger?.looked.toString()).toBe(Temporal.Instant.from(UNTIL).toString());
            expect(await outcome(company, sales)).toEqual(expected);
          },
        ),
        { numRuns: 8 },
      );
    },
  );
});
