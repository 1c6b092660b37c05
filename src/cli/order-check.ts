/** `orders check`: what an order of a file would be answered, and why. */
import type { Command } from "commander";
import { orderRequest, type OrderCheck } from "../orders/index.ts";
import { answer, UsageError, type Answer } from "./command.ts";
import { readNamed } from "./files.ts";
import { day, plain, pounds, price, table, words } from "./print.ts";

export function addOrderCheckCommand(orders: Command): void {
  orders
    .command("check <file>")
    .description("What an order would be answered, as POST /v1/orders would; keeps nothing.")
    .addHelpText("after", "\nThe file is the body of POST /v1/orders, as JSON.")
    .action(async (file: string, _options: unknown, command: Command) => {
      const body = bodyOf(await readNamed(file, NAMED), file);
      await answer(command, async ({ company }) => checkAnswer(await company.orders.check(body)));
    });
}

const NAMED = {
  what: "The order",
  advice: "Name a JSON file with the body of POST /v1/orders.",
};

function bodyOf(text: string, file: string) {
  const parsed = orderRequest.safeParse(jsonOf(text, file));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `  ${path.map(String).join(".")}: ${message}`,
  );
  throw new UsageError(`The order ${file} does not fit:\n${faults.join("\n")}`);
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`The order ${file} is no JSON: ${String(cause)}. ${NAMED.advice}`);
  }
}

const VERDICTS = {
  accept: "It would be taken (201).",
  hold: "It would be taken and held for a person (202).",
  refuse: "It would be refused (422).",
} as const;

function checkAnswer(checked: OrderCheck): Answer {
  const { verdict, findings, said, problem } = checked;
  const { currency } = said;
  const lines = table(said.lines, [
    { head: "line", right: true, of: ({ line }) => String(line) },
    { head: "product", of: ({ product }) => product },
    { head: "quantity", right: true, of: ({ quantity }) => plain(quantity) },
    { head: "price", right: true, of: ({ unitPrice }) => price(unitPrice, currency) },
    { head: "net", right: true, of: ({ net }) => pounds(net, currency) },
    { head: "VAT", right: true, of: ({ vat }) => pounds(vat, currency) },
    { head: "free", right: true, of: ({ promise }) => promise?.free ?? "–" },
    { head: "short", right: true, of: ({ promise }) => promise?.short ?? "–" },
    { head: "there on", of: ({ promise }) => day(promise?.availableOn ?? null) },
  ]);
  const found = findings.map(
    ({ policy, line, about, instruction }) =>
      `  ${words(policy)}: ${line === null ? "" : `line ${line}: `}${about} ${instruction}`,
  );
  const totals = `net ${pounds(said.net, currency)}  VAT ${pounds(said.vat, currency)}  gross ${pounds(said.gross, currency)}`;
  const verdictText =
    problem?.code === "web-order-number-taken" ? problem.detail : VERDICTS[verdict];
  return {
    text: [lines, "", totals, "", verdictText, ...found].join("\n"),
    data: { verdict, findings, order: said, problem },
  };
}
