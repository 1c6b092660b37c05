/** The feed of events and webhooks over HTTP; every answer is checked against the OpenAPI. */
import { Webhook as Verifier } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noteEvents } from "../../src/notify/index.ts";
import { NOW, useApi } from "../support/api.ts";
import { farSide, type FarSide } from "../support/far-side.ts";

const api = useApi(["HARROW"], { webhooks: { allow: ["127.0.0.1"] } });

interface Feed {
  readonly events: readonly {
    readonly number: number;
    readonly type: string;
    readonly id: string;
  }[];
  readonly cursor: string;
  readonly more: boolean;
}
interface Refused {
  readonly code: string;
  readonly detail: string;
}
type Made = Readonly<Record<string, unknown>> & { readonly id: string; readonly secret: string };

async function note(order: string, ...types: readonly string[]): Promise<void> {
  await api.tradepost.store.transaction((tx) =>
    noteEvents(
      tx,
      "HARROW",
      types.map((type) => ({
        type,
        subject: `order/${order}`,
        at: NOW,
        data: { webOrder: order, state: type.slice(6), test: false },
      })),
    ),
  );
}

const get = <Body>(address: string) => api.ask<Body>("GET", address);
const post = <Body = Made>(address: string, body: object) =>
  api.ask<Body>("POST", address, { body });

