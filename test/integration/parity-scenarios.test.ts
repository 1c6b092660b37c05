/** Parity, certificates and impact of small companies whose every price is known. */
import { describe, expect, it } from "vitest";
import type { Canonical } from "../../src/model/index.ts";
import { openParity, type PriceProof } from "../../src/parity/index.ts";
import { openPricing, openRounds, type Pricing } from "../../src/pricing/index.ts";
import { openSales } from "../../src/sales/index.ts";
import { record } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { mergeRows } from "../support/merge-rows.ts";

const database = useDatabase();
const VAT = { STANDARD: "20" };

type Line = Canonical<"sales-line">;
type Rule = Partial<Canonical<"price-rule">>;

interface Company {
  readonly pricing: Pricing;
  readonly proof: PriceProof;
  /** Goes on to that moment. */
  at(moment: string): void;
  merge: typeof mergeRows extends (store: never, company: string, ...rest: infer Rest) => infer Made
    ? (...rest: Rest) => Made
    : never;
  /** Posts the invoices that the ERP has. */
  post(): Promise<void>;
}

async function company(code: string, policy = "generic", switches = {}): Promise<Company> {
  const { store } = database;
  let clock = Temporal.Instant.from("2026-06-01T09:00:00Z");
  const now = () => clock;
  const settings = { currency: "GBP", timeZone: "Europe/London", vat: VAT };
  const pricing = await openPricing({
    store,
    company: code,
    settings,
    policy,
    switches,
    now,
    log: () => undefined,
  });
  const sales = openSales({
    store,
    company: code,
    settings: { channels: [] },
    sources: {
      freshness: async () => [],
      quarantined: async () => [],
      setAside: async () => new Map(),
      origin: async () => null,
    },
    now,
  });
  const proof = openParity({
    store,
    company: code,
    settings: { alarmBelowPercent: 90, alarmFromLines: 1, certifyPercent: 99 },
    vatOn: () => VAT,
    timeZone: "Europe/London",
    pricing,
    shipped: { policy, switches },
    now,
  });
  return {
    pricing,
    proof,
    at: (moment) => {
      clock = Temporal.Instant.from(moment);
    },
    merge: (record, rows, more = {}) =>
      mergeRows(store, code, record, rows, { at: clock.toString(), ...more }),
    post: async () => {
      await sales.post();
    },
  };
}

/** An invoice of that day; VAT is 20% unless it says otherwise. */
async function invoice(
  { merge }: Company,
  document: string,
  documentOn: string,
  account: string,
  ...lines: (Partial<Line> & { readonly product: string; readonly quantity: string })[]
): Promise<void> {
  const rows = lines.map((line, at) => ({
    documentType: "invoice" as const,
    document,
    line: at + 1,
    vatCode: "STANDARD",
    net: "0.00",
    unitPrice: "0",
    ...line,
    vat: line.vat ?? (Math.round(Number(line.net) * 20) / 100).toFixed(2),
  }));
  const sum = (of: "net" | "vat") =>
    rows.reduce((total, row) => total + Number(row[of]), 0).toFixed(2);
  const gross = (Number(sum("net")) + Number(sum("vat"))).toFixed(2);
  const head = { documentType: "invoice" as const, document, documentOn, account };
  await merge("sales-document", [{ ...head, net: sum("net"), vat: sum("vat"), gross }], {
    snapshot: false,
  });
  await merge("sales-line", rows, { snapshot: false });
}

const fixed = (rule: string, productCode: string, value: string, more: Rule = {}): Rule => ({
  rule,
  customerScope: "everyone",
  productScope: "product",
  productCode,
  kind: "fixed",
  value,
  ...more,
});

describe("parity as known", () => {
  it("prices each line by the rules of its day, and says what nobody knew or kept", async () => {
    const one = await company("KNOWN");
    await one.merge("customer", [{ account: "A", name: "A" }]);
    await one.merge("product", [{ product: "P", name: "P" }]);
    await one.merge("price-rule", [fixed("P", "P", "10.00")]);
    await one.pricing.publish();
    const of = { product: "P", quantity: "1", unitPrice: "10.00", net: "10.00" };
    const dearer = { product: "P", quantity: "1", unitPrice: "11.00", net: "11.00" };
    await invoice(one, "EARLY", "2026-05-20", "A", of);
    await invoice(one, "FIRST", "2026-06-02", "A", of);
    // The ERP charged 11.00 from the 3rd; we learned of it on the 5th, in place of the old price.
    await invoice(one, "LATE", "2026-06-03", "A", dearer);
    one.at("2026-06-05T08:00:00Z");
    await one.merge("price-rule", [fixed("P", "P", "11.00")]);
    await one.pricing.publish();
    await invoice(one, "NOW", "2026-06-05", "A", dearer);
    await one.post();
    const found = await one.proof.asKnown({ most: 10 });
    const none = { match: 0, explained: 0, mismatch: 0, unpriced: 0 };
    expect(found).toMatchObject({
      from: "2026-03-07",
      to: "2026-06-05",
      lines: 4,
      notKept: { lines: 1, since: "2026-06-01T09:00:00Z" },
      asThen: { ...none, match: 2, mismatch: 1 },
      asNow: { ...none, match: 2, mismatch: 1 },
      otherPrice: 2,
      learnedLater: 1,
      knownBefore: 1,
    });
    expect(
      found.shown.map(({ document, asThen, asNow }) => [
        document,
        asThen.unitPrice,
        asNow.unitPrice,
      ]),
    ).toEqual([
      ["FIRST", "10.000000", "11.000000"],
      ["LATE", "10.000000", "11.000000"],
    ]);
  });
});

