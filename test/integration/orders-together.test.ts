/** Orders that come at once share a commit; what each is answered must not tell. */
import { describe, expect, test } from "vitest";
import type { AcceptResult, Orders } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";

const companies = useOrderCompanies();

const LIMITED = { account: "LIMITED", name: "Little Credit", creditLimit: "45.00", balance: "0" };

/** Takes orders in, and hands none over. */
async function open(company: string) {
  await pull(companies.store, company, "customer", [LIMITED]);
  const one = await companies.open(company);
  one.mode = "read-only";
  return one;
}

/** What an answer says, but for what is made anew for each order. */
function said(result: AcceptResult) {
  return "order" in result
    ? `${result.status} ${result.order.state} ${result.order.gross}`
    : `${result.status} ${result.problem.code} ${result.problem.problems.map(({ code }) => code).join()}`;
}

const WRONG_PRICE = [{ product: "BRICK", quantity: "2", unitPrice: "4.19" }];

interface Asked {
  /** Answers of one kind may go to any of its requests, but there are as many of each. */
  readonly kind: string;
  readonly key: string;
  readonly more: object;
  readonly test?: boolean;
}

/** All kinds of requests, shuffled. */
function requestsOf(seed: number): Asked[] {
  const of = (kind: string, count: number, more: (at: number) => Omit<Asked, "kind" | "key">) =>
    Array.from({ length: count }, (_, at) => ({
      kind,
      key: `${kind} ${at}`,
      ...more(at),
    }));
  const reference = (at: number) => ({ customerReference: `${at}` });
  const requests: Asked[] = [
    ...of("plain", 12, (at) => ({ more: reference(at) })),
    ...of("of a test key", 3, (at) => ({ more: reference(100 + at), test: true })),
    ...of("wrong", 4, (at) => ({ more: { ...reference(at), lines: WRONG_PRICE } })),
    ...of("unknown", 2, () => ({ more: { account: "NOBODY" } })),
    ...of("limited", 5, (at) => ({ more: { ...reference(at), account: "LIMITED" } })),
    ...of("numbered", 4, (at) => ({
      more: { ...reference(200 + at), webOrder: at % 2 === 0 ? "SHOP-1" : "shop-1" },
    })),
    ...of("repeated", 6, () => ({ more: reference(300) })).map((one) => ({ ...one, key: "same" })),
    ...of("reused", 3, (at) => ({ more: reference(400 + at) })).map((one) => ({
      ...one,
      key: "reused",
    })),
  ];
  return requests
    .map((request, at) => ({ request, rank: (at * 7919 + seed * 104_729) % 1_009 }))
    .toSorted((left, right) => left.rank - right.rank)
    .map(({ request }) => request);
}

/** As a shop does it: again while the first one with its key is being handled. */
async function ask(orders: Orders, asked: Asked): Promise<AcceptResult> {
  const { key, more, test: isTest = false } = asked;
  const request = { idempotencyKey: key, body: body(more), apiKey: "shop", test: isTest };
  const result = await orders.accept(request);
  return result.status === 409 ? ask(orders, asked) : result;
}

function byKind(requests: readonly Asked[], results: readonly AcceptResult[]) {
  const kinds = Map.groupBy(requests.keys(), (at) => requests[at]?.kind ?? "");
  return Object.fromEntries(
    [...kinds].map(([kind, places]) => [
      kind,
      places.flatMap((at) => (results[at] === undefined ? [] : said(results[at]))).toSorted(),
    ]),
  );
}

/** How much of everything there is. */
async function kept(company: string) {
  const [row] = await companies.store.query(
    `select (select count(*)::int from web_order where company = $1) as orders,
            (select count(*)::int from web_order_line where company = $1) as lines,
            (select count(*)::int from web_order_event where company = $1) as pages,
            (select count(*)::int from web_order_request where company = $1) as requests,
            (select count(*)::int from event where company = $1) as told`,
    [company],
  );
  return row;
}

