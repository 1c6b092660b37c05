/** `price of` and `price explain`. */
import type { Command } from "commander";
import type { ExplainedLine, PriceLine } from "../pricing/index.ts";
import { answer, dateOption, EXIT, UsageError, type Answer, type Opened } from "./command.ts";
import { moment, pounds, table } from "./print.ts";

interface PriceOptions {
  readonly on?: string;
  readonly branch?: string;
  readonly site?: string;
}

export function addPriceCommands(program: Command): void {
  const price = program.command("price").description("What a customer pays, and why.");
  const asking = (name: string, about: string) =>
    price
      .command(`${name} <account> <product> [quantity]`)
      .description(about)
      .option("--on <date>", "business date; today when absent", dateOption)
      .option("--branch <branch>", "selling branch; the account's when absent")
      .option("--site <site>", "delivery site; the usual one when absent");
  asking("of", "The price the ERP would charge.").action(
    async (
      account: string,
      product: string,
      quantity: string | undefined,
      options: PriceOptions,
      command: Command,
    ) => {
      await answer(command, async (opened) => {
        const [line] = (await ready(opened)).price(
          request(account, product, quantity ?? "1", options),
        );
        return priceAnswer(line, opened.company.settings.timeZone);
      });
    },
  );
  asking("explain", "Every candidate, why each lost, the arithmetic, and the ERP's rows.").action(
    async (
      account: string,
      product: string,
      quantity: string | undefined,
      options: PriceOptions,
      command: Command,
    ) => {
      await answer(command, async (opened) => {
        const [line] = await (
          await ready(opened)
        ).explain(request(account, product, quantity ?? "1", options));
        return explained(line, opened.company.settings.timeZone);
      });
    },
  );
}

/** Prices as another process has published them, or published here when none has. */
async function ready({ company }: Opened) {
  await company.pricing.refresh();
  if (company.pricing.book() === null) await company.pricing.publish();
  return company.pricing;
}

function request(account: string, product: string, quantity: string, options: PriceOptions) {
  return { account, ...options, lines: [{ product, quantity }] };
}

function priceAnswer(line: PriceLine | undefined, timeZone: string): Answer {
  if (line === undefined) throw new UsageError("Nothing was asked.");
  if (line.state === "problem") return { text: line.detail, data: line, exit: EXIT.failed };
  return { text: priceText(line, timeZone).join("\n"), data: line };
}

function priceText(line: Exclude<PriceLine, { state: "problem" }>, timeZone: string): string[] {
  const until =
    line.validUntil === null
      ? "until further notice"
      : `until ${moment(Temporal.Instant.from(line.validUntil), timeZone)}`;
  const price =
    line.unitPrice === null
      ? `not known (${line.state})`
      : `${line.currency === "GBP" ? "£" : `${line.currency} `}${line.unitPrice} per ${line.pricingUnit}`;
  return [
    `price     ${price}, ${line.state}, ${until}`,
    `line      ${line.quantity} × ${line.product}: ${pounds(line.net, line.currency)} net, ${pounds(line.vat, line.currency)} VAT (${line.vatCode ?? "no code"})`,
    `because   ${line.because}`,
    `book      ${line.bookVersion}, sources as of ${line.freshness === null ? "an unknown moment" : moment(Temporal.Instant.from(line.freshness), timeZone)}`,
  ];
}

function explained(line: ExplainedLine | undefined, timeZone: string): Answer {
  if (line === undefined) throw new UsageError("Nothing was asked.");
  if (line.state === "problem") return { text: line.detail, data: line, exit: EXIT.failed };
  const { explanation } = line;
  const candidates = table(explanation.candidates, [
    { head: "", of: (each) => (each.taken ? "→" : "") },
    { head: "step", of: (each) => each.step },
    { head: "rule", of: (each) => each.rule },
    { head: "for", of: (each) => `${each.whom}, ${each.what}` },
    { head: "price", right: true, of: (each) => each.unitPrice ?? "–" },
    { head: "why", of: (each) => each.why },
    {
      head: "row of the ERP",
      of: (each) => each.rows.map((row) => `${row.origin ?? row.originId}:${row.line}`).join(" "),
    },
  ]);
  const text = [
    explanation.asked,
    "",
    ...priceText(line, timeZone),
    "",
    candidates,
    "",
    ...explanation.arithmetic,
  ].join("\n");
  return { text, data: line };
}
