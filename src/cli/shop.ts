/** What shops are told beside prices, and what keeps a product from being sold. */
import type { Command } from "commander";
import { KINDS, type Incomplete, type Kind } from "../shop/index.ts";
import { answer, chosen, example, EXIT, type Answer, type Opened } from "./command.ts";
import { count, csv, table } from "./print.ts";

export function addShopCommands(program: Command): void {
  const shop = program.command("shop").description("What shops are told beside prices.");
  shop
    .command("incomplete")
    .description("Products on the web that lack what a sale needs, or what a buyer looks for.")
    .option("--stops", "only those that cannot be sold")
    .option("--csv", "print CSV, every product")
    .addHelpText("after", example("shop incomplete --stops"))
    .action(async (options: { stops?: boolean; csv?: boolean }, command: Command) => {
      await answer(command, (opened) => showIncomplete(opened, options));
    });
  shop
    .command("export <kind>")
    .description(`All of ${KINDS.join(", ")} as a shop is told it, as JSON lines.`)
    .addHelpText("after", example("shop export stock > stock.ndjson"))
    .action(async (kind: string, _options: unknown, command: Command) => {
      await answer(command, (opened) => exported(opened, chosen("The kind", KINDS)(kind)));
    });
  shop
    .command("tell")
    .description("Bring the feeds up to date now, and lay the files that the settings want.")
    .addHelpText("after", example("shop tell"))
    .action(async (_options: unknown, command: Command) => {
      await answer(command, async ({ company }) => {
        const { noted, laid } = await company.tellShop();
        const text = [
          `Changed since the feeds were last brought up to date: ${count(noted)}.`,
          ...laid.map(({ file, rows }) => `Laid ${file} with ${count(rows)} rows.`),
        ];
        return { text: text.join("\n"), data: { noted, laid } };
      });
    });
}

const SHOWN = 50;

async function showIncomplete(
  { company }: Opened,
  options: { readonly stops?: boolean; readonly csv?: boolean },
): Promise<Answer> {
  const all = await company.shop.incomplete();
  const stopped = all.filter(({ stops }) => stops.length > 0);
  const found = options.stops === true ? stopped : all;
  if (options.csv === true)
    return {
      text: await csv([
        ["product", "name", "stops", "lacks"],
        ...found.map(({ product, name, stops, lacks }) => [
          product,
          name,
          stops.join("; "),
          lacks.join("; "),
        ]),
      ]),
      data: found,
    };
  const lines = [
    `Products on the web that cannot be sold: ${count(stopped.length)}; others that lack something: ` +
      `${count(all.length - stopped.length)}.`,
  ];
  if (found.length > 0)
    lines.push(
      "",
      table<Incomplete>(found.slice(0, SHOWN), [
        { head: "product", of: (each) => each.product },
        { head: "name", of: (each) => each.name.slice(0, 40) },
        { head: "stops a sale", of: (each) => each.stops.join("; ") || "–" },
        { head: "a buyer looks for", of: (each) => each.lacks.join("; ") || "–" },
      ]),
    );
  if (found.length > SHOWN) lines.push(`… and ${found.length - SHOWN} more; --csv prints all.`);
  return {
    text: lines.join("\n"),
    data: found,
    ...(stopped.length > 0 ? { exit: EXIT.quarantine } : {}),
  };
}

async function exported({ company }: Opened, kind: Kind): Promise<Answer> {
  const bodies: unknown[] = [];
  for (let after: string | undefined; ;) {
    const page = await company.shop.page(kind, { after, limit: 5_000 });
    bodies.push(...page.bodies);
    if (page.next === null) break;
    after = page.next;
  }
  return { text: bodies.map((body) => JSON.stringify(body)).join("\n"), data: bodies };
}