describe("VAT of lines whose net is ours", () => {
  it("is named where it differs: the rest of parts, another code, a penny", async () => {
    const one = await company("VATS");
    await one.merge("customer", [{ account: "A", name: "A" }]);
    await one.merge("product", [{ product: "P", name: "P", vatCode: "STANDARD" }]);
    await one.merge("price-rule", [fixed("P", "P", "10.03")]);
    const of = { product: "P", quantity: "1", unitPrice: "10.03", net: "10.03" };
    const part = { ...of, erpOrder: "SO1", erpOrderLine: 1 };
    await invoice(one, "PART1", "2026-05-20", "A", part);
    await invoice(one, "PART2", "2026-05-21", "A", { ...part, vat: "2.00" });
    await invoice(one, "PENNY", "2026-05-22", "A", { ...of, vat: "2.02" });
    await invoice(one, "CODE", "2026-05-23", "A", { ...of, vatCode: "REDUCED", vat: "0.50" });
    await invoice(one, "APART", "2026-05-24", "A", { ...of, vat: "3.00" });
    await one.pricing.publish();
    await one.post();
    await one.proof.check();
    const lines = await one.proof.lines({ limit: 10 });
    expect(lines.map(({ document, state, reason }) => [document, state, reason])).toEqual([
      ["APART", "match", "vat-unexplained"],
      ["CODE", "match", "vat-code"],
      ["PART1", "match", ""],
      ["PART2", "match", "vat-part-delivery"],
      ["PENNY", "match", "vat-rounding"],
    ]);
    const evidence = lines.find(({ document }) => document === "PART2")?.evidence;
    expect(evidence).toBe(
      "VAT -£0.01: the order's line was invoiced in 2 parts; the last one is what was left of it",
    );
    expect((await one.proof.parity({ by: "channel" })).vatLines).toBe(4);
  });
});

describe("certify tries the switches that a policy declares", () => {
  /** As Sage 50 charges where the customer's percent is off what the quantity table leaves. */
  const sequential = (price: number, quantity: number, table: number, customer: number) =>
    (Math.round(price * quantity * (100 - table) * (100 - customer)) / 10_000).toFixed(2);

  it("and names the one that Sage 50's history was written under", async () => {
    const one = await company("SAGE50", "sage-50");
    const accounts = [0, 5, 7.5].map((percent, at) => ({
      account: `A${at}`,
      name: `A${at}`,
      customerGroup: "A",
      discountPercent: String(percent),
    }));
    await one.merge("customer", accounts);
    const products = [4, 12, 30, 75].map((price, at) => ({ product: `P${at}`, price }));
    await one.merge(
      "product",
      products.map(({ product }) => ({ product, name: product, vatCode: "STANDARD" })),
    );
    const table = { customerScope: "customer-group", customerCode: "A", kind: "percent" } as const;
    await one.merge(
      "price-rule",
      products.flatMap(({ product, price }) => [
        fixed(`S${product}`, product, `${price}.00`),
        fixed(`T${product}`, product, "10", { ...table, fromQuantity: "10" }),
      ]),
    );
    for (const [place, { account, discountPercent }] of accounts.entries())
      for (const quantity of [1, 10, 25]) {
        const lines = products.map(({ product, price }) => {
          const off = quantity < 10 ? 0 : 10;
          const net = sequential(price, quantity, off, Number(discountPercent));
          const unitPrice = (Number(net) / quantity).toFixed(6);
          return { product, quantity: String(quantity), unitPrice, net };
        });
        await invoice(one, `INV${place}-${quantity}`, "2026-05-20", account, ...lines);
      }
    await one.pricing.publish();
    await one.post();
    const asked = { lines: 100, seed: 1, from: "2026-05-01", to: "2026-05-31" };
    const certificate = await one.proof.certify(asked);
    // Percents that add up are wrong where there are two: of two accounts, at two quantities.
    expect([certificate.verdict, certificate.fits, certificate.sample.lines]).toEqual([
      "refused",
      20,
      36,
    ]);
    expect(certificate.best).toMatchObject([
      { switch: "pricing.switches.customerDiscount", is: "add", tried: "sequential", loses: 0 },
    ]);
    expect(certificate.bestFits).toBe(36);
    const right = await company("SAGE50", "sage-50", { customerDiscount: "sequential" });
    await right.pricing.publish();
    expect((await right.proof.certify(asked)).verdict).toBe("certified");
  });
});

