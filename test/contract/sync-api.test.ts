import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { useApi } from "../support/api.ts";

const api = useApi(["HARROW"]);

type Body = Record<string, unknown>;
interface Item {
  readonly id: string;
}
interface Listed {
  readonly open: number;
  readonly worth: string;
  readonly groups: readonly Body[];
  readonly items: readonly Item[];
}

const get = <Answer = Body>(address: string) => api.ask<Answer>("GET", address);
const post = <Answer = Body>(address: string, body: unknown) =>
  api.ask<Answer>("POST", address, { body });

const folder = () => {
  const [entry] = Object.values(api.tradepost.settings.companies);
  const settings = entry?.connections["erp"]?.settings as { folder: string } | undefined;
  return join(settings?.folder ?? "", "out");
};

const CUSTOMERS = "account,name,creditLimit,balance";

function write(name: string, ...lines: readonly string[]): Promise<void> {
  return writeFile(join(folder(), name), [...lines, ""].join("\n"));
}

const waiting = async (query = "") => (await get<Listed>(`/v1/quarantine${query}`)).body;

beforeAll(async () => {
  await mkdir(folder(), { recursive: true });
  const alike = Array.from({ length: 6 }, (_, index) => `A10${index},,5,10.00`);
  const rows = ["A001,Ashby,x,45.50", "A002,Brook,100,0", ...alike];
  await write("customers-1.csv", CUSTOMERS, ...rows);
  await write("sales-documents-1.csv", "documentType,document,account,documentOn,net,vat,gross");
  const company = await api.tradepost.company("HARROW");
  await company.sync("erp", { streams: ["customers", "sales-documents"] });
});

