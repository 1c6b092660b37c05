/** Price rounds and changes that wait, over HTTP; every answer is checked against the OpenAPI. */
import { beforeAll, describe, expect, it } from "vitest";
import { useApi } from "../support/api.ts";
import { pullMerchant } from "../support/merchant.ts";

const api = useApi(["HARROW"]);
const HEAD = "rule,customerScope,customerCode,productScope,productCode,kind,value";
const CSV = [
  HEAD,
  "STD-CEM001,everyone,,product,CEM001,fixed,5.50",
  "TRD-CEM001,price-list,TRADE,product,CEM001,fixed,5.04",
  "NEW-GONE,everyone,,product,GONE99,fixed,1.00",
].join("\n");

beforeAll(async () => {
  await pullMerchant(api.tradepost.store, "HARROW");
  await (await api.tradepost.company("HARROW")).pricing.publish();
});

const post = <Body = Record<string, unknown>>(address: string, body: unknown) =>
  api.ask<Body>("POST", address, { body });
const get = <Body = Record<string, unknown>>(address: string) => api.ask<Body>("GET", address);
const round = (more: object = {}) => ({
  name: "April",
  startsAt: "2026-03-31T23:00:00Z",
  file: "april.csv",
  csv: CSV,
  who: "Ann Lee",
  ...more,
});
const ANN = { who: "Ann Lee", why: "Board of 20/03/2026" };

describe("a price round", () => {
  it("is loaded and checked, and counts for nothing until it is approved", async () => {
    const { status, body } = await post("/v1/price-rounds", round());
    expect(status).toBe(201);
    expect(body).toMatchObject({
      name: "April",
      state: "loaded",
      startsAt: "2026-03-31T23:00:00Z",
      confirmBy: "2026-04-01T23:00:00Z",
      checked: { rules: 3, changed: 2, new: 1, same: 0, unreached: 1, zero: 0 },
    });
    const price = await get("/v1/prices?account=A001&product=CEM001&quantity=10");
    expect(price.body).toMatchObject({ unitPrice: "4.8000", validUntil: null });
    expect((await get<{ rounds: unknown[] }>("/v1/price-rounds")).body.rounds).toHaveLength(1);
  });

  it("shows what every customer would pay by it, and the orders on the way that it concerns", async () => {
    const ordered = await api.ask("POST", "/v1/orders", {
      headers: { "idempotency-key": "round-order-1" },
      body: {
        account: "A001",
        lines: [{ product: "CEM001", quantity: "10", unitPrice: "4.80" }],
      },
    });
    expect(ordered.status).toBe(201);
    const { body } = await get("/v1/price-rounds/April");
    expect(body).toMatchObject({
      impact: {
        at: "2026-03-31T23:00:00Z",
        customers: 3,
        products: 1,
        pairs: 3,
        up: 3,
        down: 0,
        otherwise: 0,
        whole: true,
        changes: [
          { account: "A002", accounts: 2, before: "5.2000", after: "5.5000", percent: "5.77" },
          { account: "A001", accounts: 1, before: "4.8000", after: "5.0400", percent: "5.00" },
        ],
      },
      orders: [
        {
          account: "A001",
          kind: "undelivered",
          lines: 1,
          net: "48.00",
          says: "is sent at the prices that were agreed",
        },
      ],
    });
  });

  it("answers with both prices once it is approved, and not any more when it is cancelled", async () => {
    const approved = await post("/v1/price-rounds/April/approve", ANN);
    expect(approved.body).toMatchObject({ state: "approved", decidedBy: expect.any(String) });
    await api.tradepost.drain();
    const at = async (asOf: string) =>
      (await get(`/v1/prices?account=A001&product=CEM001&quantity=10&asOf=${asOf}`)).body;
    expect(await at("2026-03-31")).toMatchObject({
      unitPrice: "4.8000",
      validUntil: "2026-03-31T23:00:00Z",
    });
    expect(await at("2026-04-01")).toMatchObject({ unitPrice: "5.0400" });
    const again = await post("/v1/price-rounds/April/approve", ANN);
    expect(again).toMatchObject({
      status: 409,
      body: {
        code: "price-round-refused",
        detail:
          "Approving price round April: it is approved already; load another one under a name of its own. Nothing was changed.",
      },
    });
    const { body } = await post("/v1/price-rounds/April/cancel", ANN);
    expect(body).toMatchObject({ state: "cancelled", why: ANN.why });
    await api.tradepost.drain();
    expect(await at("2026-04-01")).toMatchObject({ unitPrice: "4.8000", validUntil: null });
    expect((await get("/v1/price-rounds/April")).body).toMatchObject({ impact: null, orders: [] });
  });

  it("is refused with what is wrong and what to do", async () => {
    const refused = async (more: object) => {
      const { status, body } = await post("/v1/price-rounds", round({ name: "May", ...more }));
      return `${status} ${String(body["code"])}: ${String(body["detail"])}`;
    };
    expect([
      await refused({ startsAt: "2026-03-01T00:00:00Z" }),
      await refused({ csv: HEAD }),
      await refused({ csv: CSV.replace("5.50", "dear") }),
      await refused({ csv: `${CSV}\n${CSV.split("\n")[1]}` }),
      await refused({ confirmBy: "2026-03-31T10:00:00Z" }),
    ]).toMatchInlineSnapshot(`
      [
        "409 price-round-refused: Loading price round May: it is to start at 2026-03-01T00:00:00Z, which is past. Give a moment to come. Nothing was changed.",
        "409 price-round-refused: Loading price round May: april.csv has no rule. Give a file with the new prices. Nothing was changed.",
        "409 price-round-refused: Loading price round May: 1 row of april.csv is wrong, so that none was taken: line 2: value is "dear" in value; expected a number such as 1234.50. Mend them and load the file again. Nothing was changed.",
        "409 price-round-refused: Loading price round May: lines 2 and 5 are both rule STD-CEM001 from 0. Keep one of them. Nothing was changed.",
        "409 price-round-refused: Loading price round May: it is to be confirmed before it starts. Give a moment after the start, or none: a day later. Nothing was changed.",
      ]
    `);
    expect(await get("/v1/price-rounds/June")).toMatchObject({
      status: 404,
      body: { code: "price-round-unknown" },
    });
    expect(await post("/v1/price-rounds/April/approve", { who: "Ann" })).toMatchObject({
      status: 400,
      body: { code: "request-invalid" },
    });
  });
});

