/** Plan and apply: what would be done is shown, and done exactly or not at all. */
import { describe, expect, test } from "vitest";
import { compileMapping } from "../../src/mapping/index.ts";
import { priceEffect } from "../../src/pricing/index.ts";
import {
  applyPlan,
  planConnection,
  planReplay,
  tidyPlans,
  type PlanDocument,
} from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { openPulling, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

const HEADER = "account,name,creditLimit";
const customers = (count: number, first = 1): string[] =>
  Array.from({ length: count }, (_, index) => {
    const account = `A${String(first + index).padStart(3, "0")}`;
    return `${account},${account} Ltd,100.00`;
  });

const plan = ({ context, source }: Pulling, ...streams: string[]) =>
  planConnection(context, source, streams);
const apply = (
  { context, source }: Pulling,
  document: PlanDocument,
  options: Parameters<typeof applyPlan>[3] = {},
) => applyPlan(context, source, document, options);

function only<T>(all: readonly T[]): T {
  const [one, second] = all;
  if (one === undefined || second !== undefined) throw new Error(`expected one: ${all.length}`);
  return one;
}

/** Why a plan is refused; fails when it is applied. */
async function refusal(applying: Promise<unknown>): Promise<string> {
  return applying.then(
    () => "it was applied",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** Of the company's runs, those whose staged records are still there. */
async function staged({ company }: Pulling): Promise<number> {
  const runs = await database.store.query(
    `select from run r where company = $1 and exists (select from pg_tables
       where schemaname = 'staging' and tablename like '%' || replace(r.id::text, '-', ''))`,
    [company],
  );
  return runs.length;
}

/** Thirty customers are held, and a file waits that changes one, removes one and adds one. */
async function withPlan(): Promise<{ pulling: Pulling; document: PlanDocument }> {
  const pulling = await openPulling(database.store, ["customer"]);
  await pulling.write("customers-1.csv", HEADER, ...customers(30));
  await pulling.run("customers");
  await pulling.queued();
  await pulling.write(
    "customers-2.csv",
    HEADER,
    ...customers(28),
    "A029,A029 Ltd,250.00",
    "A031,A031 Ltd,",
    "A032,A032 Ltd,1o0",
  );
  return { pulling, document: await plan(pulling, "customers") };
}

describe("a plan", () => {
  test("writes what a run would insert, change and remove, and publishes nothing", async () => {
    const { pulling, document } = await withPlan();
    const stream = only(document.streams);
    expect(stream).toMatchObject({
      stream: "customers",
      state: "planned",
      rows: { read: 31, mapped: 30, ignored: 0, repeated: 0, quarantined: 1 },
    });
    const { counts, changes, removals, leftOut } = only(Object.values(stream.records));
    expect(counts).toMatchObject({ inserted: 1, updated: 1, removed: 1, unchanged: 28, after: 30 });
    expect(removals).toEqual({ before: 30, removed: 1, mostPercent: 20, stops: false });
    expect(leftOut).toEqual({ insert: 0, change: 0, remove: 0 });
    expect(changes.find(({ what }) => what === "change")).toMatchObject({
      key: "A029",
      line: 30,
      fields: { creditLimit: { before: "100.00", after: "250.00" } },
    });
    expect(
      changes.filter(({ what }) => what !== "change").map(({ what, key }) => [what, key]),
    ).toEqual([
      ["remove", "A030"],
      ["insert", "A031"],
    ]);
    expect(stream.quarantine).toMatchObject([
      { where: "customers-2.csv:32", field: "creditLimit" },
    ]);
    expect(await pulling.rows("customer", "account")).toEqual(
      customers(30).map((line) => line.slice(0, 4)),
    );
    expect(await pulling.waiting()).toEqual([]);
    expect(await pulling.queued()).toEqual([]);
    expect(await pulling.files()).toEqual([
      "archive/customers/customers-1.csv",
      "out/customers-2.csv",
    ]);
  });

  test("is applied exactly: the same figures, the consumers' jobs, the file archived", async () => {
    const { pulling, document } = await withPlan();
    const result = only(await apply(pulling, JSON.parse(JSON.stringify(document)) as PlanDocument));
    const planned = only(document.streams);
    expect(result).toMatchObject({ state: "published", runId: planned.id, rows: planned.rows });
    expect(Object.values(result.records)).toEqual(
      Object.values(planned.records).map(({ counts }) => counts),
    );
    expect(await pulling.rows("customer", "account", "credit_limit")).toContain("A029 250.00");
    expect(await pulling.waiting()).toEqual([
      'customers-2.csv:32 creditLimit: "1o0" in creditLimit',
    ]);
    expect(await pulling.queued()).toEqual(["follow.customers"]);
    expect(await pulling.files()).toEqual([
      "archive/customers/customers-1.csv",
      "archive/customers/customers-2.csv",
    ]);
    expect(await staged(pulling)).toBe(0);
    expect((await pulling.run("customers")).state).toBe("nothing");
  });

  test("of a delta covers every file that waits, in order, and all are archived", async () => {
    const pulling = await openPulling(database.store, ["despatch"]);
    const header = "despatch,account,despatchedOn,state";
    await pulling.write("despatches-1.csv", header, "D1,A001,2026-03-01,despatched");
    await pulling.write(
      "despatches-2.csv",
      header,
      "D1,A001,2026-03-02,despatched",
      "D2,A001,2026-03-02,despatched",
    );
    const document = await plan(pulling, "despatches");
    expect(only(document.streams).origins.map(({ name }) => name)).toEqual([
      "despatches-1.csv",
      "despatches-2.csv",
    ]);
    const result = only(await apply(pulling, document));
    expect(only(Object.values(result.records))).toMatchObject({ inserted: 2, repeated: 1 });
    expect(await pulling.rows("despatch", "despatch", "despatched_on")).toEqual([
      "D1 2026-03-02",
      "D2 2026-03-02",
    ]);
    expect(await pulling.files()).toEqual([
      "archive/despatches/despatches-1.csv",
      "archive/despatches/despatches-2.csv",
    ]);
  });

  test("of several streams is applied whole or not at all", async () => {
    const pulling = await openPulling(database.store, ["customer", "site"]);
    await pulling.write("customers.csv", HEADER, ...customers(2));
    await pulling.write("sites.csv", "account,site,name", "A001,S1,Mill");
    const document = await plan(pulling);
    await pulling.write("sites.csv", "account,site,name", "A001,S1,Mill", "A001,S2,Yard");
    expect(await refusal(apply(pulling, document))).toContain("sites.csv is not there any more");
    expect(await pulling.rows("customer", "account")).toEqual([]);
    expect(await apply(pulling, await plan(pulling))).toHaveLength(2);
  });

  test("says what it does to prices: up, down, new and gone, by how much, for how many", async () => {
    const pulling = await openPulling(database.store, ["customer", "product", "price-rule"]);
    const header = "rule,customerScope,customerCode,productScope,productCode,kind,value";
    await pulling.write(
      "customers.csv",
      `${HEADER},customerGroup`,
      "A001,A,1,TRADE",
      "A002,B,1,TRADE",
      "A003,C,1,",
    );
    await pulling.write(
      "products.csv",
      "product,name,sellingUnit,vatCode",
      "P1,One,EA,S",
      "P2,Two,EA,S",
    );
    await pulling.write(
      "price-rules-1.csv",
      header,
      "R1,account,A001,product,P1,fixed,10.00",
      "R2,customer-group,TRADE,product,P1,percent,20",
      "R3,account,A002,product,P1,fixed,5.00",
      "R4,account,A002,product,P1,fixed,7.00",
    );
    await pulling.sync();
    await pulling.write(
      "price-rules-2.csv",
      header,
      "R1,account,A001,product,P1,fixed,11.50",
      "R2,customer-group,TRADE,product,P1,percent,36",
      "R3,account,A002,product,P1,fixed,4.00",
      "R5,account,A001,product,P2,fixed,1.00",
    );
    const context = { ...pulling.context, priceEffect };
    const document = await planConnection(context, pulling.source, ["price-rules"]);
    expect(only(Object.values(only(document.streams).records)).prices).toEqual({
      up: { count: 1, smallest: "15.00", median: "15.00", largest: "15.00" },
      down: { count: 2, smallest: "20.00", median: "20.00", largest: "20.00" },
      new: 1,
      gone: 1,
      otherwise: 0,
      customers: 2,
      products: 2,
      largest: [
        {
          rule: "R2",
          customer: "customer-group TRADE",
          product: "product P1",
          fromQuantity: "0",
          kind: "percent",
          before: "20",
          after: "36",
          percent: "-20.00",
        },
        {
          rule: "R3",
          customer: "account A002",
          product: "product P1",
          fromQuantity: "0",
          kind: "fixed",
          before: "5",
          after: "4",
          percent: "-20.00",
        },
        {
          rule: "R1",
          customer: "account A001",
          product: "product P1",
          fromQuantity: "0",
          kind: "fixed",
          before: "10",
          after: "11.5",
          percent: "15.00",
        },
      ],
    });
  });

  test("tells the drop brake's verdict, and is applied only when removals are accepted", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(10));
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, ...customers(5));
    const document = await plan(pulling, "customers");
    expect(only(Object.values(only(document.streams).records)).removals).toEqual({
      before: 10,
      removed: 5,
      mostPercent: 20,
      stops: true,
    });
    expect(await refusal(apply(pulling, document))).toContain("more than the drop brake allows");
    await apply(pulling, document, { acceptRemovals: true });
    expect(await pulling.rows("customer", "account")).toHaveLength(5);
  });
});

