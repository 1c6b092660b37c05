/** `price of`, `price explain` and `price basket`. */
import type { Command } from "commander";
import type { ExplainedLine, PriceLine } from "../pricing/index.ts";
import { answer, example, NotFound, type Answer, type Opened } from "./command.ts";
import { addAskingOptions, askerOf, asOf } from "./price-asking.ts";
import type { AskingOptions } from "./price-asking.ts";
import { answerLines, explainedLines, placeOf } from "./price-explain.ts";
import { addPriceListCommand } from "./price-list.ts";
import { addCertifyCommand } from "./price-certify.ts";
import { addHoldCommands } from "./price-holds.ts";
import { addRoundCommands } from "./price-rounds.ts";
import { addImpactCommand } from "./price-impact.ts";
import { addLintCommand } from "./price-lint.ts";
import { addParityCommand } from "./price-parity.ts";
import { addPolicyCommand } from "./price-policy.ts";
import { addBasketCommand } from "./price-basket.ts";
import { moment } from "./print.ts";

interface PriceOptions extends AskingOptions {
  readonly unit?: string;
}

export function addPriceCommands(program: Command): void {
  const price = program.command("price").description("What a customer pays, and why.");
  const asking = (name: string, about: string) =>
    addAskingOptions(price.command(`${name} <account> <product> [quantity]`).description(about))
      .option("--known-at <moment>", "what would have been said at that moment", asOf)
      .option("--unit <unit>", "unit that the quantity counts; the selling unit when absent")
      .addHelpText("after", example(`price ${name} ANDR0001 DRYPLS220039 5 --on 31/07/2026`));
  addLintCommand(price);
  addRoundCommands(price);
  addHoldCommands(price);
  addPolicyCommand(price);
  asking("of", "The price the ERP would charge.").action(
    async (
      account: string,
      product: string,
      quantity: string | undefined,
      options: PriceOptions,
      command: Command,
    ) => {
      await answer(command, async (opened) => {
        const pricing = await ready(opened);
        const asked = request(account, product, quantity ?? "1", options);
        const then = knownMoment(opened, options);
        const line = known(then === null ? pricing.price(asked) : await pricing.known(asked, then));
        return { text: (await priceText(opened, line, then)).join("\n"), data: line };
      });
    },
  );
  asking("explain", "Every candidate, why each lost, the arithmetic, and the ERP's rows.")
    .option("--original", "those rows as the ERP wrote them, from where the files are kept")
    .action(
      async (
        account: string,
        product: string,
        quantity: string | undefined,
        { original = false, ...options }: PriceOptions & { original?: boolean },
        command: Command,
      ) => {
        await answer(command, async (opened) => {
          const pricing = await ready(opened);
          const asked = request(account, product, quantity ?? "1", options);
          const then = knownMoment(opened, options);
          const lines = await (then === null
            ? pricing.explain(asked)
            : pricing.explainKnown(asked, then));
          return explained(opened, known(lines), { original, knownAt: then });
        });
      },
    );
  addPriceListCommand(price, ready);
  addParityCommand(price);
  addCertifyCommand(price);
  addImpactCommand(price);
  addBasketCommand(price, ready);
}

/** Prices as another process has published them, or published here when none has. */
async function ready({ company }: Opened) {
  await company.pricing.refresh();
  if (company.pricing.book() === null) await company.pricing.publish();
  return company.pricing;
}

function request(account: string, product: string, quantity: string, options: PriceOptions) {
  const { unit = null } = options;
  return { ...askerOf(account, options), lines: [{ product, quantity, unit }] };
}

/** A date means all that was known when it began. */
function knownMoment({ company }: Opened, { knownAt }: PriceOptions): Temporal.Instant | null {
  if (knownAt === undefined) return null;
  if (knownAt.includes("T")) return Temporal.Instant.from(knownAt);
  const { timeZone } = company.settings;
  return Temporal.PlainDate.from(knownAt).toZonedDateTime(timeZone).toInstant();
}

/** The only line; what cannot be priced ends the command with its reason. */
function known<Line extends PriceLine | ExplainedLine>([line]: readonly Line[]): Exclude<
  Line,
  { state: "problem" }
> {
  if (line === undefined) throw new NotFound("No price came of that.");
  if (line.state === "problem")
    throw new NotFound(`Pricing ${line.quantity} of ${line.product}: ${line.detail}.`);
  return line as Exclude<Line, { state: "problem" }>;
}

async function priceText(
  { company }: Opened,
  line: Exclude<PriceLine, { state: "problem" }>,
  then: Temporal.Instant | null,
): Promise<string[]> {
  const { timeZone } = company.settings;
  const sources =
    then === null
      ? await sourcesText(company, line.freshness)
      : `as it was known on ${moment(then, timeZone)}`;
  return answerLines(line, { timeZone, sources });
}

/** As of when the sources are that ever came, and which never did. */
async function sourcesText(company: Opened["company"], freshness: string | null): Promise<string> {
  const never = (await company.priceSources()).filter(({ at }) => at === null);
  return [
    freshness === null
      ? "no source was ever read with success"
      : `sources as of ${moment(Temporal.Instant.from(freshness), company.settings.timeZone)}`,
    ...(freshness === null ? [] : never.map(({ source }) => `${source}: never read`)),
  ].join("; ");
}

async function explained(
  opened: Opened,
  line: Exclude<ExplainedLine, { state: "problem" }>,
  { original, knownAt }: { readonly original: boolean; readonly knownAt: Temporal.Instant | null },
): Promise<Answer> {
  const originals = original ? await originalsOf(opened.company, line) : [];
  const text = [
    line.explanation.asked,
    "",
    ...(await priceText(opened, line, knownAt)),
    "",
    ...explainedLines(line),
    ...originals.map(({ place, text: row }) => `\n${place}\n  ${row ?? GONE}`),
  ].join("\n");
  return { text, data: original ? { ...line, originals } : line };
}

const GONE = "(the file is no longer where it was kept)";

/** Each row once, however many candidates stand on it. */
async function originalsOf(
  company: Opened["company"],
  { explanation }: Exclude<ExplainedLine, { state: "problem" }>,
) {
  const rows = new Map(
    explanation.candidates.flatMap((each) => each.rows).map((row) => [placeOf(row), row]),
  );
  const originals: { place: string; text: string | null }[] = [];
  for (const [place, { originId, line }] of rows)
    originals.push({ place, text: await company.originalOf(originId, line) });
  return originals;
}
