/** `account-requests` and `returns`: who wants an account, what comes back, and what is decided. */
import type { Command } from "commander";
import {
  RETURN_STATES,
  type AccountView,
  type ReturnEvent,
  type ReturnRow,
} from "../orders/index.ts";
import {
  answer,
  chosen,
  EXIT,
  example,
  notBlank,
  UsageError,
  whoOption,
  whyOption,
  wholeNumber,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, day, moment, plain, pounds, table, words } from "./print.ts";

const ACCOUNT_STATES = [
  "open",
  "all",
  "held",
  "opening",
  "inDoubt",
  "byHand",
  "opened",
  "done",
  "refused",
] as const;
const LISTED = ["open", "all", ...RETURN_STATES] as const;

export function addBuyerCommands(program: Command): void {
  addAccountRequests(program);
  addReturns(program);
}

function addAccountRequests(program: Command): void {
  const group = program
    .command("account-requests")
    .description("New customers who ask for an account.");
  group
    .command("list", { isDefault: true })
    .description("What keeps most money waiting first.")
    .option(
      "--state <state>",
      `one of ${ACCOUNT_STATES.join(", ")}`,
      chosen("--state", ACCOUNT_STATES),
      "open",
    )
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 100)
    .action(async (options: ListAccounts, command: Command) => {
      await answer(command, (opened) => listAccounts(opened, options));
    });
  group
    .command("show <request>")
    .description("One request: who asks, who may be the same customer, what waits for it.")
    .action(async (number: string, _options: unknown, command: Command) => {
      await answer(command, async (opened) => {
        const view = await opened.company.orders.buyers.accountRequests.show(number);
        return { text: accountText(view, opened.company.settings.timeZone), data: view };
      });
    });
  const decide = (name: string, about: string) =>
    group
      .command(`${name} <request>`)
      .description(about)
      .addOption(whoOption())
      .addOption(whyOption("request"));
  decide("approve", "Have the account opened: by the connector, or by a person.")
    .option("--credit-limit <amount>", "what credit control grants, such as 2500.00", amountOption)
    .addHelpText(
      "after",
      example('account-requests approve AR-260331-7K3QDX --who "J Ross" --why "checked"'),
    )
    .action(
      async (
        number: string,
        { creditLimit, ...act }: Act & { creditLimit?: string },
        command: Command,
      ) => {
        await decided(command, ({ accountRequests }) =>
          accountRequests.approve(number, { ...act, creditLimit: creditLimit ?? null }),
        );
      },
    );
  decide("link", "It is, or was given, an account of the ERP: its orders go on.")
    .requiredOption("--account <account>", "the account", notBlank("--account"))
    .action(async (number: string, act: Act & { account: string }, command: Command) => {
      await decided(command, ({ accountRequests }) => accountRequests.link(number, act));
    });
  decide("refuse", "No account: its orders are refused, and what was paid is owed back.").action(
    async (number: string, act: Act, command: Command) => {
      await decided(command, ({ accountRequests }) => accountRequests.refuse(number, act));
    },
  );
}

type Buyers = Opened["company"]["orders"]["buyers"];

/** What follows is done before the answer: the account opened, its orders handed over. */
async function decided(
  command: Command,
  work: (buyers: Buyers) => Promise<AccountView>,
): Promise<void> {
  await answer(command, async ({ company, tradepost }) => {
    const { buyers } = company.orders;
    const { number } = await work(buyers);
    await tradepost.drain();
    const view = await buyers.accountRequests.show(number);
    const account = view.account === null ? "" : `, account ${view.account}`;
    const reason = view.reason === null ? "" : ` ${view.reason}`;
    const orders = view.orders.map((order) => `${order.number} is ${words(order.state)}.`);
    const text = [`${number} is ${words(view.state)}${account}.${reason}`, ...orders].join("\n");
    return { text, data: view };
  });
}

function amountOption(text: string): string {
  if (/^\d{1,12}(\.\d{1,2})?$/.test(text)) return text;
  throw new UsageError(`"${text}" is not an amount. Write 2500 or 2500.00.`);
}

interface ListAccounts {
  readonly state: (typeof ACCOUNT_STATES)[number];
  readonly limit: number;
}

