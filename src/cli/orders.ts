/** `orders`: what was taken, where each order is, and what a person may do to it. */
import type { Command } from "commander";
import type { DeliveryState, OrderView } from "../orders/index.ts";
import { answer, EXIT, wholeNumber, type Answer, type Opened } from "./command.ts";
import { count, day, moment, pounds, table } from "./print.ts";

/** States in which an order waits for a person. */
const FOR_A_PERSON: readonly DeliveryState[] = ["held", "inDoubt", "conflict", "refused"];

interface ListOptions {
  readonly state?: DeliveryState;
  readonly account?: string;
  readonly limit: number;
}

export function addOrderCommands(program: Command): void {
  const orders = program
    .command("orders")
    .description("Web orders, newest first.")
    .option("--state <state>", "only those in this state (held, queued, handedOver, inDoubt, …)")
    .option("--account <account>", "only this customer's")
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 50)
    .action(async (options: ListOptions, command: Command) => {
      await answer(command, (opened) => list(opened, options));
    });
  orders
    .command("show <order>")
    .description("One order: lines, quantities, and everything that happened to it.")
    .action(async (number: string, _options: unknown, command: Command) => {
      await answer(command, async (opened) => {
        const view = await opened.company.orders.show(number);
        return { text: orderText(view, opened.company.settings.timeZone), data: view };
      });
    });
  orders
    .command("deliver")
    .description("Hand over what is queued now, without waiting for the service.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, async (opened) => {
        await opened.tradepost.drain();
        return list(opened, { limit: 50 });
      });
    });
  addActs(orders);
}

function addActs(orders: Command): void {
  const act = (name: "release" | "cancel", about: string) =>
    orders
      .command(`${name} <order>`)
      .description(about)
      .requiredOption("--who <name>", "who decides")
      .requiredOption("--why <reason>", "why; it is kept with the order")
      .action(async (number: string, options: { who: string; why: string }, command: Command) => {
        await answer(command, async (opened) => {
          const done = await opened.company.orders[name](number, {
            who: options.who,
            reason: options.why,
          });
          await opened.tradepost.drain();
          return { text: `${done.number} is ${words(done.state)}.`, data: done };
        });
      });
  act("release", "Let a held order go on its way.");
  act("cancel", "Stop an order that was not handed over, or give up a refused one.");
  orders
    .command("resolve <order>")
    .description("Settle a conflict or a doubt after looking at the ERP: the order stands there.")
    .requiredOption("--who <name>", "who decides")
    .requiredOption("--why <reason>", "why; it is kept with the order")
    .option("--erp-order <number>", "its number in the ERP")
    .action(
      async (
        number: string,
        options: { who: string; why: string; erpOrder?: string },
        command: Command,
      ) => {
        await answer(command, async ({ company }) => {
          const done = await company.orders.resolve(number, {
            who: options.who,
            reason: options.why,
            ...(options.erpOrder === undefined ? {} : { erpOrder: options.erpOrder }),
          });
          return { text: `${done.number} is ${words(done.state)}.`, data: done };
        });
      },
    );
}

/** handedOver → handed over */
function words(state: string): string {
  return state.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

async function list({ company }: Opened, options: ListOptions): Promise<Answer> {
  const orders = await company.orders.list(options);
  const waiting = orders.filter((order) => FOR_A_PERSON.includes(order.state)).length;
  const text = table(orders, [
    { head: "order", of: (order) => order.number },
    { head: "account", of: (order) => order.account },
    { head: "received", of: (order) => moment(order.receivedAt, company.settings.timeZone) },
    { head: "state", of: (order) => words(order.state) },
    { head: "ERP order", of: (order) => order.erpOrder ?? "–" },
    { head: "net", right: true, of: (order) => pounds(order.net) },
    { head: "VAT", right: true, of: (order) => pounds(order.vat) },
    { head: "gross", right: true, of: (order) => pounds(order.gross) },
    { head: "why", of: (order) => order.reasons[0] ?? "" },
  ]);
  return {
    text:
      orders.length === 0
        ? "No web orders."
        : `${text}\n\n${count(orders.length)} shown, ${count(waiting)} waiting for a person.`,
    data: orders,
    exit: EXIT.fine,
  };
}

function orderText(view: OrderView, timeZone: string): string {
  const lines = table(view.lines, [
    { head: "line", right: true, of: (line) => String(line.line) },
    { head: "product", of: (line) => line.product },
    { head: "ordered", right: true, of: (line) => plain(line.quantity) },
    { head: "despatched", right: true, of: (line) => plain(line.despatchedQuantity) },
    { head: "invoiced", right: true, of: (line) => plain(line.invoicedQuantity) },
    { head: "credited", right: true, of: (line) => plain(line.creditedQuantity) },
    { head: "unit price", right: true, of: (line) => plain(line.unitPrice) },
    { head: "net", right: true, of: (line) => pounds(line.net) },
    { head: "VAT", right: true, of: (line) => pounds(line.vat) },
  ]);
  const events = table(view.events, [
    { head: "when", of: (event) => moment(event.at, timeZone) },
    { head: "state", of: (event) => words(event.toState) },
    { head: "who", of: (event) => event.who },
    { head: "what", of: (event) => event.about },
  ]);
  return [
    `web order   ${view.number}${view.test ? " (test)" : ""}`,
    `account     ${view.account}`,
    `ordered     ${day(view.order.orderedOn)}, by ${view.order.placedBy === "assisted" ? "staff for the customer" : "the customer"}`,
    `state       ${words(view.state)}, ${view.fulfilment}`,
    `ERP order   ${view.erpOrder ?? "none yet"}`,
    `total       ${pounds(view.net)} net, ${pounds(view.vat)} VAT, ${pounds(view.gross)} gross`,
    ...view.reasons.map((reason) => `why         ${reason}`),
    "",
    lines,
    "",
    events,
  ].join("\n");
}

/** 12.00000 → 12, 4.250000 → 4.25 */
function plain(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