describe("orders that come at once", () => {
  test("are answered as if they had come one after another, by one instance or by two", async () => {
    const alone = await open("INTURN");
    const [requests, shuffled] = [requestsOf(1), requestsOf(2)];
    const inTurn: AcceptResult[] = [];
    for (const request of requests) inTurn.push(await ask(alone.orders, request));
    const expected = byKind(requests, inTurn);
    expect(expected["limited"]).toEqual([
      "201 queued 20.08",
      "201 queued 20.08",
      "202 held 20.08",
      "202 held 20.08",
      "202 held 20.08",
    ]);
    const one = await open("ONE");
    const byOne = await Promise.all(requests.map((request) => ask(one.orders, request)));
    expect(byKind(requests, byOne)).toEqual(expected);
    const instances = [await open("TWO"), await companies.again("TWO")].map((two) => two.orders);
    const byTwo = await Promise.all(
      shuffled.map((request, at) => ask(instances[at % 2] ?? one.orders, request)),
    );
    expect(byKind(shuffled, byTwo)).toEqual(expected);
    for (const company of ["ONE", "TWO"]) expect(await kept(company)).toEqual(await kept("INTURN"));
  });

  test("share commits, and each has its delivery job in its own", async () => {
    const { orders } = await open("SHARED");
    await Promise.all(
      Array.from({ length: 30 }, (_, at) => send(orders, `k${at}`, { customerReference: `${at}` })),
    );
    const [row] = await companies.store.query(
      `select count(*)::int as orders, count(distinct o.xmin::text) < 30 as shared,
              count(*) filter (where j.id is not null)::int as jobs
         from web_order o
         left join pgboss.job j on j.name = 'orders.deliver' and j.data ->> 'order' = o.id::text
        where o.company = 'SHARED'`,
    );
    expect(row).toEqual({ orders: 30, shared: true, jobs: 30 });
  });

  test("do not wait for one whose account is locked by another instance", async () => {
    const { orders } = await open("LOCKED");
    await companies.store.transaction(async (tx) => {
      await tx.query(
        "select pg_advisory_xact_lock(hashtextextended('LOCKED' || ' account ' || 'LIMITED', 0))",
      );
      let waits = true;
      void send(orders, "k0", { account: "LIMITED" }).finally(() => (waits = false));
      const others = await Promise.all(
        ["k1", "k2", "k3"].map((key) => send(orders, key, { customerReference: key })),
      );
      expect(others.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(waits).toBe(true);
    });
    await expect.poll(async () => (await orders.list({ account: "LIMITED" })).length).toBe(1);
  });

  test("do not wait for one whose key another instance is handling", async () => {
    const { orders } = await open("KEYLOCKED");
    await companies.store.transaction(async (tx) => {
      await tx.query(
        "select pg_advisory_xact_lock(hashtextextended('KEYLOCKED' || ' key ' || 'k0', 0))",
      );
      const first = send(orders, "k0");
      const others = await Promise.all(
        ["k1", "k2"].map((key) => send(orders, key, { customerReference: key })),
      );
      expect(others.map(({ status }) => status)).toEqual([201, 201]);
      expect(await first).toMatchObject({ problem: { code: "request-in-progress" } });
    });
    expect((await send(orders, "k0")).status).toBe(201);
  });

  test("do not fail with one that cannot be written", async () => {
    const { orders } = await open("UNWRITABLE");
    // No text of PostgreSQL holds it.
    const results = await Promise.allSettled(
      ["a", "b", "\u0000", "c"].map((customerReference) =>
        orders.accept({
          idempotencyKey: `k${customerReference.charCodeAt(0)}`,
          // Past what reads requests, which lets none of it through.
          body: { ...body(), customerReference },
          apiKey: "shop",
          test: false,
        }),
      ),
    );
    const statuses = results.map((result) =>
      result.status === "fulfilled" ? result.value.status : "failed",
    );
    expect(statuses).toEqual([201, 201, "failed", 201]);
    expect(await orders.list()).toHaveLength(3);
  });

  test("with one number, in whatever case, are one order", async () => {
    const { orders } = await open("CASES");
    const results = await Promise.all(
      ["Shop-9", "SHOP-9", "shop-9"].map((webOrder) => send(orders, webOrder, { webOrder })),
    );
    const taken = results.filter(({ status }) => status === 201);
    expect(taken).toHaveLength(1);
    const refused = results.filter((result) => "problem" in result);
    for (const { problem } of refused) expect(problem.code).toBe("web-order-number-taken");
    expect(await orders.check(body({ webOrder: "sHOP-9" }))).toMatchObject({
      verdict: "refuse",
      problem: { code: "web-order-number-taken" },
    });
    expect(taken.map(orderIn)).toHaveLength(1);
  });
});
