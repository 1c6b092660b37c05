import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant } from "../../deploy/demo/merchant/index.ts";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../../src/main.ts";
import { openParity, type ParityContext, type PriceProof } from "../../src/parity/index.ts";
import { trialUnder, type Trial, vatRatesOn } from "../../src/pricing/index.ts";
import { useDatabase } from "../support/database.ts";
import { settingsOf } from "../support/tradepost.ts";

type Policy = Trial["policy"];

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-parity-"));
const merchant = createMerchant({ customers: 30, products: 60, invoiceLines: 2_000, reps: 3 });
const TODAY = Temporal.Instant.from(`${merchant.today}T20:00:00Z`);
const YEAR = { from: "2025-07-01", to: merchant.today };

let erp: Simulator;
let tradepost: Tradepost;
let company: CompanyServices;

beforeAll(async () => {
  erp = await start(merchant, { folder: join(folder, "erp") });
  const file = join(folder, "tradepost.yaml");
  const { companies, ...rest } = settingsOf(merchant, folder);
  const HARROW = { ...companies.HARROW, parity: { alarmFromLines: 1 } };
  writeFileSync(file, stringify({ ...rest, companies: { HARROW } }));
  const settings = { ...readSettings({ file }), databaseUrl: database.store.url };
  tradepost = await openTradepost(settings, { now: () => TODAY, log: () => undefined });
  company = await tradepost.company("HARROW");
  await company.sync("erp", {});
  await tradepost.drain();
}, 60_000);

afterAll(async () => {
  await tradepost?.[Symbol.asyncDispose]();
  await erp?.close();
  rmSync(folder, { recursive: true });
});

async function count(sql: string): Promise<number> {
  const [row] = await database.store.query<{ count: number }>(sql);
  return row?.count ?? -1;
}

/** Proof under another policy than the company's, of the same rows and the same ledger. */
async function proofUnder(policy: Policy, as: string): Promise<PriceProof> {
  const rows = await company.pricing.trialRows({
    accounts: merchant.customers.map(({ account }) => account),
    products: merchant.products.map(({ product }) => product),
  });
  const trial = { ...trialUnder(policy, rows), version: as };
  const pricing: ParityContext["pricing"] = { ...company.pricing, trial: () => trial };
  const { parity, timeZone } = company.settings;
  return openParity({
    store: database.store,
    company: company.code,
    settings: parity,
    vatOn: (date) => vatRatesOn(company.settings, date),
    timeZone,
    pricing,
    now: () => TODAY,
  });
}

describe("parity of what the simulated ERP charged", () => {
  it("is there after a pull: every line of the ledger is counted once", async () => {
    const { all, rows, reasons, checkedAt } = await company.proof.parity({ by: "channel" });
    expect(all.lines).toBe(await count("select count(*)::int as count from sales_line"));
    expect(all.matched + all.explained + all.mismatched + all.unpriced).toBe(all.lines);
    expect(rows.reduce((sum, row) => sum + row.lines, 0)).toBe(all.lines);
    expect(reasons.reduce((sum, each) => sum + each.lines, 0)).toBe(all.lines);
    expect(checkedAt).not.toBeNull();
    expect(await company.proof.recheck()).toEqual([]);
  });

  it("finds no line whose price it cannot account for", async () => {
    const { all } = await company.proof.parity({ by: "kind" });
    expect([all.mismatched, all.accountedPercent]).toEqual([0, "100.00"]);
    expect(all.matched).toBeGreaterThan(all.lines * 0.8);
  });

  it("finds exactly the discounts that sellers typed", async () => {
    const typed = await count(
      "select count(*)::int as count from sales_line where discount_percent <> 0",
    );
    const { reasons } = await company.proof.parity({ by: "channel" });
    const found = reasons.find(({ reason }) => reason === "discount")?.lines ?? 0;
    // On top of the price of another date a discount is told with that.
    const [line] = await company.proof.lines({ reason: "discount", limit: 1 });
    expect(typed).toBeGreaterThan(20);
    expect(found).toBeGreaterThan(typed * 0.98);
    expect(line?.evidence).toMatch(
      /^[\d.]+% typed on the line; the price before it, £[\d.]+, is ours$/,
    );
  });

  it("finds exactly the prices that sellers typed over the ERP's", async () => {
    const typed = await company.proof.lines({ reason: "typed-price", limit: 1_000 });
    const names = typed.map(({ document, line }) => `${document}/${line}`);
    expect(names.toSorted()).toEqual(erp.books().typedPrices.toSorted());
    expect(names.length).toBeGreaterThan(1);
    for (const { channel } of typed) expect(channel).not.toBe("web");
  });

  it("looks at nothing when nothing was posted since", async () => {
    expect((await company.proof.check()).documents).toBe(0);
  });

  it("looks only at what came with the next day's pull", async () => {
    const before = (await company.proof.parity({ by: "channel" })).all.lines;
    const marked = "update parity_line set evidence = 'left alone' where document = $1";
    const [old] = await company.proof.lines({ to: "2023-12-31", state: "match", limit: 1 });
    await database.store.affect(marked, [old?.document]);
    await erp.advance(2);
    await company.sync("erp", {});
    await tradepost.drain();
    const { all } = await company.proof.parity({ by: "channel" });
    expect(all.lines).toBe(await count("select count(*)::int as count from sales_line"));
    expect(all.lines).toBeGreaterThan(before);
    const left = await company.proof.lines({ document: old?.document ?? "", limit: 1 });
    expect(left.map(({ evidence }) => evidence)).toEqual(["left alone"]);
    expect(await company.proof.recheck()).toEqual([]);
  });

  it("raises an alarm on a day when the ERP charges other prices, and ends it afterwards", async () => {
    const told = async () => {
      await company.sales.post();
      await company.proof.checkAndTell();
      return (await company.alarms.list({ open: true })).filter(({ key }) => key === "parity/low");
    };
    const charge = (pence: string) =>
      database.store.affect(
        `update sales_line l set net = l.net + $1::numeric, row_hash = md5(l.row_hash::text)::uuid
           from sales_document d
          where d.company = l.company and d.document_type = l.document_type
            and d.document = l.document and l.line_class = 'goods'
            and d.document_on = (select max(document_on) from sales_document)`,
        [pence],
      );
    expect(await told()).toEqual([]);
    expect(await charge("0.05")).toBeGreaterThan(0);
    const [alarm, ...more] = await told();
    expect([alarm?.title, more]).toEqual(["the ERP charges other prices than ours", []]);
    expect(alarm?.detail).toMatch(
      /want 90% .* found are \d{2}\/\d{2}\/2026: [\d.]+%, \d+ lines without a reason/,
    );
    await charge("-0.05");
    expect(await told()).toEqual([]);
  });

  it("gives lines page by page, each once", async () => {
    const { lines, next } = await pageOf(null);
    const after = await pageOf(next);
    expect(lines).toHaveLength(40);
    expect(new Set([...lines, ...after.lines]).size).toBe(80);
  });
});

