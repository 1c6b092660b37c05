/** Every line that the ERP charged, against our price of it: who typed what, and what is ours. */
import { count, pounds, table } from "../../../src/cli.ts";
import { reasonWords } from "../../../src/parity/index.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";

export async function proveParity(story: Story, world: World): Promise<void> {
  story.step("Parity: what the ERP charged on every channel, against our price of each line");
  const { company, erp } = world;
  await story.timed("lines of the last days priced again", () => company.proof.check());
  const { rows, all, reasons } = await company.proof.parity({ by: "channel" });
  story.say(
    table(rows, [
      { head: "channel", of: (row) => row.of },
      { head: "lines", right: true, of: (row) => count(row.lines) },
      { head: "to the penny", right: true, of: (row) => count(row.matched) },
      { head: "explained", right: true, of: (row) => count(row.explained) },
      { head: "mismatch", right: true, of: (row) => count(row.mismatched) },
      { head: "no price", right: true, of: (row) => count(row.unpriced) },
      { head: "match", right: true, of: (row) => (row.percent === null ? "–" : `${row.percent}%`) },
    ]),
    "",
    table(reasons, [
      { head: "state", of: (each) => each.state },
      { head: "why", of: (each) => reasonWords(each.state, each.reason) },
      { head: "lines", right: true, of: (each) => count(each.lines) },
      { head: "charged less ours", right: true, of: (each) => pounds(each.difference) },
    ]),
  );
  const books = erp.books();
  story.holds(
    `all ${count(books.lines)} lines that the ERP charged are counted once`,
    [all.lines, all.matched + all.explained + all.mismatched + all.unpriced],
    [books.lines, books.lines],
  );
  story.holds("no price is charged that has no reason", all.mismatched, 0);
  await typedByHand(story, world);
  const web = await company.proof.lines({ channel: "web", state: "explained", limit: 10_000 });
  story.holds(
    "nobody typed anything in the web shop",
    web.filter(({ reason }) => reason === "discount" || reason === "typed-price"),
    [],
  );
  story.holds("the kept counts equal the lines added up anew", await company.proof.recheck(), []);
  await certified(story, world);
}

async function typedByHand(story: Story, { company, erp }: World): Promise<void> {
  const found = await company.proof.lines({ reason: "typed-price", limit: 100_000 });
  const planted = erp.books().typedPrices;
  const [example] = found;
  if (example !== undefined)
    story.say(
      `${example.document}/${example.line}: charged ${pounds(example.chargedNet)}, ours ${pounds(example.net)}; ` +
        `${example.evidence} (ours: ${example.because})`,
    );
  const names = new Set(found.map(({ document, line }) => `${document}/${line}`));
  story.holds(
    `the ${count(planted.length)} prices typed by hand are found, and no other line is taken for one`,
    [
      planted.filter((line) => !names.has(line)).slice(0, 5),
      [...names].filter((line) => !planted.includes(line)).slice(0, 5),
    ],
    [[], []],
  );
}

async function certified(story: Story, { company }: World): Promise<void> {
  const to = company.proof.today();
  const from = Temporal.PlainDate.from(to).subtract({ years: 1 }).toString();
  const certificate = await story.timed("the policy tried, with each of its switches", () =>
    company.proof.certify({ lines: 1_000, seed: 1, from, to }),
  );
  story.say(`${certificate.verdict}: ${certificate.because}`);
  story.holds(
    "the policy is certified, and no other setting of it fits better",
    [certificate.verdict, certificate.best],
    ["certified", []],
  );
}
