/** The first pull, with planted faults, and prices against what the ERP would charge. */
import { ALL_FAULTS, type PlantedFault } from "../../../connectors/csv/simulator/index.ts";
import { count, day, syncAnswer, table } from "../../../src/cli.ts";
import { randomOf } from "../merchant/index.ts";
import { field, type Shop } from "../shop.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";

export { ALL_FAULTS };

export function introduce(story: Story, { merchant, erp }: World): void {
  const books = erp.books();
  story.step(`${merchant.name}, and its ERP`);
  story.say(
    `${count(merchant.customers.length)} customers, ${count(merchant.products.length)} products, ` +
      `${count(merchant.priceRules.length)} price rules, ${merchant.reps.length} reps, seed ${merchant.seed}`,
    `${count(books.documents)} invoices and credit notes with ${count(books.lines)} lines from ` +
      `${day(merchant.opensOn)} to ${day(merchant.today)}`,
    `The ERP has written its export files, and these faults into them:`,
  );
  story.say(faultTable(books.faults));
}

function faultTable(faults: readonly PlantedFault[]): string {
  return table(faults, [
    { head: "file", of: (fault) => fault.file },
    { head: "line", right: true, of: (fault) => fault.lines.join(" ") },
    { head: "what is wrong", of: (fault) => fault.what },
    { head: "must be", of: (fault) => fault.leadsTo },
  ]);
}

export async function firstPull(story: Story, world: World): Promise<void> {
  story.step("The first pull: export files become canonical records");
  const { company, tradepost, erp, merchant } = world;
  const results = await story.timed("read, mapped, staged and published", () =>
    company.sync("erp", {}),
  );
  story.say(syncAnswer(results).text);
  await story.timed("price book published", () => company.pricing.publish());
  await story.timed("sales posted", () => company.sales.post());
  await story.timed("every line that the ERP charged priced again, and the rest of the jobs", () =>
    tradepost.drain(),
  );
  story.holds("no job failed", await tradepost.jobs.failures(), []);
  const sums = results.map(
    ({ rows }) => rows.read - rows.mapped - rows.ignored - rows.repeated - rows.quarantined,
  );
  story.holds(
    "every row read is mapped, ignored, repeated or in quarantine",
    new Set(sums),
    new Set([0]),
  );
  await planted(story, world, "quarantined");
  const names = await tradepost.store.query<{ product: string; name: string }>(
    `select product, name from product where company = $1 order by product collate "C"`,
    [company.code],
  );
  story.holds(
    "every product's name is right, though their file came in Windows-1252",
    names,
    merchant.products
      .map(({ product, name }) => ({ product, name }))
      .sort((left, right) => (left.product < right.product ? -1 : 1)),
  );
  story.holds("the ERP still runs", erp.books().today, merchant.today);
}

/** Exactly what was spoiled waits in quarantine, at the line it stands on. */
export async function planted(
  story: Story,
  { company, erp }: World,
  leadsTo: PlantedFault["leadsTo"],
): Promise<void> {
  const faults = erp
    .books()
    .faults.filter((fault) => fault.leadsTo === leadsTo && fault.healedBy === null)
    .flatMap((fault) => fault.lines.map((line) => `${fault.file}:${line}`));
  const items = await company.desk.list({ limit: 1_000 });
  story.say(
    table(items, [
      { head: "in quarantine", of: (item) => `${item.originName}:${item.line}` },
      { head: "field", of: (item) => item.problems[0]?.field ?? "" },
      { head: "found", of: (item) => item.problems[0]?.found.slice(0, 50) ?? "" },
      { head: "expected", of: (item) => item.problems[0]?.expected.slice(0, 60) ?? "" },
    ]),
  );
  story.holds(
    `in quarantine are the ${count(faults.length)} spoiled rows and no other`,
    items.map((item) => `${item.originName}:${item.line}`).sort(),
    faults.sort(),
  );
}

/** Samples accounts, products, quantities and dates, and asks both sides. */
export async function provePrices(story: Story, world: World, shop: Shop): Promise<void> {
  story.step("Prices: what the shop is told against what the ERP would charge");
  const { company, erp, merchant } = world;
  const book = company.pricing.book();
  story.say(
    `price book ${book?.version ?? "none"}: ${count(book?.rules ?? 0)} rules in ${((book?.bytes ?? 0) / 1024 / 1024).toFixed(1)} MB`,
  );
  const random = randomOf(merchant.seed, "price samples");
  const days = [0, 45, 200].map((ahead) =>
    Temporal.PlainDate.from(merchant.today).add({ days: ahead }).toString(),
  );
  const books = erp.books();
  const differing: unknown[] = [];
  let asked = 0;
  for (let turn = 0; turn < 60; turn += 1) {
    const { account } = random.pick(merchant.customers);
    const on = random.pick(days);
    const lines = Array.from({ length: 50 }, () => ({
      product: random.pick(merchant.products).product,
      quantity: String(random.pick([1, 5, 12, 100, 1200])),
    }));
    const { body } = await shop.post("/v1/prices", { account, asOf: on, lines });
    lines.forEach(({ product, quantity }, index) => {
      asked += 1;
      const ours = {
        unitPrice: plain(field(body, "lines", index, "unitPrice")),
        net: field(body, "lines", index, "net") ?? null,
      };
      const answer = books.priceFor(account, product, quantity, on);
      const theirs = { unitPrice: plain(answer?.unitPrice), net: answer?.net ?? null };
      if (ours.unitPrice !== theirs.unitPrice || ours.net !== theirs.net)
        differing.push({ account, product, quantity, on, ours, theirs, rule: answer?.rule });
    });
  }
  story.holds(`${count(asked)} prices over HTTP equal the ERP's own`, differing.slice(0, 3), []);
}

/** The same value in one form: 12.5000 and 12.5 are one price. */
function plain(text: unknown): string | null {
  if (typeof text !== "string") return null;
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