async function pageOf(after: string | null): Promise<{ lines: string[]; next: string }> {
  const found = await company.proof.lines({ limit: 40, ...(after === null ? {} : { after }) });
  const names = found.map(
    ({ documentType, document, line }) => `${documentType}/${document}/${line}`,
  );
  return { lines: names, next: names.at(-1) ?? "" };
}

/** A policy that is wrong in one switch, and the switch that says so. */
const WRONG: readonly (readonly [string, string, string, (policy: Policy) => Policy])[] = [
  [
    "prices are rounded to pence",
    "arithmetic.unitPrice.places",
    "4",
    (policy) => ({
      ...policy,
      arithmetic: { ...policy.arithmetic, unitPrice: { scale: 2, mode: "half-away" } },
    }),
  ],
  [
    "half pennies of a line are dropped",
    "arithmetic.lineNet.rounding",
    "half-away",
    (policy) => ({
      ...policy,
      arithmetic: { ...policy.arithmetic, lineNet: { scale: 2, mode: "down" } },
    }),
  ],
  [
    "the invoice's date decides",
    "decides.date",
    "order",
    (policy) => ({ ...policy, decides: { ...policy.decides, date: "invoice" } }),
  ],
  [
    "the whole document's quantity decides",
    "decides.quantity",
    "line",
    (policy) => ({ ...policy, decides: { ...policy.decides, quantity: "document" } }),
  ],
  [
    "the standard price is taken before the list's",
    "base",
    "price-list × product, everyone × product",
    (policy) => ({ ...policy, base: policy.base.toReversed() }),
  ],
];

