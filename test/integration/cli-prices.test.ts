/** `price of`, `price explain` and `price list` as a person types them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { useTradepost } from "../support/tradepost.ts";

const tradepost = useTradepost();
let account = "";
let product = "";

interface Row {
  readonly product: string;
  readonly fromQuantity: string;
  readonly unitPrice: string | null;
  readonly state: string;
}

interface List {
  readonly bookVersion: string;
  readonly rows: readonly Row[];
}

beforeAll(async () => {
  await tradepost.run(["sync"]);
  account = tradepost.merchant.customers[0]?.account ?? "";
  const { rows } = await tradepost.json<List>("price", "list", account);
  product = rows.find(({ unitPrice }) => unitPrice !== null)?.product ?? "";
}, 60_000);

test("a price list is a table, JSON or CSV with the same rows", async () => {
  const { rows } = await tradepost.json<List>("price", "list", account);
  expect(rows.length).toBeGreaterThan(20);
  const csv = await tradepost.run(["price", "list", account, "--csv"]);
  const [head, ...lines] = csv.out.trimEnd().split("\n");
  expect(head).toMatch(/^product,fromQuantity,/);
  expect(lines.map((line) => line.split(",").slice(0, 2).join())).toEqual(
    rows.map((row) => `${row.product},${row.fromQuantity}`),
  );
  const table = await tradepost.run(["price", "list", account]);
  expect(table.out.trimEnd().split("\n")).toHaveLength(rows.length + 2);
  expect(table.out).toMatch(/£\d/);
});

test("a price is asked for a moment, a unit and conditions, and a wrong word is told", async () => {
  const asked = ["price", "of", account, product, "5"];
  const now = await tradepost.json<{ unitPrice: string }>(...asked);
  const same = await tradepost.json<{ unitPrice: string }>(...asked, "--when", "delivery=collect");
  expect(same.unitPrice).toBe(now.unitPrice);
  const before = await tradepost.run([...asked, "--as-of", "01/01/1990"]);
  expect([before.exit, before.out]).toEqual([0, expect.stringContaining("because")]);
  const wrong = await tradepost.run([...asked, "--when", "collect"]);
  expect([wrong.exit, wrong.err]).toEqual([
    2,
    expect.stringContaining('"collect" is no condition. Write delivery=collect.'),
  ]);
  const unit = await tradepost.run([...asked, "--unit", "FATHOM"]);
  expect(unit.err).toContain('no product is sold or priced in the unit "FATHOM"');
});

test("an explanation is no wider than a page, and names a row of a file for everything", async () => {
  const { out, exit } = await tradepost.run(["price", "explain", account, product, "5"]);
  expect(exit).toBe(0);
  const lines = out.trimEnd().split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(118);
  const looked = lines.slice(lines.findIndex((line) => line.startsWith("What was looked at")));
  expect(looked.filter((line) => line.startsWith("→ "))).toHaveLength(1);
  expect(looked.join("\n")).toMatch(/gives the price\n.* price-rules-\d{8}-\d{4}\.csv:\d+/);
  expect(out).toMatch(/^state {5}modelled: The price that the policy works out/m);
  expect(out).not.toMatch(/\d{4}-\d{2}-\d{2}/);
});

test("what was known before the first sync is that there was no such account", async () => {
  const asked = ["price", "explain", account, product, "--known-at", "2020-01-01T00:00:00Z"];
  const { exit, err } = await tradepost.run(asked);
  expect([exit, err]).toEqual([1, expect.stringContaining(`there is no account "${account}"`)]);
});

test("a basket is asked for a moment, for what is so besides, and by unit", async () => {
  const basket = ["price", "basket", account];
  const far = await tradepost.json<{ lines: { state: string; code?: string }[] }>(
    ...basket,
    "--line",
    `${product}=1@NOSUCHUNIT`,
    "--line",
    `${product}=1`,
    "--when",
    "delivery=collect",
    "--as-of",
    "2026-07-20T08:00:00Z",
  );
  expect(far.lines[0]).toMatchObject({ state: "problem", code: "unknown-unit" });
  expect(far.lines[1]?.state).not.toBe("problem");
  const wrong = await tradepost.run([...basket, "--line", `${product}=1@`]);
  expect([wrong.exit, wrong.err]).toEqual([2, expect.stringContaining("product=quantity@unit")]);
  const when = await tradepost.run([...basket, "--line", `${product}=1`, "--when", "collect"]);
  expect([when.exit, when.err]).toEqual([2, expect.stringContaining("Write delivery=collect")]);
});

test("a basket is added up, and beside it as other systems would", async () => {
  interface Amounts {
    readonly net: string;
    readonly gross: string;
  }
  const words = ["price", "basket", account, "--line", `${product}=3`, "--charge", "CARR=12.50"];
  const basket = await tradepost.json<{
    lines: { net: string }[];
    totals: Amounts;
    twins: (Amounts & { system: string; difference: Amounts })[];
  }>(...words, "--twin");
  const pence = (text: string) => Math.round(Number(text) * 100);
  expect(pence(basket.totals.net)).toBe(pence(basket.lines[0]?.net ?? "") + 1250);
  expect(basket.twins.map(({ system }) => system)).toContain("sage-200");
  for (const twin of basket.twins)
    expect(pence(twin.gross) + pence(twin.difference.gross)).toBe(pence(basket.totals.gross));
  const { out } = await tradepost.run([...words, "--twin"]);
  expect(out).toMatch(/^VAT at 20% +£/m);
  expect(out).toMatch(/^total +£/m);
  expect(out).toMatch(/^sage-200 +£/m);
  // Three amounts of the system, then the three that reconcile them with ours.
  expect(out).toMatch(/^sage-200( +-?£[\d,.]+){6}$/m);
});

test("an order is tried from a file, and what would be answered is said with every reason", async () => {
  const { customers, products } = tradepost.merchant;
  const buyer = customers.find((one) => one.state === "active" && !one.onStop && !one.cashAccount);
  const goods = products.find((one) => one.state === "active" && one.replacedBy === null);
  const file = join(tradepost.folder, "order.json");
  const check = async (order: object) => {
    await writeFile(file, JSON.stringify({ account: buyer?.account, ...order }));
    return tradepost.run(["orders", "check", file]);
  };
  const line = { product: goods?.product, quantity: "1000", unitPrice: "0.01" };
  const { exit, out } = await check({ lines: [line] });
  expect(exit).toBe(0);
  expect(out).toMatch(/^line {2}product .*free +short +there on$/m);
  expect(out).toContain("It would be refused (422).");
  expect(out).toMatch(/^ {2}refuse: line 1: The order says £0\.01 for .*our price now is £/m);
  const wrong = await check({ lines: [] });
  expect([wrong.exit, wrong.err]).toEqual([2, expect.stringContaining("  lines: ")]);
});