async function listAccounts({ company }: Opened, options: ListAccounts): Promise<Answer> {
  const rows = await company.orders.buyers.accountRequests.list(options);
  const open = rows.filter(({ state }) => state !== "done" && state !== "refused").length;
  const text =
    rows.length === 0
      ? "Nobody's request for an account is there."
      : table(rows, [
          { head: "request", of: ({ number, test }) => `${number}${test ? " (test)" : ""}` },
          { head: "received", of: (row) => moment(row.receivedAt, company.settings.timeZone) },
          { head: "trading name", of: ({ tradingName }) => tradingName },
          { head: "state", of: ({ state }) => words(state) },
          { head: "account", of: ({ account }) => account ?? "–" },
          { head: "credit limit", right: true, of: ({ creditLimit }) => pounds(creditLimit) },
          { head: "orders", right: true, of: ({ orders }) => count(orders) },
          { head: "they come to", right: true, of: ({ gross }) => pounds(gross) },
          {
            head: "may be",
            of: ({ duplicates: [first] }) =>
              first === undefined ? "–" : `${first.account} (${first.score})`,
          },
        ]);
  return { text, data: rows, ...(open > 0 ? { exit: EXIT.quarantine } : {}) };
}

function accountText(view: AccountView, timeZone: string): string {
  const { body } = view;
  const { address, contact } = body;
  const lines = [
    `request       ${view.number}${view.test ? " (test)" : ""}, ${words(view.state)}`,
    `trading name  ${body.tradingName}`,
    `legal name    ${body.legalName ?? "–"}`,
    `company       ${body.companyNumber ?? "–"}`,
    `VAT number    ${body.vatNumber ?? "–"}`,
    `address       ${[address.address1, address.address2, address.address3, address.town, address.county, address.postcode, address.country].filter((part) => part !== null).join(", ")}`,
    `contact       ${[contact.name, contact.email, contact.telephone].filter((part) => part !== null).join(", ")}`,
    `asks for      ${body.creditLimit === null ? "no credit" : `a credit limit of ${pounds(body.creditLimit)}`}${body.terms === null ? "" : `; ${body.terms}`}`,
    `granted       ${pounds(view.creditLimit)}`,
    `account       ${view.account ?? "none yet"}`,
    ...body.tradeReferences.map(({ name, contact }) => `reference     ${name}: ${contact ?? "–"}`),
    ...(view.reason === null ? [] : [`why           ${view.reason}`]),
  ];
  const duplicates = table(view.duplicates, [
    { head: "may be", of: ({ account }) => account },
    { head: "name", of: ({ name }) => name },
    { head: "of 100", right: true, of: ({ score }) => String(score) },
    { head: "because", of: ({ reasons }) => reasons.join(", ") },
    { head: "says", of: ({ from }) => (from === "erp" ? "the ERP" : "our records") },
  ]);
  const orders = table(view.orders, [
    { head: "web order", of: ({ number }) => number },
    { head: "state", of: ({ state }) => words(state) },
    { head: "gross", right: true, of: ({ gross }) => pounds(gross) },
  ]);
  const events = table(view.events, [
    { head: "when", of: ({ at }) => moment(at, timeZone) },
    { head: "state", of: ({ state }) => words(state) },
    { head: "who", of: ({ who }) => who },
    { head: "what", of: ({ about }) => about },
  ]);
  return [
    ...lines,
    ...(view.duplicates.length === 0 ? [] : ["", duplicates]),
    ...(view.orders.length === 0 ? [] : ["", orders]),
    "",
    events,
  ].join("\n");
}

interface ListReturns {
  readonly state: (typeof LISTED)[number];
  readonly account?: string;
  readonly limit: number;
}

function addReturns(program: Command): void {
  const group = program.command("returns").description("Goods that customers want to give back.");
  group
    .command("list", { isDefault: true })
    .description("Most money first.")
    .option("--state <state>", `one of ${LISTED.join(", ")}`, chosen("--state", LISTED), "open")
    .option("--account <account>", "only this customer's")
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 100)
    .action(async (options: ListReturns, command: Command) => {
      await answer(command, (opened) => listReturns(opened, options));
    });
  group
    .command("show <return>")
    .description("One return: its invoice lines, and where it stands.")
    .action(async (number: string, _options: unknown, command: Command) => {
      await answer(command, async ({ company }) => {
        const { returns } = company.orders.buyers;
        const row = await returns.show(number);
        const events = await returns.events(row);
        const text = returnText(row, events, company.settings.timeZone);
        return { text, data: { ...row, events } };
      });
    });
  for (const [name, about] of [
    ["agree", "The goods may come back: a task says so to whoever takes them in."],
    ["refuse", "They may not."],
  ] as const)
    group
      .command(`${name} <return>`)
      .description(about)
      .addOption(whoOption())
      .addOption(whyOption("return"))
      .addHelpText(
        "after",
        example(`returns ${name} RT-260331-7K3QDX --who "J Ross" --why "damaged in transit"`),
      )
      .action(async (number: string, act: Act, command: Command) => {
        await answer(command, async ({ company, tradepost }) => {
          const row = await company.orders.buyers.returns[name](number, act);
          await tradepost.drain();
          return { text: `${row.number} is ${words(row.state)}.`, data: row };
        });
      });
  addReturnEnds(group);
}

