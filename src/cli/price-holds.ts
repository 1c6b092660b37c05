/** `price holds`: price changes of a pull that wait for a person. */
import type { Command } from "commander";
import type { HeldRule, Hold } from "../pricing/index.ts";
import {
  answer,
  example,
  nextLines,
  whoOption,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { writeNamed } from "./files.ts";
import { effectText } from "./price-effect.ts";
import { count, csv, moment, table } from "./print.ts";

export function addHoldCommands(price: Command): void {
  const holds = price
    .command("holds")
    .description("Price changes past pricing.holdAbove, which wait for a person.");
  holds
    .command("list")
    .description("Those that wait.")
    .option("--all", "those that were decided too")
    .addHelpText("after", example("price holds list"))
    .action(async ({ all = false }: { all?: boolean }, command: Command) => {
      await answer(command, (opened) => listed(opened, all));
    });
  holds
    .command("show <hold>")
    .description("Which rules wait, as they count and as the ERP has them.")
    .option("--out <file>", "writes the rules as CSV; as JSON where it ends in .json")
    .addHelpText("after", example("price holds show 0199…"))
    .action(async (id: string, options: { out?: string }, command: Command) => {
      await answer(command, (opened) => shown(opened, id, options.out));
    });
  const deciding = (word: "approve" | "reject", about: string) =>
    holds
      .command(`${word} <hold>`)
      .description(about)
      .addOption(whoOption())
      .addOption(whyOption("change"))
      .addHelpText("after", example(`price holds ${word} 0199… --who "Cy Day" --why "Agreed"`))
      .action(async (id: string, by: Act, command: Command) => {
        await answer(command, async (opened) => {
          await opened.company.holds[word](id, by);
          await opened.tradepost.drain();
          return shown(opened, id);
        });
      });
  deciding("approve", "Lets the change count.");
  deciding("reject", "Keeps the prices of before until the ERP is corrected.");
}

async function listed({ company, global }: Opened, all: boolean): Promise<Answer> {
  const holds = await company.holds.list({ open: !all });
  const { timeZone } = company.settings;
  const [first] = holds;
  const text =
    first === undefined
      ? "No price change waits."
      : [
          table(holds, [
            { head: "hold", of: ({ id }) => id },
            { head: "state", of: ({ state }) => state },
            { head: "since", of: ({ heldAt }) => moment(heldAt, timeZone) },
            { head: "rules", right: true, of: ({ rules }) => count(rules) },
            { head: "customers", right: true, of: ({ effect }) => count(effect.customers) },
            { head: "products", right: true, of: ({ effect }) => count(effect.products) },
            { head: "because", of: ({ about }) => about },
          ]),
          "",
          ...nextLines(global, [`price holds show ${first.id}`]),
        ].join("\n");
  return { text, data: holds };
}

async function shown({ company }: Opened, id: string, out?: string): Promise<Answer> {
  const hold = await company.holds.find(id);
  const rules = await company.holds.rules(id);
  if (out !== undefined) await writeNamed(out, await fileOf(rules, out));
  const { timeZone } = company.settings;
  const waits = hold.state === "open" || hold.state === "rejected";
  const impact = waits ? await company.pricing.effect({ hold: hold.id }) : null;
  const text = holdText(hold, rules, timeZone);
  return {
    text: impact === null ? text : `${text}\n\n${effectText(impact, timeZone)}`,
    data: { ...hold, list: rules, impact },
  };
}

async function fileOf(rules: readonly HeldRule[], out: string): Promise<string> {
  if (out.endsWith(".json")) return `${JSON.stringify(rules, null, 2)}\n`;
  const head = ["rule", "fromQuantity", "customer", "product", "before", "after"];
  const rows = rules.map(({ rule, fromQuantity, customer, product, before, after }) => [
    rule,
    fromQuantity,
    customer,
    product,
    before ?? "",
    after ?? "",
  ]);
  return `${await csv([head, ...rows])}\n`;
}

const MOST = 20;

function holdText(hold: Hold, rules: readonly HeldRule[], timeZone: string): string {
  const { effect } = hold;
  const by =
    hold.decidedBy === null
      ? ""
      : ` by ${hold.decidedBy} on ${moment(hold.decidedAt, timeZone)}: ${hold.why ?? ""}`;
  const lines = [
    `hold      ${hold.id}, ${hold.state}${by}`,
    `since     ${moment(hold.heldAt, timeZone)}, brought by run ${hold.runId}`,
    `because   ${hold.about}`,
    `rules     ${count(hold.rules)}: ${count(effect.up.count)} up (most ${effect.up.largest ?? "–"}%), ${count(effect.down.count)} down (most ${effect.down.largest ?? "–"}%), ${count(effect.new)} new, ${count(effect.gone)} gone`,
    "",
    table(rules.slice(0, MOST), [
      { head: "rule", of: ({ rule }) => rule },
      { head: "from", right: true, of: ({ fromQuantity }) => fromQuantity },
      { head: "for", of: ({ customer, product }) => `${customer}, ${product}` },
      { head: "counts", of: ({ before }) => before ?? "nothing" },
      { head: "ERP", of: ({ after }) => after ?? "has it no more" },
    ]),
  ];
  const left = rules.length - MOST;
  return [...lines, ...(left > 0 ? [`… and ${count(left)} more; --out writes all`] : [])].join(
    "\n",
  );
}