describe("the feed of what happened to orders", () => {
  it("is read from the beginning and gone on from its cursor", async () => {
    await note("W-1", "order.received", "order.queued");
    await note("W-2", "order.received");
    const { body: first } = await get<Feed>("/v1/events?limit=2");
    expect(first).toMatchObject({ cursor: expect.stringMatching(/^2-[0-9a-f]{8}$/), more: true });
    const { body: rest } = await get<Feed>(`/v1/events?after=${first.cursor}`);
    expect([...first.events, ...rest.events].map(({ number, type }) => [number, type])).toEqual([
      [1, "order.received"],
      [2, "order.queued"],
      [3, "order.received"],
    ]);
    expect(rest).toMatchObject({ cursor: expect.stringMatching(/^3-[0-9a-f]{8}$/), more: false });
    expect((await get<Feed>(`/v1/events?after=${rest.cursor}`)).body).toEqual({
      ...rest,
      events: [],
    });
    const { body: some } = await get<Feed>("/v1/events?types=order.que*,order.queued&order=W-1");
    expect(some.events.map(({ number }) => number)).toEqual([2]);
    // What was passed over is not looked at again.
    expect(some.cursor).toBe(rest.cursor);
    // A number alone is gone on from, too.
    expect((await get<Feed>("/v1/events?after=2")).body.events).toHaveLength(1);
    expect((await get("/v1/events?after=three")).body).toMatchObject({ code: "request-invalid" });
  });

  it("tells a cursor of before a restored backup from one of its own, also once numbers are reached again", async () => {
    const { body: before } = await get<Feed>("/v1/events");
    const ahead = before.cursor;
    const { store } = api.tradepost;
    // As in a backup that was made after the first event.
    await store.affect("delete from event where company = 'HARROW' and number > 1");
    await store.affect("update event_feed set last = 1 where company = 'HARROW'");
    const refused = await get<Refused>(`/v1/events?after=${ahead}`);
    expect([refused.status, refused.body.code]).toEqual([410, "cursor-of-another-feed"]);
    expect(refused.body.detail).toContain("go on from 0");
    await note("W-3", "order.received", "order.queued");
    expect((await get<Refused>(`/v1/events?after=${ahead}`)).body.code).toBe(
      "cursor-of-another-feed",
    );
    const { body: anew } = await get<Feed>("/v1/events?after=0");
    expect(anew.events.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect((await get<Feed>(`/v1/events?after=${anew.cursor}`)).status).toBe(200);
  });

  it("refuses a type that no event has, which would be passed over for good", async () => {
    for (const types of ["order.acepted", "order.queued,order.acepted", "return.nope*"])
      expect((await api.ask("GET", `/v1/events?types=${types}`)).status).toBe(400);
    expect((await get("/v1/events?types=order.acepted")).body).toMatchObject({
      code: "request-invalid",
      errors: [{ pointer: "/types", found: '"order.acepted"', nearest: "order.accepted" }],
    });
  });

  it("is opened by the scope orders, and webhooks by one of their own", async () => {
    const shop = await api.keyWith({ scopes: ["shop"] });
    const orders = await api.keyWith({ scopes: ["orders"] });
    expect((await api.ask("GET", "/v1/events", { key: shop })).status).toBe(403);
    expect((await api.ask("GET", "/v1/events", { key: orders })).status).toBe(200);
    expect((await api.ask("GET", "/v1/webhooks", { key: orders })).status).toBe(403);
  });
});

describe("a webhook", () => {
  let receiver: FarSide;
  let made: Made;

  beforeAll(async () => {
    receiver = await farSide((seen, response) => {
      response.writeHead(seen.body.includes("W-9") ? 500 : 204).end();
    });
  });
  afterAll(() => receiver[Symbol.asyncDispose]());

  it("is made with a secret that is shown once", async () => {
    const wanted = { url: `${receiver.url}/hook`, types: ["order.*"], about: "the shop" };
    const { status, body } = await post("/v1/webhooks", { ...wanted, who: "J Ross", why: "new" });
    expect([status, body.secret]).toEqual([201, expect.stringMatching(/^whsec_[\w+/]{43}=$/)]);
    made = body;
    const { body: shown } = await get<Made>(`/v1/webhooks/${made.id}`);
    expect(shown).toMatchObject({ ...wanted, state: "enabled", waiting: 0 });
    expect(JSON.stringify((await get("/v1/webhooks")).body)).not.toContain("whsec_");
  });

  it("is refused where it goes into the house, or is told what does not exist", async () => {
    for (const url of ["https://10.0.0.1/", "http://shop.example/", "https://u:p@shop.example/"])
      expect(await post("/v1/webhooks", { url })).toMatchObject({
        status: 422,
        body: { code: "webhook-refused" },
      });
    const { body } = await post("/v1/webhooks", {
      url: "https://shop.example/",
      types: ["order.acepted"],
    });
    expect(body).toMatchObject({
      detail: expect.stringContaining('There are no events of the type "order.acepted"') as string,
    });
  });

  it("is told by the service, by itself, what happens to an order", async () => {
    await note("W-3", "order.accepted");
    await expect.poll(() => receiver.seen.length, { timeout: 5_000 }).toBe(1);
    const [seen] = receiver.seen;
    const message = new Verifier(made.secret).verify(
      seen?.body ?? "",
      seen?.headers as Record<string, string>,
    );
    expect(message).toEqual({
      type: "order.accepted",
      timestamp: NOW.toString(),
      data: { webOrder: "W-3", state: "accepted", test: false, eventNumber: 4 },
    });
  });

  it("shows what it did not take, and sends it again when asked", async () => {
    await note("W-9", "order.accepted");
    const failures = `/v1/webhooks/${made.id}/failures`;
    await expect
      .poll(async () => (await get<{ failures: unknown[] }>(failures)).body.failures, {
        timeout: 5_000,
      })
      .toMatchObject([{ subject: "order/W-9", state: "waiting", tries: 1, status: 500 }]);
    const event = receiver.seen[0]?.headers["webhook-id"];
    const { status, body } = await post(`/v1/webhooks/${made.id}/replay`, { event });
    expect([status, body]).toEqual([202, { events: 1 }]);
    const range = { from: "2026-03-31T00:00:00Z", to: "2026-04-01T00:00:00+01:00" };
    expect((await post(`/v1/webhooks/${made.id}/replay`, range)).body).toEqual({ events: 5 });
    for (const wrong of [{}, { failed: true, event }, { from: range.from }])
      expect((await post(`/v1/webhooks/${made.id}/replay`, wrong)).status).toBe(400);
    expect(
      (await post(`/v1/webhooks/${made.id}/replay`, { event: crypto.randomUUID() })).body,
    ).toMatchObject({
      code: "event-unknown",
    });
  });

  it("is changed, rotated, tested, disabled, enabled and removed, each in the book", async () => {
    const of = (what: string, body: object = {}) => post(`/v1/webhooks/${made.id}/${what}`, body);
    expect((await of("change", { types: [], about: "all" })).body).toMatchObject({
      types: [],
      about: "all",
    });
    const { body: rotated } = await of("rotate", { overlapHours: 1 });
    expect(rotated.secret).not.toBe(made.secret);
    expect((await of("test")).body).toEqual({ taken: true, status: 204, problem: null });
    expect((await of("disable", { who: "J Ross", why: "moving" })).body).toMatchObject({
      state: "disabled",
    });
    expect((await of("replay", { failed: true })).body).toMatchObject({ code: "webhook-disabled" });
    expect((await of("enable", { skip: true })).body).toMatchObject({
      state: "enabled",
      waiting: 0,
    });
    expect((await of("remove")).status).toBe(200);
    expect((await of("test")).body).toMatchObject({ code: "webhook-unknown" });
    const book = await api.tradepost.store.query<{ action: string; details: unknown }>(
      "select action, details from audit where action like 'webhook-%' order by at, id",
    );
    expect(book.map(({ action }) => action)).toEqual([
      "webhook-added",
      "webhook-replayed",
      "webhook-replayed",
      "webhook-changed",
      "webhook-secret-rotated",
      "webhook-disabled",
      "webhook-enabled",
      "webhook-removed",
    ]);
    expect(book[5]?.details).toEqual({ why: "moving" });
    expect(JSON.stringify(book)).not.toContain("whsec_");
  });
});