function addReturnEnds(group: Command): void {
  group
    .command("entered <return>")
    .description("It is in the ERP, where a person entered or found it.")
    .requiredOption("--erp-return <number>", "its number there", notBlank("--erp-return"))
    .addOption(whoOption())
    .addOption(whyOption("return"))
    .addHelpText(
      "after",
      example('returns entered RT-260331-7K3QDX --erp-return R0042 --who "J Ross" --why "keyed"'),
    )
    .action(async (number: string, act: Act & { erpReturn: string }, command: Command) => {
      await answer(command, async ({ company }) => {
        const row = await company.orders.buyers.returns.entered(number, act);
        return { text: `${row.number} is ${act.erpReturn} in the ERP.`, data: row };
      });
    });
  group
    .command("replaced <return>")
    .description("Other goods went out for it: that ends a return that is to be replaced.")
    .requiredOption("--by <number>", "the order or despatch that brings them", notBlank("--by"))
    .option("--seen-there", "you saw there that it brings them, though no pull has shown so")
    .addOption(whoOption())
    .addOption(whyOption("return"))
    .addHelpText(
      "after",
      example('returns replaced RT-260331-7K3QDX --by D100234 --who "J Ross" --why "sent again"'),
    )
    .action(
      async (number: string, act: Act & { by: string; seenThere?: boolean }, command: Command) => {
        await answer(command, async ({ company }) => {
          const row = await company.orders.buyers.returns.replaced(number, act);
          return { text: `${row.number} is replaced by ${act.by}.`, data: row };
        });
      },
    );
}

async function listReturns({ company }: Opened, options: ListReturns): Promise<Answer> {
  const rows = await company.orders.buyers.returns.list(options);
  const undecided = rows.some(({ state }) => state === "asked");
  const text =
    rows.length === 0
      ? "No returns."
      : table(rows, [
          { head: "return", of: ({ number, test }) => `${number}${test ? " (test)" : ""}` },
          { head: "received", of: (row) => moment(row.receivedAt, company.settings.timeZone) },
          { head: "account", of: ({ account }) => account },
          { head: "invoice", of: ({ invoice }) => invoice },
          { head: "lines", of: ({ lines }) => lines.map(({ line }) => line).join(", ") },
          { head: "wanted", of: ({ wanted }) => wanted },
          { head: "state", of: ({ state }) => words(state) },
          { head: "invoiced at", right: true, of: ({ amount }) => pounds(amount) },
          { head: "why", of: ({ reason }) => reason },
        ]);
  return { text, data: rows, ...(undecided ? { exit: EXIT.quarantine } : {}) };
}

const ENTRY: Readonly<Record<ReturnRow["erp"], string>> = {
  none: "not told",
  waiting: "it is to be entered",
  placing: "it is being entered",
  inDoubt: "it may or may not be there",
  placed: "it is there",
  byHand: "a person enters it",
};

function returnText(row: ReturnRow, events: readonly ReturnEvent[], timeZone: string): string {
  const lines = table(row.lines, [
    { head: "line", right: true, of: ({ line }) => String(line) },
    { head: "product", of: ({ product }) => product ?? "–" },
    { head: "comes back", right: true, of: ({ quantity }) => plain(quantity) },
  ]);
  return [
    `return      ${row.number}${row.test ? " (test)" : ""}, ${words(row.state)}`,
    `account     ${row.account}`,
    `invoice     ${row.invoice}${row.webOrder === null ? "" : `, of web order ${row.webOrder}`}`,
    `asked       ${day(row.receivedAt.toZonedDateTimeISO(timeZone).toPlainDate().toString())}: ${row.reason}`,
    `wanted      ${row.wanted === "credit" ? "the money back" : "other goods for them"}`,
    `worth       ${pounds(row.amount)} with VAT, as invoiced`,
    ...(row.decidedBy === null ? [] : [`decided     by ${row.decidedBy}: ${row.decidedWhy ?? ""}`]),
    `ERP         ${ENTRY[row.erp]}${row.erpReturn === null ? "" : `: ${row.erpReturn}`}`,
    ...(row.creditNotes.length === 0 ? [] : [`credited    by ${row.creditNotes.join(", ")}`]),
    ...(row.replacedBy === null ? [] : [`replaced    by ${row.replacedBy}`]),
    "",
    lines,
    "",
    table(events, [
      { head: "when", of: ({ at }) => moment(at, timeZone) },
      { head: "state", of: ({ state }) => words(state) },
      { head: "who", of: ({ who }) => who },
      { head: "what", of: ({ about }) => about },
    ]),
  ].join("\n");
}
