/** `price list`: all that a customer can buy, with the breaks. */
import type { Command } from "commander";
import type { PriceListRow, Pricing } from "../pricing/index.ts";
import { answer, example, NotFound, type Opened } from "./command.ts";
import { addAskingOptions, askerOf } from "./price-asking.ts";
import type { AskingOptions } from "./price-asking.ts";
import { csv, moment, plain, price as priceText, table, words } from "./print.ts";

export function addPriceListCommand(
  price: Command,
  ready: (opened: Opened) => Promise<Pricing>,
): void {
  addAskingOptions(
    price.command("list <account>").description("A customer's whole price list, with its breaks."),
  )
    .option("--csv", "as CSV")
    .addHelpText("after", example("price list ANDR0001 --csv"))
    .action(
      async (
        account: string,
        options: AskingOptions & { readonly csv?: boolean },
        command: Command,
      ) => {
        await answer(command, async (opened) => {
          const list = (await ready(opened)).priceList(askerOf(account, options));
          if ("detail" in list) throw new NotFound(`Listing prices: ${list.detail}.`);
          const rows: PriceListRow[] = [];
          for await (const slice of list.rows()) rows.push(...slice);
          const { timeZone } = opened.company.settings;
          const shown = options.csv === true ? await csv(cells(rows)) : text(rows, timeZone);
          return { text: shown, data: { bookVersion: list.bookVersion, rows } };
        });
      },
    );
}

const HEADS = [
  "product",
  "fromQuantity",
  "sellingUnit",
  "state",
  "stateReason",
  "unitPrice",
  "pricingUnit",
  "currency",
  "vatCode",
  "validUntil",
  "because",
] as const;

function cells(rows: readonly PriceListRow[]): string[][] {
  return [[...HEADS], ...rows.map((row) => HEADS.map((head) => row[head] ?? ""))];
}

function text(rows: readonly PriceListRow[], timeZone: string): string {
  if (rows.length === 0) return "No rule prices anything for this customer.";
  return table(rows, [
    { head: "product", of: (row) => row.product },
    { head: "from", right: true, of: (row) => plain(row.fromQuantity) },
    { head: "unit", of: (row) => row.sellingUnit },
    {
      head: "price",
      right: true,
      of: (row) => (row.unitPrice === null ? "–" : priceText(row.unitPrice, row.currency)),
    },
    { head: "per", of: (row) => row.pricingUnit },
    { head: "state", of: (row) => words(row.state) },
    { head: "until", of: (row) => untilText(row.validUntil, timeZone) },
    { head: "because", of: (row) => row.because },
  ]);
}

function untilText(validUntil: string | null, timeZone: string): string {
  return validUntil === null ? "–" : moment(Temporal.Instant.from(validUntil), timeZone);
}