describe("what waits in quarantine", () => {
  it("is told like with like, and one by one, by money at risk", async () => {
    const { open, worth, groups, items } = await waiting();
    expect([open, worth, items.length]).toEqual([7, "105.50", 7]);
    expect(groups).toMatchObject([
      { reason: "name is blank", items: 6, worth: "60.00", customers: 6 },
      { reason: "creditLimit is not a number such as 1234.50", items: 1, customers: 1 },
    ]);
    expect(items[0]).toMatchObject({
      state: "open",
      recordKey: "A001",
      columns: { account: "A001", name: "Ashby", creditLimit: "x", balance: "45.50" },
      raw: "A001,Ashby,x,45.50",
      worth: "45.50",
    });
    expect((await waiting("?reason=is%20blank&limit=2")).items).toHaveLength(2);
    expect((await waiting("?account=A103")).items).toHaveLength(1);
    expect((await waiting("?state=dismissed")).items).toHaveLength(0);
    expect((await get("/v1/quarantine?state=gone")).status).toBe(400);
  });

  it("is tried, dismissed with a reason, opened again and corrected, and all of it is kept", async () => {
    const [item] = (await waiting("?account=A001")).items;
    const at = `/v1/quarantine/${item?.id}`;
    const corrections = { creditLimit: "250.00" };
    expect((await post(`${at}/replay`, { corrections, try: true })).body).toMatchObject({
      outcome: "resolved",
      made: [{ account: "A001", creditLimit: "250" }],
    });
    expect((await post(`${at}/dismiss`, {})).status).toBe(400);
    const why = "it is a test account";
    expect((await post(`${at}/dismiss`, { who: "J Ross", why })).body).toMatchObject({
      state: "dismissed",
      closedBy: expect.stringMatching(/^J Ross \(key /) as string,
    });
    const again = await post(`${at}/dismiss`, { why });
    expect([again.status, again.body["code"]]).toEqual([409, "quarantine-item-settled"]);
    expect((await post(`${at}/reopen`, { who: "J Ross", why: "it is not" })).body).toMatchObject({
      state: "open",
      closedBy: null,
    });
    expect((await post(`${at}/replay`, { corrections, who: "J Ross" })).body).toMatchObject({
      outcome: "resolved",
      records: 1,
    });
    const { body } = await get<{ history: { action: string }[]; held: Body }>(at);
    expect(body.history.map(({ action }) => action)).toEqual([
      "dismissed",
      "reopened",
      "corrected",
    ]);
    expect(body.held).toMatchObject({ account: "A001", creditLimit: 250 });
    const audit = await api.tradepost.store.query<{ action: string; subject: string }>(
      "select action, subject from audit where subject = $1 order by at, id",
      [item?.id],
    );
    expect(audit.map(({ action }) => action)).toEqual([
      "quarantine-item-dismissed",
      "quarantine-item-reopened",
      "quarantine-item-corrected",
    ]);
  });

  it("is replayed as far as it fits a filter, and what is left is counted by its reason", async () => {
    const { body } = await post("/v1/quarantine/replay", { reason: "name is blank" });
    expect(body).toMatchObject({
      items: 6,
      resolved: 0,
      left: [{ outcome: "still-bad", items: 6, why: expect.stringContaining("nothing in name") }],
    });
  });

  it("is nothing under an unknown identity, nor for a key without the scope", async () => {
    const none = "/v1/quarantine/01980000-0000-7000-8000-000000000000";
    for (const answer of [await get(none), await post(`${none}/dismiss`, { why: "x" })])
      expect([answer.status, answer.body["code"]]).toEqual([404, "quarantine-item-unknown"]);
    expect((await get("/v1/quarantine/zzz")).status).toBe(400);
    const key = await api.keyWith({ scopes: ["prices"] });
    const answer = await api.ask("POST", "/v1/quarantine/replay", { key, body: {} });
    expect(answer.status).toBe(403);
  });
});

describe("a pull", () => {
  it("that is asked for is queued and read, and its run is shown", async () => {
    const rows = ["A001,Ashby,300,45.50", "A002,Brook,100,0", "A003,Cole,5,0"];
    await write("customers-2.csv", CUSTOMERS, ...rows);
    const asked = await post("/v1/runs", { connection: "erp", streams: ["customers"] });
    expect([asked.status, asked.body]).toEqual([
      202,
      { connection: "erp", streams: ["customers"] },
    ]);
    await api.tradepost.drain();
    const { runs } = (await get<{ runs: { id: string }[] }>("/v1/runs?limit=1")).body;
    const run = await get(`/v1/runs/${runs[0]?.id}`);
    expect(run.body).toMatchObject({ state: "published", rows: { read: 3, mapped: 3 } });
    expect((await waiting()).open).toBe(0);
    const stopped = await post(`/v1/runs/${runs[0]?.id}/stop`, undefined);
    expect([stopped.status, stopped.body["code"]]).toEqual([409, "run-ended"]);
  });

  it("of a connection or stream that is not there is refused with the nearest one", async () => {
    const connection = await post("/v1/runs", { connection: "erq" });
    expect(connection.body).toMatchObject({
      code: "connection-unknown",
      detail: 'Asking for a pull: there is no connection "erq"; there are erp. Did you mean erp?',
    });
    const stream = await post("/v1/runs", { connection: "erp", streams: ["customer"] });
    expect(stream.body).toMatchObject({ code: "stream-unknown" });
    expect(stream.body["detail"]).toMatch(/Did you mean customers\?$/);
    const none = await get("/v1/runs/01980000-0000-7000-8000-000000000000");
    expect([none.status, none.body["code"]]).toEqual([404, "run-unknown"]);
  });
});

describe("a plan", () => {
  it("shows what a pull would do, and is applied as it is or not at all", async () => {
    const rows = ["A001,Ashby,300,45.50", "A002,Brook,100,0", "A004,Dale,5,0"];
    await write("customers-3.csv", CUSTOMERS, ...rows);
    const made = await post("/v1/plans", { connection: "erp", streams: ["customers"] });
    expect(made.body).toMatchObject({
      kind: "pull",
      streams: [{ stream: "customers", state: "planned", rows: { read: 3 } }],
    });
    const changed = { ...made.body, madeAt: "2026-01-01T00:00:00Z" };
    const refused = await post("/v1/plans/apply", { plan: changed });
    expect([refused.status, refused.body["code"]]).toEqual([409, "plan-refused"]);
    const done = await post("/v1/plans/apply", { plan: made.body, acceptRemovals: true });
    expect(done.body).toMatchObject({ runs: [{ stream: "customers", state: "published" }] });
    const again = await post("/v1/plans/apply", { plan: made.body });
    expect([again.status, again.body["code"]]).toEqual([409, "plan-refused"]);
  });
});

describe("what looks incomplete", () => {
  it("is listed with its figures", async () => {
    const { body } = await get<{ findings: Body[] }>("/v1/completeness?kind=empty");
    expect(body.findings).toMatchObject([
      {
        stream: "sales-documents",
        kind: "empty",
        state: "open",
        title: "A file without rows arrived",
      },
    ]);
    expect((await get("/v1/completeness?kind=nonsense")).status).toBe(400);
  });
});