describe("a policy that is wrong", () => {
  it.each(WRONG)("%s: certify names %s", async (_, name, right, spoil) => {
    const { policy } = company.pricing.trial();
    const spoilt = { ...spoil(policy), version: `spoilt ${name}` };
    const proof = await proofUnder(spoilt, `trial of ${name}`);
    const certificate = await proof.certify({
      lines: 300,
      seed: 3,
      from: "2023-07-01",
      to: YEAR.to,
    });
    const [first] = certificate.best;
    expect([first?.switch, first?.tried]).toEqual([name, right]);
    expect(certificate.bestFits).toBeGreaterThan(certificate.fits);
    expect(certificate.groups[0]?.by?.switch).toBe(name);
  });

  it("is exposed by parity, and no line of it is called typed by hand", async () => {
    const { policy } = company.pricing.trial();
    const proof = await proofUnder(
      { ...policy, base: policy.base.toReversed(), version: "spoilt" },
      "trial of the base",
    );
    const good = (await company.proof.parity({ by: "channel" })).all;
    await proof.check();
    const bad = (await proof.parity({ by: "channel" })).all;
    const wrong = await proof.lowDays(14);
    await company.proof.check();
    expect(bad.lines).toBe(good.lines);
    expect(bad.matched).toBeLessThan(good.matched * 0.9);
    expect(bad.mismatched).toBeGreaterThan(good.lines * 0.1);
    expect(wrong).toBeInstanceOf(Array);
    expect((await company.proof.parity({ by: "channel" })).all).toEqual(good);
  });

  it("is not there: the policy in use is certified, the same whenever it is made", async () => {
    const asked = { lines: 200, seed: 7, ...YEAR };
    const one = await company.proof.certify(asked);
    const two = await company.proof.certify(asked);
    // What is left are prices typed over: no switch says those.
    expect([one.verdict, one.best]).toEqual(["certified", []]);
    expect(one.groups.filter(({ by }) => by !== null)).toEqual([]);
    expect({ ...two, id: one.id, sha256: one.sha256 }).toEqual(one);
    const other = await company.proof.certify({ ...asked, seed: 8 });
    expect({ ...other.sample, seed: 7 }).not.toEqual(one.sample);
  });

  it("is signed once, and the signature is kept with it", async () => {
    const { id } = await company.proof.certify({ lines: 100, seed: 1, ...YEAR });
    const signed = await company.proof.sign({ id, who: "F. Controller", why: "agreed" });
    expect([signed?.signedBy, signed?.signedWhy]).toEqual(["F. Controller", "agreed"]);
    expect(await company.proof.sign({ id, who: "somebody else", why: "too late" })).toBeNull();
    const listed = await company.proof.certifications();
    expect(listed.find(({ certificate }) => certificate.id === id)?.signedBy).toBe("F. Controller");
  });
});

describe("impact", () => {
  it("finds the products of the next price round, and adds up to its customers", async () => {
    const found = await company.proof.impactBetween({
      from: merchant.today,
      to: "2026-10-01",
      days: 90,
      most: 1_000,
    });
    const pence = (text: string) => Math.round(Number(text) * 100);
    const customers = found.customers.reduce((sum, each) => sum + pence(each.difference), 0);
    expect(found.changed.lines).toBeGreaterThan(0);
    expect(customers).toBe(pence(found.changed.difference));
    expect(pence(found.dearer.difference) + pence(found.cheaper.difference)).toBe(customers);
    expect(pence(found.all.after) - pence(found.all.before)).toBe(customers);
    for (const price of found.prices) expect(price.before).not.toBe(price.after);
  });

  it("is nothing where nothing is held back", async () => {
    const found = await company.proof.impactOfErpRows({ days: 90, most: 10 });
    expect(found.all.lines).toBeGreaterThan(0);
    expect([found.changed.lines, found.prices]).toEqual([0, []]);
  });

  it("is the change that waits for a person, before it is approved", async () => {
    const { prices } = await company.proof.impactBetween({
      from: merchant.today,
      to: "2026-10-01",
      days: 90,
      most: 1,
    });
    const change = "update price_rule set value = value * $1::numeric where product_code = $2";
    await database.store.affect(change, ["1.5", prices[0]?.product]);
    const found = await company.proof.impactOfErpRows({ days: 90, most: 10 });
    await database.store.affect(change, [(1 / 1.5).toFixed(12), prices[0]?.product]);
    expect(found.changedProducts).toBe(1);
    expect(found.prices[0]?.product).toBe(prices[0]?.product);
  });

  it("is nothing between a day and itself", async () => {
    const found = await company.proof.impactBetween({
      from: merchant.today,
      to: merchant.today,
      days: 90,
      most: 10,
    });
    expect([found.changed.lines, found.prices, found.all.difference]).toEqual([0, [], "0.00"]);
  });
});

describe("over HTTP", () => {
  it("gives parity, its lines page by page, certificates and impact", async () => {
    const { secret } = await tradepost.access.createKey({
      company: company.code,
      name: "screens",
      scopes: ["sales"],
      test: false,
      createdBy: "a test",
    });
    const api = await tradepost.serve({ port: 0 });
    const get = async (address: string) => {
      const answer = await fetch(`${api.url}${address}`, {
        headers: { authorization: `Bearer ${secret}` },
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const { all } = await company.proof.parity({ by: "channel" });
    expect((await get("/v1/parity?by=day")).body["all"]).toEqual(all);
    const page = await get("/v1/parity/lines?limit=10&state=match");
    const next = String(page.body["next"]);
    expect(page.body["lines"]).toHaveLength(10);
    expect((await get(`/v1/parity/lines?limit=10&state=match&after=${next}`)).status).toBe(200);
    expect((await get("/v1/parity/lines?after=nowhere")).status).toBe(400);
    const impact = await get(`/v1/impact?from=${merchant.today}&to=2026-10-01`);
    expect([impact.status, impact.body["afterOn"]]).toEqual([200, "2026-10-01"]);
    const { certifications } = (await get("/v1/certifications")).body;
    expect(certifications).toHaveLength((await company.proof.certifications()).length);
    await api.close();
  });
});