describe("rows that come again unchanged in a plan that is applied", () => {
  /** One row is dismissed, one corrected, one undecided, and all come again as they were. */
  async function decided(): Promise<Pulling> {
    const pulling = await openPulling(database.store, ["customer"]);
    const bad = ["B001,B001 Ltd,x", "B002,B002 Ltd,y", "B003,B003 Ltd,z"];
    await pulling.write("customers-1.csv", HEADER, ...customers(30), ...bad);
    await pulling.run("customers");
    const [dismissed, corrected] = await items(pulling);
    if (dismissed === undefined || corrected === undefined) throw new Error("nothing waits");
    await pulling.desk.dismiss(dismissed, { who: "Ann", why: "a test account" });
    await pulling.desk.replay(corrected, { creditLimit: "7" }, "Ann");
    await pulling.write("customers-2.csv", HEADER, ...customers(31), ...bad);
    return pulling;
  }

  async function items({ desk }: Pulling) {
    const all = await desk.list({ state: "any" });
    return all.toSorted((one, other) => one.raw.localeCompare(other.raw));
  }

  /** What a person sees of them afterwards. */
  async function seen(pulling: Pulling) {
    const shown = [];
    for (const item of await items(pulling)) {
      const { raw, state, cameAgain, correctionHolds } = item;
      const done = (await pulling.desk.history(item)).map(({ action }) => action);
      shown.push({ raw, state, cameAgain, correctionHolds, done });
    }
    return shown;
  }

  test("keep their items and what people decided of them, as in a run", async () => {
    const byRun = await decided();
    await byRun.run("customers");
    const pulling = await decided();
    const before = await items(pulling);
    const document = await plan(pulling, "customers");
    const stream = only(document.streams);
    expect(stream).toMatchObject({ rows: { read: 34, mapped: 31, quarantined: 3 }, dismissed: 1 });
    expect(stream.quarantine.map(({ where }) => where)).toEqual([
      "customers-2.csv:34",
      "customers-2.csv:35",
    ]);
    expect(only(Object.values(stream.records)).counts).toMatchObject({ inserted: 1, removed: 0 });
    expect(only(await apply(pulling, document))).toMatchObject({ dismissed: 1 });
    expect(await seen(pulling)).toEqual(await seen(byRun));
    const [dismissed, , undecided] = before;
    expect((await items(pulling)).map(({ id }) => id)).toEqual(
      expect.arrayContaining([dismissed?.id, undecided?.id]),
    );
    expect(await pulling.rows("customer", "account", "credit_limit")).toContain("B002 7.00");
    expect(await pulling.waiting()).toHaveLength(2);
  });

  test("keep them also when what was applied is replayed", async () => {
    const pulling = await decided();
    await pulling.run("customers");
    const ids = (await items(pulling)).map(({ id }) => id);
    const { context, source } = pulling;
    const document = await planReplay(context, source, "customers");
    expect(only(document.streams)).toMatchObject({ rows: { quarantined: 3 }, dismissed: 1 });
    expect(only(await apply(pulling, document))).toMatchObject({ dismissed: 1 });
    expect((await items(pulling)).map(({ id }) => id)).toEqual(ids);
    expect((await seen(pulling)).map(({ state }) => state)).toEqual([
      "dismissed",
      "resolved",
      "open",
      "open",
    ]);
    expect(await pulling.rows("customer", "account", "credit_limit")).toContain("B002 7.00");
  });
});

