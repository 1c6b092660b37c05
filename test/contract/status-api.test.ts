/** `GET /v1/status`: what a monitor asks; its shape is checked against the documentation. */
import { expect, test } from "vitest";
import { NOW, useApi } from "../support/api.ts";

const api = useApi(["HARROW"]);

test("the status tells alarms, streams and schedules, to keys with the scope sync alone", async () => {
  const company = await api.tradepost.company("HARROW");
  await company.alarms.raise({
    key: "late/erp/price-rules",
    level: "error",
    title: "price-rules of erp is late",
    detail: "It has never been read with success.",
    instruction: "Look at the export.",
  });
  const { status, body } = await api.ask<Status>("GET", "/v1/status");
  expect(status).toBe(200);
  expect(body.at).toBe(NOW.toString());
  expect(body.service).toEqual({ runs: false, lastSeenAt: null, otherSettings: false });
  expect(body.alarms).toMatchObject([{ key: "late/erp/price-rules", since: NOW.toString() }]);
  expect(body.streams.find(({ stream }) => stream === "price-rules")).toMatchObject({
    connection: "erp",
    lastAppliedAt: null,
    late: false,
    lastRun: null,
  });
  const key = await api.keyWith({ scopes: ["prices"] });
  expect((await api.ask("GET", "/v1/status", { key })).status).toBe(403);
});

test("maintenance is begun and ended by a program, and the status says what stands still", async () => {
  const unknown = { connection: "epr", why: "upgrade" };
  expect((await api.ask("POST", "/v1/maintenance", { body: unknown })).status).toBe(404);
  const until = NOW.add({ hours: 1 }).toString();
  const asked = { connection: "erp", why: "upgrade", who: "J Ross", until };
  const begun = await api.ask<Begun>("POST", "/v1/maintenance", { body: asked });
  expect(begun.body).toMatchObject({
    began: true,
    underWay: { deliveries: 0, pulls: [] },
    stops: [{ scope: "erp", why: "upgrade", until }],
  });
  expect(begun.body.stops[0]?.who).toMatch(/^J Ross \(key /);
  const past = { ...asked, until: NOW.subtract({ hours: 1 }).toString() };
  expect(await api.ask("POST", "/v1/maintenance", { body: past })).toMatchObject({
    status: 400,
    body: { code: "request-invalid", detail: expect.stringContaining("Give a later moment") },
  });
  const again = await api.ask<Begun>("POST", "/v1/maintenance", { body: asked });
  expect(again.body.began).toBe(false);
  const listed = await api.ask<Pick<Begun, "stops">>("GET", "/v1/maintenance");
  expect(listed.body.stops).toHaveLength(1);
  const { body } = await api.ask<Begun & Status>("GET", "/v1/status");
  expect(body.stops).toEqual(listed.body.stops);
  expect(body.orders).toMatchObject({ connection: "erp", mode: "read-only" });
  expect(body.orders.paused).toContain("upgrade");
  const end = { connection: "erp", why: "done" };
  const ended = await api.ask("POST", "/v1/maintenance/end", { body: end });
  expect(ended.body).toEqual({ ended: 1, stops: [] });
  const none = await api.ask("POST", "/v1/maintenance/end", { body: end });
  expect(none.body).toEqual({ ended: 0, stops: [] });
});

test("a shadow report without any order has no share", async () => {
  const report = await api.ask("GET", "/v1/shadow-orders");
  expect(report.body).toMatchObject({ equalPercent: null, orders: [], counts: { equal: 0 } });
});

interface Begun {
  readonly began: boolean;
  readonly stops: readonly { readonly who: string }[];
}

interface Status {
  readonly at: string;
  readonly service: { readonly runs: boolean; readonly lastSeenAt: string | null };
  readonly alarms: readonly { readonly key: string; readonly since: string }[];
  readonly streams: readonly { readonly stream: string }[];
  readonly orders: { readonly paused: string | null };
}
