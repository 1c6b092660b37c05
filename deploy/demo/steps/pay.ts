/** The ledger against the ERP's books, reps' pay under two plans, and one penny followed back. */
import { count, pounds, table } from "../../../src/cli.ts";
import { comparisonLines, statementLines, summaryLines } from "../../../src/incentives/index.ts";
import { field, type Shop } from "../shop.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";

export async function proveSales(story: Story, world: World): Promise<void> {
  story.step("The sales ledger: every channel, equal to the ERP to the penny");
  const { company, erp } = world;
  const { rows } = await company.sales.totals({ by: ["channel"] });
  story.say(
    table(rows, [
      { head: "channel", of: (row) => row.channel ?? "" },
      { head: "lines", right: true, of: (row) => count(row.lines) },
      { head: "net", right: true, of: (row) => pounds(row.net) },
      { head: "VAT", right: true, of: (row) => pounds(row.vat) },
    ]),
  );
  const ours = await company.sales.totals({ by: ["account", "period", "channel"] });
  const key = (row: { account: string | null; period: string | null }, channel: string | null) =>
    `${row.account} ${row.period} ${channel}`;
  const ledger = new Map(ours.rows.map((row) => [key(row, row.channel), row.net]));
  const books = sumBy(erp.books().sales.map((row) => [key(row, row.shows), row.net]));
  const apart = [...new Set([...ledger.keys(), ...books.keys()])]
    .filter((each) => (ledger.get(each) ?? "0.00") !== (books.get(each) ?? "0.00"))
    .map((each) => ({ each, ledger: ledger.get(each), books: books.get(each) }));
  story.holds(
    `${count(books.size)} totals by customer, month and channel equal the ERP's books`,
    apart.slice(0, 3),
    [],
  );
  const { periods, totalsEqual } = await company.sales.reconcile();
  story.holds(
    `${count(periods.length)} control totals of the ERP equal the ledger, net and VAT`,
    [totalsEqual, periods.filter((period) => !period.equal).slice(0, 2)],
    [true, []],
  );
  story.holds("the kept totals equal the ledger added up anew", await company.sales.recheck(), []);
}

function sumBy(rows: readonly (readonly [string, string])[]): Map<string, string> {
  const sums = new Map<string, bigint>();
  for (const [key, net] of rows)
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(net.replace(".", "")));
  return new Map([...sums].map(([key, pence]) => [key, money(pence)]));
}

function money(pence: bigint): string {
  const digits = (pence < 0n ? -pence : pence).toString().padStart(3, "0");
  return `${pence < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

export async function provePay(story: Story, world: World, shop: Shop): Promise<void> {
  const { company, merchant } = world;
  const today = Temporal.PlainDate.from(world.erp.books().today);
  const month = today.toPlainYearMonth().toString();
  story.step(`Reps' pay: ${month} under 6% new and 3% repeat, and against a flat 4%`);
  const run = await story.timed("calculated", () =>
    company.incentives.run({ plan: "new-and-repeat", from: month, to: month }),
  );
  const zone = company.settings.timeZone;
  const summary = await company.incentives.summary({ run: run.run });
  story.say(...summaryLines(summary, zone));
  const bases = summary.holders.map(({ base }) => BigInt(base.replace(".", "")));
  story.holds(
    "reps, house and unassigned add up to the commission base",
    money(bases.reduce((sum, base) => sum + base, 0n)),
    run.base,
  );
  const again = await company.incentives.run({ plan: "new-and-repeat", from: month, to: month });
  story.holds("the same input gives the same run", [again.run, again.hash], [run.run, run.hash]);
  const from = today.subtract({ years: 2 }).toPlainYearMonth().toString();
  const last = Temporal.PlainDate.from(merchant.today).toPlainYearMonth().toString();
  const comparison = await story.timed(`the two plans compared from ${from} to ${last}`, () =>
    company.incentives.compare({ from, to: last, before: "new-and-repeat", after: "flat" }),
  );
  story.say(...comparisonLines(comparison));
  const { business, reps } = comparison;
  const sum = (name: "before" | "after") =>
    money(reps.reduce((total, rep) => total + BigInt(rep[name].replace(".", "")), 0n));
  story.holds(
    "the business pays what the reps get, under either plan",
    [business.before, business.after],
    [sum("before"), sum("after")],
  );
  const answer = await shop.get(
    `/v1/pay/compare?plan=new-and-repeat&against=flat&from=${from}&to=${last}`,
  );
  story.holds("the API says the same", answer.status, 200);
}

/**
 * From a line of a statement that a web order earned, back to the row of the ERP's file; answers
 * what it met on the way.
 */
export async function followPenny(
  story: Story,
  world: World,
  orders: readonly string[],
): Promise<readonly string[]> {
  story.step("One penny, from a rep's statement back to the row of the file");
  const { company } = world;
  const [run] = await company.incentives.runs({ plan: "new-and-repeat", limit: 1 });
  if (run === undefined) throw new Error("no pay run was kept");
  const earned = await world.tradepost.store.query<{ id: string }>(
    `select id from sales_posting where company = $1 and web_order = any($2)`,
    [company.code, orders],
  );
  const postings = new Set(earned.map(({ id }) => id));
  const { holders } = await company.incentives.summary({ run: run.run });
  for (const { rep } of holders) {
    if (rep === null) continue;
    const statement = await company.incentives.statement({ rep, of: { run: run.run } });
    const line = statement.lines.find(
      (each) => postings.has(each.posting) && each.documentType === "invoice",
    );
    if (line === undefined) continue;
    const zone = company.settings.timeZone;
    story.say(...statementLines({ ...statement, lines: [line] }, zone), "");
    const trace = await company.incentives.trace(line.id);
    const posting = trace.sale?.posting;
    const raw =
      posting === undefined ? null : await company.originalOf(posting.originId, posting.originLine);
    const order = await company.orders.show(posting?.webOrder ?? "");
    story.say(
      `statement   ${line.id}: ${line.sentence}`,
      `invoice     ${line.document} line ${line.line}, ${pounds(line.net)} net; channel web: ${posting?.channelEvidence ?? ""}`,
      `web order   ${order.number}, ERP order ${order.erpOrder ?? ""}; price agreed because: ${String(field(order.lines, 0, "price", "because"))}`,
      `file        ${trace.sale?.origin?.name ?? ""} line ${posting?.originLine ?? ""}`,
      `row         ${raw ?? "(gone)"}`,
    );
    story.holds(
      "the row of the file names that invoice, its line and its net",
      [line.document, String(line.line), line.net].map((text) => raw?.includes(text)),
      [true, true, true],
    );
    const file = trace.sale?.origin?.name ?? "";
    const invoiceLine = `${line.document}/${line.line}`;
    return [
      rep,
      line.id,
      invoiceLine,
      order.number,
      `${file} line ${posting?.originLine}`,
      raw ?? "",
    ];
  }
  story.holds("a rep earns on a web order", "none does", "one does");
  return [];
}