describe("apply refuses because the world moved, and changes nothing:", () => {
  const moved: readonly (readonly [
    string,
    (of: { pulling: Pulling; document: PlanDocument }) => Promise<string>,
    string,
  ])[] = [
    [
      "the file was edited",
      ({ pulling, document }) =>
        refusal(apply(pulling, { ...document, madeAt: document.expiresAt })),
      "the file was changed since it was written",
    ],
    [
      "the plan was not made here",
      async ({ pulling, document }) => {
        const { store } = pulling.context;
        await store.affect("delete from plan where company = $1", [pulling.company]);
        return refusal(apply(pulling, document));
      },
      "it was not made here",
    ],
    [
      "it has expired",
      ({ pulling, document }) => {
        pulling.pass(7 * 24 * 3600);
        return refusal(apply(pulling, document));
      },
      "it expired on",
    ],
    [
      "another snapshot of the stream was read since",
      async ({ pulling, document }) => {
        await pulling.run("customers");
        return refusal(apply(pulling, document));
      },
      "the stream was read or planned again since",
    ],
    [
      "the stream's cursor moved behind its back",
      async ({ pulling, document }) => {
        await pulling.context.store.affect(
          "update stream_state set cursor = '{\"x\": 1}' where company = $1",
          [pulling.company],
        );
        return refusal(apply(pulling, document));
      },
      "the stream was read since",
    ],
    [
      "a newer plan of the stream was made",
      async ({ pulling, document }) => {
        await plan(pulling, "customers");
        return refusal(apply(pulling, document));
      },
      "read or planned again since",
    ],
    [
      "the mapping was changed",
      ({ pulling, document }) => {
        const text = "record: customer\nreads: customers\nabout: Others.\nfields: same\n";
        const mapping = compileMapping({ file: "mappings/tradepost-csv/customer.yaml", text });
        const over = { ...pulling, source: { ...pulling.source, mappings: [mapping] } };
        return refusal(apply(over, document));
      },
      "its mappings were changed since",
    ],
    [
      "a replay from quarantine or another feed touched one of its records",
      async ({ pulling, document }) => {
        await pulling.context.store.affect(
          "update customer set row_hash = gen_random_uuid() where company = $1 and account = 'A029'",
          [pulling.company],
        );
        return refusal(apply(pulling, document));
      },
      "customer records were changed by something else since",
    ],
    [
      "the source file is not the same any more",
      async ({ pulling, document }) => {
        await pulling.write("customers-2.csv", HEADER, ...customers(30));
        return refusal(apply(pulling, document));
      },
      "customers-2.csv is not there any more as it was planned with",
    ],
    [
      "the database crashed and emptied what was staged",
      async ({ pulling, document }) => {
        const name = `customer_${only(document.streams).id?.replaceAll("-", "")}`;
        await pulling.context.store.query(`truncate staging."${name}"`);
        return refusal(apply(pulling, document));
      },
      "what was staged for it is gone",
    ],
  ];

  test.each(moved)("%s", async (_what, move, said) => {
    const prepared = await withPlan();
    const { pulling } = prepared;
    const before = await pulling.rows("customer", "account", "credit_limit");
    expect(await move(prepared)).toContain(said);
    // Where it was a run that moved the stream, that run published.
    if ((await pulling.queued()).length > 0) return;
    expect(await pulling.rows("customer", "account", "credit_limit")).toEqual(before);
    expect(await pulling.waiting()).toEqual([]);
  });

  test("it was applied already", async () => {
    const { pulling, document } = await withPlan();
    await apply(pulling, document);
    expect(await refusal(apply(pulling, document))).toContain("it was applied already");
  });
});

