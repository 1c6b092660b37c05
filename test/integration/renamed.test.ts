/** A connection or a company that the settings call otherwise now, or have in another mode. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { readSettings } from "../../src/config.ts";
import { companiesLeftBehind, openTradepost, type CompanyServices } from "../../src/main.ts";
import { orderRequest } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { goLive } from "../support/live.ts";

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-renamed-"));
const NOW = Temporal.Instant.from("2026-03-31T09:00:00Z");
const KIM = { who: "kim", why: "the settings are right" };

beforeAll(async () => {
  writeFileSync(
    join(folder, "erp.json"),
    JSON.stringify({ next: 1001, searches: true, forbids: null, orders: [] }),
  );
  const { store } = database;
  await pull(store, "WHOLE", "customer", [{ account: "A1", name: "Ashby" }]);
  await pull(store, "WHOLE", "product", [{ product: "SAND", name: "Sand" }]);
  const everyone = { customerScope: "everyone", productScope: "product", kind: "fixed" } as const;
  await pull(store, "WHOLE", "price-rule", [
    { ...everyone, rule: "R1", productCode: "SAND", value: "10" },
  ]);
  await goLive(store, "WHOLE");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function settingsWith(company: string, connection: string, mode = "live") {
  const entry = {
    connector: "backed-up",
    mode,
    mappings: "tradepost-csv",
    settings: { file: join(folder, "erp.json") },
  };
  const orders = { checks: { stale: "accept" }, repeatedWithinMinutes: 0, quietSeconds: 1 };
  const companies = {
    [company]: { name: "Whole Ltd", connections: { [connection]: entry }, orders },
  };
  const text = JSON.stringify({
    connectorFolders: [resolve("test/support/backed-up-erp")],
    companies,
  });
  return { ...readSettings({ file: "tradepost.yaml", text }), databaseUrl: database.store.url };
}

async function started(company: string, connection: string, mode?: string) {
  const logged: string[] = [];
  const log = (level: string, message: string) => void logged.push(`${level} ${message}`);
  const tradepost = await openTradepost(settingsWith(company, connection, mode), {
    now: () => NOW,
    log,
  });
  let isOpen = true;
  const end = async () => {
    if (isOpen) await tradepost[Symbol.asyncDispose]();
    isOpen = false;
  };
  onTestFinished(end);
  const services = await tradepost.company(company);
  await services.pricing.publish();
  const deliverAll = async () => {
    await services.orders.advance();
    await tradepost.drain();
  };
  return { tradepost, services, logged, deliverAll, end };
}

async function order(company: CompanyServices, number: string): Promise<void> {
  const lines = [{ product: "SAND", quantity: "1", unitPrice: "10.00" }];
  const body = orderRequest.parse({ webOrder: number, account: "A1", lines });
  const taken = await company.orders.accept({
    idempotencyKey: number,
    body,
    apiKey: "shop",
    test: false,
  });
  expect("order" in taken).toBe(true);
}

const stateOf = async (company: CompanyServices, number: string) =>
  (await company.orders.show(number)).state;

test("a connection that is called otherwise holds what was taken while it was live, and is told", async () => {
  const before = await started("WHOLE", "erp");
  const stop = { connection: "erp", ...KIM };
  await before.services.maintenance.begin({ ...stop, until: null });
  await order(before.services, "S1");
  await before.deliverAll();
  expect(await stateOf(before.services, "S1")).toBe("queued");
  expect((await before.services.check()).filter(({ part }) => part !== "connection erp")).toEqual(
    [],
  );

  // Two services with other settings would take each other's deliveries.
  await before.end();
  const after = await started("WHOLE", "main");
  await after.deliverAll();
  // What stands still stands still, whatever it is called.
  expect(await stateOf(after.services, "S1")).toBe("queued");
  const told = (await after.services.check()).filter(({ part }) => part === "connection erp");
  expect(told.map(({ state, about }) => `${state}: ${about.replace(/live \S+ \S+,/, "live …,")}`))
    .toMatchInlineSnapshot(`
    [
      "warning: erp went live …, by test, and orders go to main now. 1 web order waits, 0 are at the ERP and not confirmed. Orders are held, as long as main is not live.",
      "warning: erp stands still, which the settings name no more, so that all of WHOLE does.",
    ]
  `);
  expect((await after.services.status()).orders.about).toContain("--undo --who NAME --why WHY");
  await after.services.maintenance.end(stop);
  await order(after.services, "S2");
  await after.deliverAll();
  for (const number of ["S1", "S2"]) {
    const { state, reasons } = await after.services.orders.show(number);
    expect(state).toBe("held");
    expect(reasons[0]).toContain("that was erp, while orders go to main now");
    expect(reasons[0]).toMatch(/^Taken while its connection counted as live \(go-live of \d/);
  }
  await after.end();
  const again = await started("WHOLE", "erp");
  await again.services.orders.release("S1", { who: "kim", reason: "named as before" });
  await again.deliverAll();
  expect(await stateOf(again.services, "S1")).toBe("accepted");
});

test("given up for good, it says nothing more, and its successor is in shadow", async () => {
  const { services, deliverAll } = await started("WHOLE", "main");
  expect(await services.goLive.undo("erp", KIM)).toBe(true);
  await order(services, "S3");
  await deliverAll();
  expect(await stateOf(services, "S3")).toBe("shadowed");
  expect(await stateOf(services, "S2")).toBe("held");
  expect((await services.check()).filter(({ part }) => part === "connection erp")).toEqual([]);
});

test("a company that is called otherwise is named with all that waits under its code", async () => {
  const { store } = database;
  await pull(store, "WHOLESALE", "customer", [{ account: "A1", name: "Ashby" }]);
  const { tradepost, logged } = await started("WHOLESALE", "erp");
  const key = { company: "WHOLE", name: "Shop", createdBy: "kim", test: false };
  await tradepost.access.createKey({ ...key, scopes: ["orders"] });
  const left = await companiesLeftBehind(store, tradepost.settings, NOW);
  expect(left.map(({ part, about }) => `${part}: ${about}`)).toMatchInlineSnapshot(`
    [
      "company WHOLE: The database has a company WHOLE, which the settings name no more: nothing of it is read, handed over or watched. 1 web order waits, 1 is at the ERP and not confirmed. 0 tasks are open, 1 API key is in force.",
    ]
  `);
  const api = await tradepost.serve({ port: 0 });
  await api.close();
  expect(logged.filter((line) => line.includes("a company WHOLE,"))).toHaveLength(1);
  expect(await companiesLeftBehind(store, settingsWith("WHOLE", "erp"), NOW)).toEqual([]);
});

const aboutErp = async (company: CompanyServices) =>
  (await company.check()).flatMap(({ part, state, about, instruction }) =>
    part === "connection erp" && state === "warning" && !about.includes("no such stream")
      ? [`${about.replace(/live \S+ \S+,/, "live …,")} ${instruction}`]
      : [],
  );

test("settings that are read-only once it went live are contradicted: what is taken waits to be sent", async () => {
  await goLive(database.store, "WHOLE");
  const { services, deliverAll, end } = await started("WHOLE", "erp", "read-only");
  expect(await aboutErp(services)).toMatchInlineSnapshot(`
    [
      "erp went live …, by test, and nobody has undone that, while the settings have it read-only: orders wait, and are sent as soon as the settings say live, whether staff have keyed them meanwhile or not. For a pause: mode: live, and tradepost maintenance on erp --who NAME --why WHY. Where staff key the orders: tradepost go-live erp --undo --who NAME --why WHY.",
    ]
  `);
  await order(services, "S4");
  await deliverAll();
  expect(await stateOf(services, "S4")).toBe("queued");
  await end();
  const live = await started("WHOLE", "erp");
  await live.deliverAll();
  expect(await stateOf(live.services, "S4")).toBe("accepted");
});

test("settings that are in shadow once it went live are contradicted: what is taken is held", async () => {
  const readOnly = await started("WHOLE", "erp", "read-only");
  await order(readOnly.services, "S5");
  await readOnly.end();
  const { services, deliverAll } = await started("WHOLE", "erp", "shadow");
  expect(await aboutErp(services)).toMatchInlineSnapshot(`
    [
      "erp went live …, by test, and nobody has undone that, while the settings have it in shadow: orders are held for a person, neither sent nor shadowed. To have them shadowed: tradepost go-live erp --undo --who NAME --why WHY. To have them sent: mode: live.",
    ]
  `);
  expect((await services.status()).orders).toMatchObject({
    mode: "shadow",
    about: expect.stringContaining("--undo --who NAME --why WHY") as string,
  });
  await order(services, "S6");
  await deliverAll();
  const reasons = async (number: string) =>
    (await services.orders.show(number)).reasons.map((why) => why.replace(/of \S+ \S+\)/, "of …)"));
  // Neither was taken live: what is said is what holds of both.
  expect(await reasons("S5")).toEqual(await reasons("S6"));
  expect(await reasons("S6")).toMatchInlineSnapshot(`
    [
      "Taken while its connection counted as live (go-live of …); that is not undone, while the settings have it in shadow: it is not sent. Release it once the connection is live; or cancel it here, if staff have keyed it.",
    ]
  `);
  await expect(
    services.orders.release("S6", { who: "kim", reason: "it is to go" }),
  ).rejects.toThrow("its connection is not live");

  expect(await services.goLive.undo("erp", KIM)).toBe(true);
  expect(await aboutErp(services)).toEqual([]);
  await order(services, "S7");
  await deliverAll();
  expect(await stateOf(services, "S7")).toBe("shadowed");
});
