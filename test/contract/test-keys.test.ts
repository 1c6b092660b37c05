/** What a test key sees and takes: what it tries out stands apart from what is live. */
import { beforeAll, describe, expect, it } from "vitest";
import { useApi } from "../support/api.ts";
import { pullMerchant } from "../support/merchant.ts";

const api = useApi(["HARROW"], { orders: { connection: "erp" } });
const keys = { live: "", test: "" };

beforeAll(async () => {
  await pullMerchant(api.tradepost.store, "HARROW");
  await (await api.tradepost.company("HARROW")).pricing.publish();
  keys.live = await api.keyWith({});
  keys.test = await api.keyWith({ test: true });
});

type Kind = keyof typeof keys;
interface Order {
  readonly id: string;
  readonly webOrder: string;
  readonly test: boolean;
  readonly customerReference: string;
}

const get = <Body = Record<string, unknown>>(kind: Kind, address: string) =>
  api.ask<Body>("GET", address, { key: keys[kind] });
let made = 0;
const post = <Body = Order>(kind: Kind, address: string, body: object) =>
  api.ask<Body>("POST", address, {
    key: keys[kind],
    body,
    headers: { "idempotency-key": `${kind}-${(made += 1)}` },
  });
const order = (webOrder: string, customerReference: string) => ({
  webOrder,
  account: "A001",
  customerReference,
  lines: [{ product: "CEM001", quantity: "10", unitPrice: "4.80" }],
});

describe("of one number a live and a test order", () => {
  const ids = { live: "", test: "" };
  beforeAll(async () => {
    // Tried out first: it takes no number from what is ordered.
    for (const kind of ["test", "live"] as const) {
      const { body } = await post(kind, "/v1/orders", order("Shop-7", kind));
      ids[kind] = body.id;
    }
  });

  it("are each seen by keys of their own kind, by number in any case and by id", async () => {
    for (const [own, other] of [
      ["live", "test"],
      ["test", "live"],
    ] as const) {
      for (const name of ["Shop-7", "SHOP-7", ids[own]]) {
        const seen = await get<Order>(own, `/v1/orders/${name}`);
        expect([seen.status, seen.body.customerReference]).toEqual([200, own]);
        expect([seen.body.id, seen.body.test]).toEqual([ids[own], own === "test"]);
      }
      const hidden = await get(own, `/v1/orders/${ids[other]}`);
      expect([hidden.status, hidden.body["code"]]).toEqual([404, "order-unknown"]);
    }
  });

  it("are each taken once, and so it is said before", async () => {
    for (const kind of ["live", "test"] as const) {
      const again = await post<{ code: string }>(kind, "/v1/orders", order("SHOP-7", kind));
      expect([again.status, again.body.code]).toEqual([422, "web-order-number-taken"]);
    }
    await post("test", "/v1/orders", order("Shop-8", "tried"));
    const free = await post<{ status: number }>("live", "/v1/orders/check", order("Shop-8", "x"));
    expect(free.body.status).toBe(201);
    const taken = await post<{ status: number }>("test", "/v1/orders/check", order("Shop-8", "x"));
    expect(taken.body.status).toBe(422);
  });

  it("are changed each by itself", async () => {
    const anew = { ...order("Shop-7", "mended"), webOrder: undefined };
    expect((await post("test", "/v1/orders/Shop-7/amendments", anew)).status).toBe(200);
    expect((await post("test", "/v1/orders/Shop-7/cancellation", {})).status).toBe(200);
    expect((await get("live", "/v1/orders/Shop-7")).body).toMatchObject({
      state: "queued",
      customerReference: "live",
    });
    const others = await post<{ code: string }>("live", `/v1/orders/${ids.test}/cancellation`, {});
    expect([others.status, others.body.code]).toEqual([404, "order-unknown"]);
  });

  it("are told each to keys of their own kind", async () => {
    type Feed = { events: { data: { test: boolean; id: string } }[] };
    for (const kind of ["live", "test"] as const)
      for (const address of ["/v1/events", "/v1/events?order=Shop-7"]) {
        const { events } = (await get<Feed>(kind, address)).body;
        expect(events.length).toBeGreaterThan(1);
        expect(new Set(events.map(({ data }) => data.test))).toEqual(new Set([kind === "test"]));
      }
  });

  it("are listed apart: those of test keys where somebody asks for them", async () => {
    type Page = { orders: Order[] };
    const listed = async (query: string) =>
      (await get<Page>("live", `/v1/orders${query}`)).body.orders.map(({ test }) => test);
    expect(await listed("")).toEqual([false]);
    expect(await listed("?test=true")).toEqual([true, true]);
  });

  it("are both a person's, who means the live one by its number", async () => {
    const { orders } = await api.tradepost.company("HARROW");
    expect(await orders.show("shop-7")).toMatchObject({ id: ids.live, test: false });
    expect(await orders.show(ids.test)).toMatchObject({ test: true });
    expect(await orders.show("Shop-8")).toMatchObject({ test: true });
  });
});

