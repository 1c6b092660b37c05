/** `orders`: what was taken, where each order is, and what a person may do to it. */
import type { Command } from "commander";
import { z } from "zod";
import type { DeliveryState, OrderView } from "../orders/index.ts";
import {
  answer,
  chosen,
  example,
  notBlank,
  wholeNumber,
  whoOption,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { addChangesCommand } from "./events.ts";
import { count, day, moment, plain, pounds, table, words } from "./print.ts";
import { addLostCommands } from "./lost.ts";
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
  addActs(orders);
  addChangesCommand(orders);
  addShadowCommand(orders);
  addLostCommands(orders);
}

function addActs(orders: Command): void {
  const act = (name: string, about: string) =>
    orders
      .command(`${name} <order>`)
      .description(about)
      .addOption(whoOption())
      .addOption(whyOption("order"))
      .addHelpText("after", example(`orders ${name} WEB-0001 --who "J Ross" --why "they rang"`));
  const simple = (name: "release" | "cancel" | "sendAgain", about: string) =>
    act(name === "sendAgain" ? "send-again" : name, about).action(
      async (number: string, { who, why }: Act, command: Command) => {
        await answer(command, async ({ company, tradepost }) => {
          await company.orders[name](number, { who, reason: why });
          await tradepost.drain();
          return acted(await company.orders.show(number));
        });
      },
    );
  simple("release", "Let a held order go on its way.");
  simple("cancel", "Stop an order that was not handed over, or give up a refused one.");
  simple("sendAgain", "An order in doubt is not in the ERP, as you saw there: hand it over again.");
  act("resolve", "Settle a conflict or a doubt after looking at the ERP: the order stands there.")
    .option("--erp-order <number>", "its number in the ERP", notBlank("--erp-order"))
    .action(
      async (
        number: string,
        { who, why, erpOrder }: Act & { erpOrder?: string },
        command: Command,
      ) => {
        await answer(command, async ({ company }) =>
          acted(
            await company.orders.resolve(number, {
              who,
              reason: why,
              ...(erpOrder === undefined ? {} : { erpOrder }),
            }),
          ),
        );
      },
    );
}

function acted(view: OrderView): Answer {
  return { text: `${view.number} is ${words(view.state)}.`, data: view };
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
    ...view.lines.flatMap((line) => priceBecause(line)),
    "",
    events,
  ].join("\n");
}

/** Why the price was what it was when the order was taken, and what promotions made of it. */
export function priceBecause({
  line,
  price,
}: Pick<OrderView["lines"][number], "line" | "price">): string[] {
  const kept = evidence.safeParse(price).data;
  if (kept === undefined) return [];
  const { because, lowered } = kept;
  const said = because === undefined ? [] : [`price of line ${line}: ${because}`];
  if (lowered === undefined) return said;
  const { unitPrice, quantity, unit, promotions, net } = lowered;
  const of = `${each(unitPrice)} × ${plain(quantity)}${unit === null ? "" : ` ${unit}`}`;
  const less = promotions.map(({ promotion, amount }) => ` − ${pounds(amount)} (${promotion})`);
  return [...said, `line ${line}: ${of}${less.join("")} = ${pounds(net)}`];
}

/** A price with all its places, two at least. */
function each(price: string): string {
  const [whole = "", part = ""] = plain(price).split(".");
  return `${pounds(`${whole}.00`).slice(0, -3)}.${part.padEnd(2, "0")}`;
}

const evidence = z.object({
  because: z.string().optional(),
  lowered: z
    .object({
      unitPrice: z.string(),
      quantity: z.string(),
      unit: z.string().nullable(),
      promotions: z.array(z.object({ promotion: z.string(), amount: z.string() })),
      net: z.string(),
    })
    .optional(),
});
