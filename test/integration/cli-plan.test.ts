/** `plan`, `apply`, `replay` and `drift` as a person has them. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { useTradepost } from "../support/tradepost.ts";

const tradepost = useTradepost();
const written = () => join(tradepost.folder, "plan.json");

/** Lines of the price rules that were read last. */
function rules(): readonly string[] {
  const folder = join(tradepost.folder, "erp", "archive", "price-rules");
  const name = readdirSync(folder, { recursive: true })
    .map(String)
    .findLast((each) => each.endsWith(".csv"));
  return readFileSync(join(folder, name ?? ""), "utf8")
    .trimEnd()
    .split(/\r?\n/);
}

/** What the ERP exports next. */
function exportNext(name: string, lines: readonly string[]): void {
  writeFileSync(join(tradepost.folder, "erp", "out", name), `${lines.join("\r\n")}\r\n`);
}

beforeAll(async () => {
  await tradepost.run(["sync"]);
});

describe("plan and apply", () => {
  it("show what would change and what it does to prices; then do exactly that, once", async () => {
    const [header = "", first = "", second = "", ...others] = rules();
    expect(second).toContain("STD/TIMCLS000001,everyone,,product,TIMCLS000001,fixed,3.13,");
    const dearer = second.replace(",3.13,", ",3.443,");
    exportNext("price-rules-9999.csv", [header, dearer, ...others]);
    const planned = await tradepost.run(["plan", "price-rules", "--out", written()]);
    expect(planned.exit).toBe(3);
    expect(planned.out).toContain("price-rules: planned, from price-rules-9999.csv");
    expect(planned.out).toContain("~ STD/TIMCLS000001 / 0: value £3.13 → £3.443");
    expect(planned.out).toMatch(/STD\/TIMCLS000001 .* fixed +£3\.13 +£3\.443 +10\.00%/);
    expect(planned.out).toContain(`− ${first.split(",")[0]} / 0`);
    expect(planned.out).toContain(
      "Prices: 1 up (by 10.00% to 10.00%, half of them by 10.00% or less), 0 down, 0 new, 1 gone, " +
        "0 changed otherwise; for 30 customers and 1 product.",
    );
    expect(planned.out).toMatch(/Written to .*plan\.json; good until \d\d\/\d\d\/\d{4} \d\d:\d\d/);
    expect(planned.out).toContain(`apply ${written()}`);
    const applied = await tradepost.run(["apply", written()]);
    expect(applied.out).toMatch(/price-rules +published +451 /);
    const again = await tradepost.run(["apply", written()]);
    expect(again).toMatchObject({
      exit: 1,
      err: "Applying the plan: price-rules: it was applied already. Nothing was changed.\n",
    });
  });

  it("say in one sentence that nothing waits", async () => {
    const { exit, out } = await tradepost.run(["plan", "customers", "products"]);
    expect({ exit, out }).toEqual({
      exit: 0,
      out: "Nothing waits at erp: none of 2 streams has new content.\n",
    });
  });

  it("tell a file that is no plan, and one that is not there", async () => {
    writeFileSync(written(), "{}");
    const wrong = await tradepost.run(["apply", written()]);
    expect(wrong).toMatchObject({ exit: 2, err: expect.stringContaining("is no plan") });
    expect((await tradepost.run(["apply", "nowhere.json"])).err).toContain("cannot be read");
  });
});

describe("replay and drift", () => {
  it("show that nothing would change while the mapping is the same", async () => {
    const { out } = await tradepost.run(["replay", "customers"]);
    expect(out).toContain("Mapped anew from what is kept of 1 origin.");
    expect(out).toMatch(/customer +31 +1 +0 +0 +30 +0 +30/);
    const applied = await tradepost.run(["replay", "customers", "--apply"]);
    expect(applied.out).toMatch(/customers +published +31 /);
    // A row of it is bad; of the price lists none is.
    expect(applied.exit).toBe(3);
    expect(await tradepost.run(["replay", "price-lists", "--apply"])).toMatchObject({ exit: 0 });
  });

  it("tell which columns wait, and accept them", async () => {
    const lines = rules().map((line) => line.slice(0, line.lastIndexOf(",")));
    exportNext("price-rules-99999.csv", lines);
    const stopped = await tradepost.run(["sync", "price-rules"]);
    expect(stopped).toMatchObject({ exit: 1 });
    const { out } = await tradepost.run(["drift"]);
    expect(out).toMatch(/price-rules .* price-rules-99999\.csv: "contractQuantity" is missing/);
    const unnamed = await tradepost.run(["drift", "accept", "price-rules"]);
    expect(unnamed).toMatchObject({ exit: 2, err: expect.stringContaining("--who") });
    const decision = ["--who", "J Ross", "--why", "a new export"];
    const accepted = await tradepost.run(["drift", "accept", "price-rules", ...decision]);
    expect(accepted.out).toBe(
      'Accepted for erp/price-rules by J Ross: "contractQuantity" is missing. ' +
        "Have price-rules-99999.csv read again.\n",
    );
    expect((await tradepost.run(["drift"])).out).toMatch(
      /price-rules .* "contractQuantity" is missing: by J Ross on \d\d\/\d\d\/\d{4} \d\d:\d\d, since a new export$/m,
    );
    expect((await tradepost.run(["sync", "price-rules"])).out).toContain("published");
    const none = await tradepost.run(["drift", "accept", "price-rules", "--who", "J Ross"]);
    expect(none.out).toContain("No changed columns of erp/price-rules wait.");
  });
});