it("a test key opens nothing of the desk, the ERP's data and webhooks, not to read either", async () => {
  for (const address of [
    "/v1/orders",
    "/v1/order-desk",
    "/v1/order-tasks",
    "/v1/account-requests",
    "/v1/status",
    "/v1/webhooks",
  ]) {
    const { status, body } = await get("test", address);
    expect([address, status, body["code"]]).toEqual([address, 403, "scope-missing"]);
  }
});

describe("what buyers ask for", () => {
  const customer = (tradingName: string) => ({
    tradingName,
    address: { address1: "4 Quay" },
    contact: { name: "Ann", email: "ann@dean.example" },
  });
  it("is seen by keys of its kind, and no live order waits for what was tried out", async () => {
    const tried = await post<{ id: string }>("test", "/v1/account-requests", customer("Tried"));
    const live = await post<{ id: string }>("live", "/v1/account-requests", customer("Live"));
    const at = (kind: Kind, { body: { id } }: typeof live) =>
      get(kind, `/v1/account-requests/${id}`).then(({ status }) => status);
    expect([await at("test", tried), await at("live", tried)]).toEqual([200, 404]);
    expect([await at("test", live), await at("live", live)]).toEqual([404, 200]);
    type List = { requests: { tradingName: string }[] };
    const listed = async (query: string) =>
      (await get<List>("live", `/v1/account-requests${query}`)).body.requests.map(
        ({ tradingName }) => tradingName,
      );
    expect([await listed(""), await listed("?test=true")]).toEqual([["Live"], ["Tried"]]);
    const waiting = { ...order("Shop-9", "waits"), account: undefined };
    const none = await post<{ errors: { code: string }[] }>("live", "/v1/orders", {
      ...waiting,
      accountRequest: tried.body.id,
    });
    expect([none.status, none.body.errors.map(({ code }) => code)]).toEqual([
      422,
      ["account-request-unknown"],
    ]);
    const held = await post("test", "/v1/orders", { ...waiting, accountRequest: tried.body.id });
    expect(held.status).toBe(202);
  });

  it("is, of goods that come back, listed for keys of its kind alone", async () => {
    const back = {
      account: "A001",
      invoice: "1001",
      lines: [{ line: 1, quantity: "1" }],
      reason: "Broken.\nOne of ten.",
      wanted: "credit",
    };
    const tried = await post<{ number: string }>("test", "/v1/returns", back);
    expect(tried.status).toBe(201);
    type List = { returns: { number: string }[] };
    const listed = async (kind: Kind) =>
      (await get<List>(kind, "/v1/returns")).body.returns.map(({ number }) => number);
    expect([await listed("test"), await listed("live")]).toEqual([[tried.body.number], []]);
    const at = (kind: Kind) => get(kind, `/v1/returns/${tried.body.number}`);
    expect([(await at("test")).status, (await at("live")).status]).toEqual([200, 404]);
  });
});
