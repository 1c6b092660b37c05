/** Parity, certificates and impact as a person types them. */
import { beforeAll, describe, expect, it } from "vitest";
import { useTradepost } from "../support/tradepost.ts";

const tradepost = useTradepost();

beforeAll(async () => {
  await tradepost.run(["sync"]);
});

interface ParityAnswer {
  readonly all: { readonly lines: number; readonly matched: number; readonly mismatched: number };
  readonly rows: readonly { readonly of: string }[];
}

describe("price parity", () => {
  it("prints a table that lines up, with a bar, the reasons, and where it leads", async () => {
    const { out, exit } = await tradepost.run(["price", "parity", "--by", "month"]);
    const [head = "", rule = "", first = ""] = out.split("\n");
    expect(exit).toBe(0);
    expect(head.split(/ {2,}/)).toEqual(
      expect.arrayContaining(["month", "lines", "to the penny", "explained", "mismatch"]),
    );
    expect(rule).toMatch(/^─+( {2}─+)+$/);
    expect(first).toMatch(/^\d{4}-\d{2} .*%.*█/);
    expect(out).toMatch(/explained +discount typed on the line +\d+ +£[\d,.]+ +-£[\d,.]+/);
    expect(out).toMatch(/^next +npm run -s tradepost -- .*price parity --lines/m);
  });

  it("gives the same as JSON and CSV", async () => {
    const answer = await tradepost.json<ParityAnswer>("price", "parity", "--by", "kind");
    const { out } = await tradepost.run(["price", "parity", "--by", "kind", "--csv"]);
    expect(out.trim().split("\n")).toHaveLength(answer.rows.length + 1);
    expect(answer.all.matched).toBeGreaterThan(answer.all.lines / 2);
    expect(answer.all.mismatched).toBeLessThan(answer.all.lines / 100);
  });

  it("shows lines with what they were charged, our price, and why they differ", async () => {
    const { out } = await tradepost.run([
      "price",
      "parity",
      "--reason",
      "discount",
      "--limit",
      "3",
    ]);
    expect(out).toMatch(
      /^INV\d+\/\d+ +\d{2}\/\d{2}\/\d{4} .*explained +discount typed on the line: /m,
    );
    const none = await tradepost.run(["price", "parity", "--document", "INV0"]);
    expect(none.out).toBe("No such line.\n");
  });
});

describe("price parity --as-known", () => {
  it("says that nobody knew the prices of days before the first book", async () => {
    const { out, exit } = await tradepost.run([
      "price",
      "parity",
      "--as-known",
      "--from",
      "01/06/2026",
    ]);
    expect(exit).toBe(0);
    expect(out).toMatch(
      /^[\d,]+ of [\d,]+ lines cannot be told: prices are known since \d{2}\/\d{2}\/\d{4} \d{2}:\d{2}, and nobody knew or kept what held before\.$/m,
    );
  });
});

describe("price certify", () => {
  it("ends with a verdict, is listed, signed once, and printed again", async () => {
    const words = ["price", "certify", "--lines", "80", "--from", "01/07/2023"];
    const made = await tradepost.run([...words, "--to", "30/06/2026"]);
    const id = /certificate ([0-9a-f-]{36})/.exec(made.out)?.[1] ?? "";
    expect(made.out).toMatch(/^Verdict: (CERTIFIED|DOUBTFUL)$/m);
    expect(made.exit).toBe(made.out.includes("Verdict: CERTIFIED") ? 0 : 4);
    const nameless = await tradepost.run(["price", "certify", "--sign", id]);
    expect([nameless.exit, nameless.err]).toEqual([
      2,
      "Signing needs --who and --why; both are kept with the certificate.\n",
    ]);
    const who = ["--who", "F. Controller", "--why", "agreed with the auditor"];
    const signed = await tradepost.run(["price", "certify", "--sign", id, ...who]);
    expect(signed.out).toMatch(
      /^Signed by F\. Controller on \d{2}\/\d{2}\/\d{4} \d{2}:\d{2}: agreed/m,
    );
    const again = tradepost.run(["price", "certify", "--sign", id, ...who]);
    const list = tradepost.run(["price", "certify", "--list"]);
    const shown = tradepost.run(["price", "certify", "--show", id]);
    expect(await again).toMatchObject({
      exit: 1,
      err: `The certificate ${id} is signed already, by F. Controller.\n`,
    });
    expect((await list).out).toContain("F. Controller");
    expect((await shown).out).toContain(id);
  });

  it("says so where the ERP cannot be asked for its prices", async () => {
    const { exit, err } = await tradepost.run(["price", "certify", "--enquire"]);
    expect([exit, err]).toEqual([
      1,
      "The connection erp cannot be asked for prices. Leave --enquire out: then documents are the proof.\n",
    ]);
  });
});

describe("price impact", () => {
  it("compares the prices of two days on the sales before", async () => {
    const days = ["--from", "30/06/2026", "--to", "01/10/2026", "--days", "1000"];
    const { out, exit } = await tradepost.run(["price", "impact", ...days]);
    expect(exit).toBe(0);
    expect(out).toMatch(/^Prices of 30\/06\/2026 against those of 01\/10\/2026/);
    expect(out).toMatch(/^all lines +\d+ +£[\d,.]+ +£[\d,.]+ +-?£[\d,.]+ +-?[\d.]+%$/m);
    const without = await tradepost.run(["price", "impact"]);
    expect([without.exit, without.err]).toEqual([
      2,
      "Give --to, the day whose prices are compared with those of --from, or --round, or --held.\n",
    ]);
  });
});
