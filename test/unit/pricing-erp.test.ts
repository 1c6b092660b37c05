import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { start } from "../../connectors/csv/simulator/index.ts";
import type { Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant, randomOf } from "../../deploy/demo/merchant/index.ts";
import type { QuotationRow } from "../../src/pricing/engine/index.ts";
import {
  calendar,
  compileBook,
  priceLine,
  scaled,
  startEnquiry,
} from "../../src/pricing/engine/index.ts";
import { generic } from "../support/price-table.ts";

const merchant = createMerchant({ customers: 60, products: 240, years: 1, invoiceLines: 300 });

let folder: string;
let erp: Simulator;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tradepost-pricing-"));
  erp = await start(merchant, { folder });
});
afterAll(async () => {
  await erp.close();
  await rm(folder, { recursive: true });
});

const QUANTITIES = ["1", "2.5", "9", "10", "24", "50", "100", "250", "1000", "25000"];
const DATES = [
  "2025-12-31",
  "2026-01-01",
  "2026-03-15",
  "2026-06-01",
  merchant.today,
  "2026-09-30",
];

test("the generic policy charges what the simulated ERP charges, to the penny", () => {
  const quotations = merchant.quotationLines.flatMap((line): QuotationRow[] => {
    const head = merchant.quotations.find(({ quotation }) => quotation === line.quotation);
    return head === undefined ? [] : [{ ...head, ...line }];
  });
  const book = compileBook(generic, {
    ...merchant,
    currency: "GBP",
    timeZone: "Europe/London",
    vat: { STANDARD: "20", REDUCED: "5", ZERO: "0" },
    rules: merchant.priceRules,
    quotations,
  });
  const books = erp.books();
  const random = randomOf(7, "questions");
  const differing: string[] = [];
  const steps = new Set<string>();
  for (let asked = 0; asked < 20_000; asked += 1) {
    const { account } = random.pick(merchant.customers);
    const { product } = random.pick(merchant.products);
    const quantity = random.pick(QUANTITIES);
    const on = random.pick(DATES);
    const enquiry = startEnquiry(book, {
      account: book.accounts.numbers.get(account) ?? -1,
      site: -1,
      branch: -1,
      moment: calendar.startOfDay(on, "Europe/London"),
      quotation: -1,
      currency: -1,
      conditions: null,
    });
    const number = book.products.numbers.get(product) ?? -1;
    const found = priceLine(enquiry, number, scaled.scaledOf(quantity, 5) ?? 0);
    steps.add(generic.steps[found.step]?.step ?? "none");
    const { price, net, vat } = found;
    const ours =
      found.doubt ??
      [scaled.textOf(price, 4), scaled.textOf(net, 2), scaled.textOf(vat, 2)].join(" ");
    const theirs = books.priceFor(account, product, quantity, on);
    const expected =
      theirs === null ? "no-price" : [theirs.unitPrice, theirs.net, theirs.vat].join(" ");
    if (ours !== expected)
      differing.push(`${quantity} ${product} for ${account} on ${on}: ${ours}, ERP ${expected}`);
  }
  expect(differing).toEqual([]);
  // Every step that this merchant has rules for gave some of the prices.
  expect([...steps].sort()).toEqual(["Base price", "Net price", "Price or discount", "Promotion"]);
});
