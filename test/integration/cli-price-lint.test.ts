import { expect, test } from "vitest";
import { useTradepost } from "../support/tradepost.ts";

const tradepost = useTradepost();

interface Lint {
  readonly errors: number;
  readonly kinds: readonly { readonly kind: string; readonly count: number }[];
}

test("price policy shows the steps, and the switches of another policy with their choices", async () => {
  const own = await tradepost.run(["price", "policy"]);
  expect(own.out).toContain("policy    generic");
  const other = await tradepost.run(["price", "policy", "sage-50"]);
  expect(other.out).toContain("policy    sage-50 (not the one in force here)");
  expect(other.out).toContain("discountByUnitPrice: no (default)");
  expect(other.out).toContain("yes: The net unit price is rounded to 2 places first");
  const wrong = await tradepost.run(["price", "policy", "sage50"]);
  expect(wrong).toMatchObject({ exit: 2, err: expect.stringContaining("Did you mean sage-50?") });
});

test("price lint counts what it finds, writes all of it as CSV, and its exit code is for builds", async () => {
  // Without products and their groups every price of one is an orphan.
  await tradepost.run(["sync", "customers", "price-rules"]);
  const found = await tradepost.json<Lint>("price", "lint");
  expect(found.errors).toBeGreaterThan(0);
  const csv = await tradepost.run(["price", "lint", "--csv", "--fail-on", "never"]);
  expect(csv.exit).toBe(0);
  const [head, ...rows] = csv.out.trimEnd().split("\n");
  expect(head).toBe("kind,severity,record,row,what,instruction,origin,originId,line");
  const counted = found.kinds.reduce((sum, { count }) => sum + count, 0);
  expect(rows.length).toBe(counted);
  expect(rows[0]).toMatch(/^orphan,error,price-rule,.*,price-rules-.*\.csv,/);
  const { exit, out } = await tradepost.run(["price", "lint"]);
  expect(exit).toBe(1);
  expect(out).toContain("Correct the code in the ERP, or pull the product groups.");
});

test("a switch or a choice that the policy does not have is refused with the nearest one", async () => {
  const settings = (pricing: string) =>
    tradepost.settings(
      "switches.yaml",
      `companies:
  T:
    name: Test
    connections: { erp: { connector: csv, mappings: tradepost-csv, settings: { folder: erp } } }
    pricing: ${pricing}
`,
    );
  const check = async (pricing: string) => {
    const { out, err, exit } = await tradepost.run(["check", "--settings", settings(pricing)]);
    return { said: out + err, exit };
  };
  const named = await check("{ policy: sage-50, switches: { discountByUnitPrise: 'yes' } }");
  expect(named.said).toContain('found the switch "discountByUnitPrise"');
  expect(named.said).toContain('nearest match "discountByUnitPrice"');
  expect(named.exit).toBe(2);
  const chosen = await check("{ policy: sage-50, switches: { customerDiscount: adds } }");
  expect(chosen.said).toContain('found "adds", expected one of add, sequential, larger');
  const fine = await check("{ policy: sage-50, switches: { customerDiscount: larger } }");
  expect(fine.said).toContain("policy sage-50, customerDiscount: larger");
  expect(fine.said).toContain("21 examples hold");
});
