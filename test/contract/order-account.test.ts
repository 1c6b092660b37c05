/**
 * A shop's key opens every customer's orders: by the account that asks each customer sees and
 * changes its own.
 */
import { beforeAll, expect, test } from "vitest";
import { useApi } from "../support/api.ts";
import { pullMerchant } from "../support/merchant.ts";

const api = useApi(["HARROW"], {
  orders: { connection: "erp", checks: { stop: "accept" }, repeatedWithinMinutes: 0 },
});
const lines = [{ product: "CEM001", quantity: "10", unitPrice: "5.20" }];

beforeAll(async () => {
  await pullMerchant(api.tradepost.store, "HARROW");
  await (await api.tradepost.company("HARROW")).pricing.publish();
  await send("/v1/orders", { webOrder: "W-2", account: "A002", lines }, "W-2");
});

interface Said {
  readonly code: string;
  readonly detail: string;
  readonly account: string;
  readonly state: string;
  readonly number: string;
}

const get = (address: string) => api.ask<Said>("GET", address);
const send = (address: string, body: object, key: string) =>
  api.ask<Said>("POST", address, { body, headers: { "idempotency-key": key } });

test("an order is there for its own customer, and for another as one that there is not", async () => {
  expect(await get("/v1/orders/W-2")).toMatchObject({ status: 200, body: { account: "A002" } });
  expect(await get("/v1/orders/W-2?account=A002")).toMatchObject({ status: 200 });
  const [others, nobodys] = [
    await get("/v1/orders/W-2?account=A001"),
    await get("/v1/orders/W-3?account=A001"),
  ];
  expect([others.status, others.body.code]).toEqual([404, "order-unknown"]);
  // Nothing tells a number that is another's from one that nobody has.
  expect(others.body.detail).toBe(nobodys.body.detail.replace("W-3", "W-2"));
  const { body } = await api.ask<{ id: string }>("GET", "/v1/orders/W-2");
  expect((await get(`/v1/orders/${body.id}?account=A001`)).status).toBe(404);
  // Accounts are compared exactly, and a shop that lost whose session it is sees nothing.
  expect((await get("/v1/orders/W-2?account=a002")).status).toBe(404);
  expect((await get("/v1/orders/W-2?account=")).status).toBe(400);
});

test("it is amended and cancelled for its own customer alone, by a key that is bound to both", async () => {
  const changes = [
    ["amendments", { account: "A002", lines: [{ ...lines[0], quantity: "12" }] }],
    ["cancellation", { lines: [{ line: 1, quantity: "1" }] }],
  ] as const;
  for (const [act, body] of changes) {
    const other = await send(`/v1/orders/W-2/${act}?account=A001`, body, `${act}-1`);
    expect([act, other.status, other.body.code]).toEqual([act, 404, "order-unknown"]);
    const own = await send(`/v1/orders/W-2/${act}?account=A002`, body, `${act}-1`);
    expect([act, own.status]).toEqual([act, 200]);
    const replay = await send(`/v1/orders/W-2/${act}?account=A001`, body, `${act}-1`);
    expect([act, replay.status, replay.body.code]).toEqual([act, 422, "idempotency-key-reused"]);
  }
});

test("a return is there for its own customer alone", async () => {
  const back = {
    account: "A001",
    invoice: "1001",
    lines: [{ line: 1, quantity: "1" }],
    reason: "Broken.",
    wanted: "credit",
  };
  const { number } = (await send("/v1/returns", back, "back-1")).body;
  expect((await get(`/v1/returns/${number}?account=A001`)).status).toBe(200);
  const other = await get(`/v1/returns/${number}?account=A002`);
  expect([other.status, other.body.code]).toEqual([404, "return-unknown"]);
});
