/** `orders lost`: what an ERP lost that went backwards, and what is done about each order. */
import type { Command } from "commander";
import type { LostOrder } from "../orders/index.ts";
import {
  answer,
  example,
  EXIT,
  NotFound,
  whoOption,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, pounds, table, total, words } from "./print.ts";

export function addLostCommands(orders: Command): void {
  const lost = orders
    .command("lost")
    .description("Orders that the ERP had and has no more, since it went backwards.")
    .option("--look", "look now whether it went backwards; the service looks every 10 minutes")
    .action(async ({ look }: { look?: boolean }, command: Command) => {
      await answer(command, async (opened) => {
        if (look === true) await opened.company.stopIfBackwards({ ask: true });
        return list(opened);
      });
    });
  for (const [name, about] of [
    [
      "send-again",
      "Hand it over again, also a conflict over an order there that is another's; its key is searched for first, as ever. Not where something came of it: that would come once more.",
    ],
    [
      "leave",
      "It stands as it is: what is left of it was keyed by hand there, or is not wanted any more.",
    ],
  ] as const)
    lost
      .command(`${name} <order>`)
      .description(about)
      .addOption(whoOption())
      .addOption(whyOption("order"))
      .addHelpText("after", example(`orders lost ${name} WEB-0001 --who "J Ross" --why "gone"`))
      .action(async (number: string, act: Act, command: Command) => {
        await answer(command, (opened) => decide(opened, number, { ...act, decision: name }));
      });
}

async function list({ company }: Opened): Promise<Answer> {
  const lost = await company.orders.lostOrders();
  const { timeZone } = company.settings;
  const open = lost.filter(({ decision }) => decision === null);
  const text = table(lost, [
    { head: "order", of: ({ order }) => order },
    { head: "was there as", of: ({ erpOrder }) => erpOrder },
    { head: "account", of: ({ account }) => account },
    { head: "net", right: true, of: ({ net }) => pounds(net) },
    { head: "taken", of: ({ receivedAt }) => moment(receivedAt, timeZone) },
    { head: "lost, as seen", of: ({ lostAt }) => moment(lostAt, timeZone) },
    { head: "came of it", of: ({ cameOfIt }) => cameOfIt ?? "–" },
    { head: "decided", of: decidedText },
    { head: "is", of: ({ state }) => words(state) },
  ]);
  if (lost.length === 0) return { text: "Nothing is lost.", data: lost };
  const waiting =
    open.length === 0
      ? "Every one is decided on."
      : `${count(open.length)} of ${pounds(total(open.map(({ net }) => net)))} net wait for a decision.`;
  const moved = open.some(({ cameOfIt }) => cameOfIt !== null)
    ? "\nWhat something came of is not sent again, as all of it would come once more: have the rest keyed in the ERP under its number, and leave it."
    : "";
  return {
    text: `${text}\n\n${waiting}${moved}`,
    data: lost,
    exit: open.length === 0 ? EXIT.fine : EXIT.quarantine,
  };
}

function decidedText({ decision, decidedBy, why }: LostOrder): string {
  return decision === null ? "–" : `${words(decision)}, ${decidedBy ?? ""}: ${why ?? ""}`;
}

async function decide(
  { company }: Opened,
  number: string,
  { who, why, decision }: Act & { readonly decision: "send-again" | "leave" },
): Promise<Answer> {
  if (!(await company.orders.decideLost(number, { who, why, decision })))
    throw new NotFound(
      `${number} does not wait for such a decision. \`orders lost\` lists those that do.`,
    );
  const left = (await company.orders.lostOrders()).filter((each) => each.decision === null).length;
  const { connection } = company.settings.orders;
  return {
    text: [
      decision === "leave" ? `${number} is left as it is.` : `${number} is queued again.`,
      left > 0
        ? `${count(left)} more wait for a decision.`
        : `Every one is decided on: go on with \`tradepost maintenance off ${connection} --who NAME --why WHY\`.`,
    ].join("\n"),
    data: { order: number, decision, left },
  };
}