describe("a change that waits", () => {
  it("is listed, shown with what customers would pay, and decided on once", async () => {
    await holdOf("01990000-0000-7000-8000-000000000001");
    const { body } = await get<{ holds: { id: string }[] }>("/v1/price-holds");
    const id = body.holds[0]?.id ?? "none";
    expect(body.holds).toMatchObject([{ state: "open", rules: 1 }]);
    expect((await get(`/v1/price-holds/${id}`)).body).toMatchObject({
      list: [{ rule: "STD-BRK001", before: "fixed 450", after: "fixed 900" }],
      impact: {
        customers: 3,
        products: 1,
        up: 3,
        changes: [{ account: "A001" }, { account: "A002", accounts: 2, percent: "100.00" }],
      },
    });
    const price = "/v1/prices?account=A002&product=BRK001&quantity=1000";
    expect((await get(price)).body).toMatchObject({ unitPrice: "450.0000", state: "stale" });
    const approved = await post(`/v1/price-holds/${id}/approve`, ANN);
    expect(approved.body).toMatchObject({ state: "approved", why: ANN.why });
    await api.tradepost.drain();
    expect((await get(price)).body).toMatchObject({ unitPrice: "900.0000", state: "modelled" });
    expect(await post(`/v1/price-holds/${id}/reject`, ANN)).toMatchObject({
      status: 409,
      body: { code: "price-hold-decided" },
    });
    expect((await get<{ holds: unknown[] }>("/v1/price-holds")).body.holds).toEqual([]);
    expect((await get<{ holds: unknown[] }>("/v1/price-holds?state=any")).body.holds).toHaveLength(
      1,
    );
    expect(await get("/v1/price-holds/01990000-0000-7000-8000-00000000ffff")).toMatchObject({
      status: 404,
      body: { code: "price-hold-unknown" },
    });
  });
});

/** As the merge holds it back: the rows of before stand in the place of those that came. */
async function holdOf(id: string): Promise<void> {
  const { store } = api.tradepost;
  const before =
    "select to_jsonb(p) from price_rule p where company = 'HARROW' and rule = 'STD-BRK001'";
  const [row] = await store.query<{ row: object }>(`select (${before}) as row`, []);
  await store.affect(
    "update price_rule set value = 900 where company = 'HARROW' and rule = 'STD-BRK001'",
    [],
  );
  const effect = {
    up: none,
    down: none,
    new: 0,
    gone: 0,
    otherwise: 0,
    customers: 3,
    products: 1,
    largest: [],
  };
  const values = [id, JSON.stringify(row?.row), JSON.stringify(effect)];
  await store.affect(
    `insert into price_hold (company, id, run_id, state, about, effect, held_at)
     values ('HARROW', $1, $1, 'open', 'a price moves by 100%, at most 20% goes by itself', $2, '2026-03-31T08:00:00Z')`,
    [id, values[2]],
  );
  await store.affect(
    `insert into price_hold_rule (company, hold_id, rule, from_quantity, before, after)
     select 'HARROW', $1, rule, from_quantity, $2, to_jsonb(p) from price_rule p
      where company = 'HARROW' and rule = 'STD-BRK001'`,
    [id, values[1]],
  );
  await store.affect(
    `insert into price_overlay (company, rule, from_quantity, part, hides, row, source, source_id, learned_at)
     select company, rule, from_quantity, 0, true, before, 'hold', hold_id, '2026-03-31T08:00:00Z'
       from price_hold_rule where company = 'HARROW'`,
    [],
  );
  await (await api.tradepost.company("HARROW")).pricing.publish();
}
const none = { count: 0, smallest: null, median: null, largest: null };