describe("what a plan keeps", () => {
  test("is dropped when a later run of the stream supersedes it", async () => {
    const { pulling } = await withPlan();
    expect(await staged(pulling)).toBe(1);
    await pulling.run("customers");
    expect(await staged(pulling)).toBe(0);
  });

  test("is spared by a run that finds nothing, and dropped once it is too old", async () => {
    const pulling = await openPulling(database.store, ["customer", "site"]);
    await pulling.write("customers.csv", HEADER, ...customers(2));
    await plan(pulling, "customers");
    await pulling.run("sites");
    expect(await staged(pulling)).toBe(1);
    const { store, company, now } = pulling.context;
    expect(await tidyPlans(store, company, now())).toBe(0);
    pulling.pass(8 * 24 * 3600);
    expect(await tidyPlans(store, company, now())).toBe(1);
    expect(await staged(pulling)).toBe(0);
  });

  test("leaves no run behind where there was nothing to plan", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const document = await plan(pulling, "customers");
    expect(only(document.streams)).toMatchObject({ state: "nothing", id: null });
    expect(await refusal(apply(pulling, document))).toContain("nothing to apply");
    const runs = await pulling.context.store.query("select from run where company = $1", [
      pulling.company,
    ]);
    expect(runs).toEqual([]);
  });
});
