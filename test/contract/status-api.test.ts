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
  expect(body.service).toEqual({ runs: false, lastSeenAt: null });
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

interface Status {
  readonly at: string;
  readonly service: { readonly runs: boolean; readonly lastSeenAt: string | null };
  readonly alarms: readonly { readonly key: string; readonly since: string }[];
  readonly streams: readonly { readonly stream: string }[];
}
