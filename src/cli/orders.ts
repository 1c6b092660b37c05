/** `orders`: what was taken, where each order is, and what a person may do to it. */
import type { Command } from "commander";
import type { DeliveryState } from "../orders/index.ts";
import { answer, chosen, wholeNumber, type Answer, type Opened } from "./command.ts";
import { addChangesCommand } from "./events.ts";
import { addLostCommands } from "./lost.ts";
import { addActCommands } from "./order-acts.ts";
import { addOrderCheckCommand } from "./order-check.ts";
import { addDeskCommands } from "./order-desk.ts";
import { orderText } from "./order-view.ts";
import { count, moment, pounds, table, words } from "./print.ts";
import { addShadowCommand } from "./shadow.ts";

/** Every state, and whether an order in it waits for a person. */
const STATES: Readonly<Record<DeliveryState, "goes on" | "waits for a person" | "is done">> = {
  received: "goes on",
  checked: "goes on",
  held: "waits for a person",
  queued: "goes on",
  sending: "goes on",
  handedOver: "goes on",
  accepted: "goes on",
  confirmed: "is done",
  inDoubt: "waits for a person",
  conflict: "waits for a person",
  refused: "waits for a person",
  cancelled: "is done",
  shadowed: "is done",
};
const STATE_NAMES = Object.keys(STATES).filter((name): name is DeliveryState => name in STATES);

interface ListOptions {
  readonly state?: DeliveryState;
  readonly account?: string;
  readonly limit: number;
}

export function addOrderCommands(program: Command): void {
  const orders = program
    .command("orders")
    .description("Web orders, newest first.")
    .option(
      "--state <state>",
      `only those in this state: ${STATE_NAMES.join(", ")}`,
      chosen("--state", STATE_NAMES),
    )
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
  addOrderCheckCommand(orders);
  addActCommands(orders);
  addDeskCommands(orders);
  addChangesCommand(orders);
  addShadowCommand(orders);
  addLostCommands(orders);
}

async function list({ company }: Opened, options: ListOptions): Promise<Answer> {
  const orders = await company.orders.list(options);
  const waiting = orders.filter(({ state }) => STATES[state] === "waits for a person").length;
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
  const of = options.account === undefined ? "" : ` of ${options.account}`;
  const are = options.state === undefined ? "" : ` that are ${words(options.state)}`;
  return {
    text:
      orders.length === 0
        ? `No web orders${of}${are}.`
        : `${text}\n\n${count(orders.length)} shown, ${count(waiting)} waiting for a person.`,
    data: orders,
  };
}