describe("impact", () => {
  it("lists customers and products whose price changes, also those that nobody bought", async () => {
    const one = await company("IMPACT");
    await one.merge("customer", [
      { account: "A", name: "A" },
      { account: "B", name: "B" },
      { account: "C", name: "C" },
    ]);
    await one.merge("product", [
      { product: "SOLD", name: "SOLD" },
      { product: "QUIET", name: "QUIET" },
      { product: "SAME", name: "SAME" },
    ]);
    const own = { customerScope: "account", customerCode: "C" } as const;
    await one.merge("price-rule", [
      fixed("S1", "SOLD", "10.00", { validTo: "2026-09-30" }),
      fixed("S2", "SOLD", "10.50", { validFrom: "2026-10-01" }),
      fixed("Q1", "QUIET", "20.00", { validTo: "2026-09-30" }),
      fixed("Q2", "QUIET", "19.00", { startsAt: "2026-09-30T23:00:00Z" }),
      fixed("QC", "QUIET", "18.00", own),
      fixed("E", "SAME", "5.00"),
    ]);
    const sold = { product: "SOLD", quantity: "4", unitPrice: "10.00", net: "40.00" };
    await invoice(one, "INV1", "2026-05-20", "A", sold);
    await invoice(one, "INV2", "2026-05-21", "B", { ...sold, quantity: "2", net: "20.00" });
    await one.pricing.publish();
    await one.post();
    const asked = { from: "2026-06-01", to: "2026-10-01", days: 90, most: 10 };
    const found = await one.proof.impactBetween(asked);
    expect(found.changed).toMatchObject({ lines: 2, before: "60.00", difference: "3.00" });
    // Three pay more for what is sold, two less for what nobody bought: C has a price of its own.
    expect(found.effective).toMatchObject({ customers: 3, products: 2, pairs: 5, up: 3, down: 2 });
    expect(
      found.effective?.changes.map(({ product, before, after, accounts }) => [
        product,
        before,
        after,
        accounts,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ["QUIET", "20.0000", "19.0000", 2],
        ["SOLD", "10.0000", "10.5000", 2],
      ]),
    );
    const moments = { from: "2026-09-30T22:59:59Z", to: "2026-09-30T23:00:00Z" };
    const atOnce = await one.proof.impactBetween({ ...asked, ...moments });
    expect([atOnce.changed.difference, atOnce.effective?.pairs]).toEqual(["3.00", 5]);
    const before = await one.proof.impactBetween({ ...asked, to: "2026-09-30" });
    expect([before.changed.lines, before.effective?.pairs]).toEqual([0, 0]);
  });

  it("is told of one price round by its name, before anybody has approved it", async () => {
    const one = await company("ROUND");
    await one.merge("customer", [
      { account: "A", name: "A" },
      { account: "B", name: "B" },
    ]);
    await one.merge("product", [
      { product: "P", name: "P" },
      { product: "Q", name: "Q" },
    ]);
    await one.merge("price-rule", [fixed("P", "P", "10.00"), fixed("Q", "Q", "3.00")]);
    const at = { product: "P", quantity: "3", unitPrice: "10.00", net: "30.00" };
    const other = { product: "Q", quantity: "1", unitPrice: "3.00", net: "3.00" };
    await invoice(one, "INV1", "2026-05-20", "A", at, other);
    await one.pricing.publish();
    await one.post();
    const rounds = openRounds({
      store: database.store,
      company: "ROUND",
      timeZone: "Europe/London",
      now: () => Temporal.Instant.from("2026-06-01T09:00:00Z"),
      publishLater: async () => undefined,
    });
    const { id } = await rounds.load({
      name: "October",
      startsAt: Temporal.Instant.from("2026-09-30T23:00:00Z"),
      file: "october.csv",
      fileSha256: "0".repeat(64),
      rules: [{ line: 2, rule: record("price-rule", fixed("P", "P", "11.00")) }],
      who: "a buyer",
    });
    const found = await one.proof.impactOf({ round: id }, { days: 90, most: 10 });
    expect(found).toMatchObject({
      beforeOn: "2026-09-30T23:00:00Z",
      all: { lines: 2, before: "33.00", after: "36.00" },
      changed: { lines: 1, difference: "3.00" },
      unpriced: 0,
    });
    expect(found.effective).toMatchObject({ customers: 2, products: 1, pairs: 2, up: 2 });
  });
});
