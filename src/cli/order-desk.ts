/** `orders desk|tasks|export`: what waits for a person, and everything that is kept. */
import type { Command } from "commander";
import {
  DELIVERY_STATES,
  exportRows,
  exportTotals,
  TASK_KINDS,
  type DeliveryState,
  type DeskEntry,
  type ExportRow,
  type ExportTotals,
  type OrderView,
  type Task,
} from "../orders/index.ts";
import {
  answer,
  chosen,
  dateOption,
  example,
  inOrder,
  NotFound,
  notBlank,
  nextLines,
  whoOption,
  whyOption,
  wholeNumber,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { writeNamed } from "./files.ts";
import { count, csv, day, moment, plain, pounds, table, words } from "./print.ts";

export function addDeskCommands(orders: Command): void {
  orders
    .command("desk")
    .description("What waits for a person: promised days first, then what is worth most.")
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 50)
    .addHelpText(
      "after",
      "\nheld, in doubt, refused and in conflict: the order's delivery waits. late: not at the ERP " +
        "an hour\nafter it was taken or the day before it is wanted, or not despatched on its day.\n",
    )
    .action(async ({ limit }: { limit: number }, command: Command) => {
      await answer(command, (opened) => desk(opened, limit));
    });
  addTasks(orders);
  addExport(orders);
}

async function desk({ company, global }: Opened, limit: number): Promise<Answer> {
  const { counts, entries } = await company.orders.desk();
  const { timeZone } = company.settings;
  const shown = entries.slice(0, limit);
  if (shown.length === 0)
    return { text: "Nothing waits for a person.", data: { counts, entries: shown } };
  const blocks = shown.map((entry) => [
    [
      entry.webOrder ?? "no order",
      entry.task === null ? entry.kind : `task ${entry.task.id.slice(-8)}`,
      pounds(entry.amount),
      ...(entry.account === null ? [] : [`account ${entry.account}`]),
      ...(entry.promisedOn === null ? [] : [`wanted ${day(entry.promisedOn)}`]),
      `since ${moment(entry.since, timeZone)}`,
    ].join("  "),
    ...entry.why.map((why) => `  why   ${why}`),
    `  next  ${entry.next}`,
    ...commandsFor(entry).map((command) => `        ${command}`),
  ]);
  const { held, inDoubt, refused, conflict, late, tasks } = counts;
  const total =
    `${count(entries.length)} wait: ${count(held)} held, ${count(inDoubt)} in doubt, ` +
    `${count(refused)} refused, ${count(conflict)} in conflict, ${count(late)} late, ` +
    `${count(tasks)} tasks.`;
  return {
    text: [
      ...blocks.flatMap((block) => [...block, ""]),
      total,
      ...nextLines(global, ["orders show <order>"]),
    ].join("\n"),
    data: { counts, entries: shown },
  };
}

const BY = '--who "…" --why "…"';

/** What can be done about one, as it is to be typed. */
export function commandsFor({
  acts,
  webOrder,
  erpOrder,
  task,
}: Pick<DeskEntry, "acts" | "webOrder" | "erpOrder" | "task">): string[] {
  if (task !== null) {
    const reference = task.kind === "refund" ? " --reference …" : "";
    return [`orders tasks close ${task.id.slice(-8)}${reference} ${BY}`];
  }
  const options: Readonly<Record<string, string>> = {
    resolve: ` --erp-order ${erpOrder ?? "…"}`,
    amend: " order.json",
  };
  return acts.map((act) => {
    const more = options[act] ?? "";
    return `orders ${act} ${webOrder ?? ""}${more} ${BY}`;
  });
}

const STATES = ["open", "done", "dropped", "all"] as const;

interface TaskOptions {
  readonly state: (typeof STATES)[number];
  readonly kind?: (typeof TASK_KINDS)[number];
  readonly csv?: boolean;
}

function addTasks(orders: Command): void {
  const tasks = orders.command("tasks").description("What people have to do about orders.");
  tasks
    .command("list", { isDefault: true })
    .description("Most money first.")
    .option("--state <state>", `one of ${STATES.join(", ")}`, chosen("--state", STATES), "open")
    .option("--kind <kind>", `only these: ${TASK_KINDS.join(", ")}`, chosen("--kind", TASK_KINDS))
    .option("--csv", "for a spreadsheet")
    .action(async (options: TaskOptions, command: Command) => {
      await answer(command, (opened) => listTasks(opened, options));
    });
  tasks
    .command("close <task>")
    .description("A task is done, or need not be done: by its id, or the end of it.")
    .option("--dropped", "it need not be done")
    .option(
      "--reference <text>",
      "what it is found by where it was done; a refund needs it",
      notBlank("--reference"),
    )
    .addOption(whoOption("who did it, or decides"))
    .addOption(whyOption("task"))
    .addHelpText(
      "after",
      "\nAn amendment or cancellation that waited for it is made with it, or dropped with it.\n" +
        example('orders tasks close 7f3a91c2 --who "J Ross" --why "done in the ERP"'),
    )
    .action(async (id: string, options: CloseOptions, command: Command) => {
      await answer(command, (opened) => close(opened, id, options));
    });
}

interface CloseOptions extends Act {
  readonly dropped?: boolean;
  readonly reference?: string;
}

async function listTasks(
  { company }: Opened,
  { state, kind, csv: asCsv = false }: TaskOptions,
): Promise<Answer> {
  const tasks = await company.orders.tasks({ state, ...(kind === undefined ? {} : { kind }) });
  const { timeZone } = company.settings;
  const columns = taskColumns(timeZone);
  if (asCsv)
    return {
      text: await csv([
        [...columns.map(({ head }) => head), "id"],
        ...tasks.map((task) => [...columns.map(({ of }) => of(task)), task.id]),
      ]),
      data: tasks,
    };
  const none = state === "all" || state === "open" ? "No tasks." : `No tasks are ${state}.`;
  return { text: tasks.length === 0 ? none : table(tasks, columns), data: tasks };
}

function taskColumns(timeZone: string) {
  return [
    { head: "task", of: ({ id }: Task) => id.slice(-8) },
    { head: "kind", of: ({ kind }: Task) => kind },
    { head: "order", of: ({ webOrder }: Task) => webOrder ?? "–" },
    { head: "amount", right: true, of: ({ amount }: Task) => pounds(amount) },
    { head: "state", of: ({ state }: Task) => state },
    { head: "since", of: ({ openedAt }: Task) => moment(openedAt, timeZone) },
    { head: "about", of: ({ about }: Task) => about },
    { head: "to do", of: ({ instruction }: Task) => instruction },
    { head: "closed", of: ({ closedBy, reason }: Task) => closing(closedBy, reason) },
    { head: "reference", of: ({ reference }: Task) => reference ?? "" },
  ];
}

function closing(by: string | null, reason: string | null): string {
  return by === null ? "" : `${by}: ${reason ?? ""}`;
}

async function close(
  { company, tradepost }: Opened,
  id: string,
  { who, why, dropped = false, reference }: CloseOptions,
): Promise<Answer> {
  const open = await company.orders.tasks({ state: "all" });
  const fitting = open.filter((task) => task.id === id || task.id.endsWith(id));
  const [only] = fitting;
  if (only === undefined || fitting.length > 1)
    throw new NotFound(
      `${fitting.length === 0 ? "No task ends" : `${fitting.length} tasks end`} in "${id}". ` +
        "List them with: orders tasks --state all",
    );
  const task = await company.orders.closeTask({
    id: only.id,
    state: dropped ? "dropped" : "done",
    who,
    reason: why,
    ...(reference === undefined ? {} : { reference }),
  });
  await tradepost.drain();
  return { text: `${task.kind} ${task.id.slice(-8)} is ${task.state}: ${task.about}.`, data: task };
}

interface ExportOptions {
  readonly from?: string;
  readonly to?: string;
  readonly state?: DeliveryState;
  readonly account?: string;
  readonly test?: boolean;
  readonly jsonLines?: boolean;
  readonly out?: string;
}

function addExport(orders: Command): void {
  orders
    .command("export")
    .description(
      "Orders of a span of days, a row for each line and charge; all of each with --json-lines.",
    )
    .option("--from <date>", "ordered on or after", dateOption)
    .option("--to <date>", "ordered on or before", dateOption)
    .option(
      "--state <state>",
      `delivery stands so: one of ${DELIVERY_STATES.join(", ")}`,
      chosen("--state", DELIVERY_STATES),
    )
    .option("--account <account>", "only this customer's", notBlank("--account"))
    .option("--test", "those of test keys, instead of live ones")
    .option("--json-lines", "all that is kept of each order, one JSON a line")
    .option("--out <file>", "write there instead of printing")
    .addHelpText(
      "after",
      "\nnet and vat are as agreed, netNow and vatNow less what was cancelled or refused since. What is of " +
        "the\nwhole order (orderNet …, paid, refunded, refundOwed) stands on its first row: each column adds " +
        "up.\n" +
        example("orders export --from 01/03/2026 --to 31/03/2026"),
    )
    .action(async (options: ExportOptions, command: Command) => {
      await answer(command, (opened) => exported(opened, options));
    });
}

async function exported(
  { company }: Opened,
  { jsonLines = false, out, test = false, ...span }: ExportOptions,
): Promise<Answer> {
  inOrder(span, day);
  const orders: OrderView[] = [];
  for await (const order of company.orders.exported({ ...span, test })) orders.push(order);
  const text = jsonLines
    ? orders.map((order) => JSON.stringify(order)).join("\n")
    : await csv([EXPORTED.map(({ head }) => head), ...orders.flatMap(rowsOf)]);
  if (out === undefined) return { text, data: orders };
  await writeNamed(out, `${text}\n`);
  return { text: `Wrote ${count(orders.length)} order(s) to ${out}.`, data: orders };
}

interface Exported {
  readonly order: OrderView;
  readonly row: ExportRow;
  /** Of the whole order, on its first row alone: each column adds up. */
  readonly whole: ExportTotals | null;
}

const ofLine =
  (of: (line: OrderView["lines"][number]) => string) =>
  ({ row }: Exported): string =>
    row.line === null ? "" : of(row.line);
const ofWhole =
  (of: (whole: ExportTotals, order: OrderView) => string) =>
  ({ order, whole }: Exported): string =>
    whole === null ? "" : of(whole, order);

const EXPORTED: readonly { readonly head: string; readonly of: (one: Exported) => string }[] = [
  { head: "webOrder", of: ({ order }) => order.number },
  { head: "account", of: ({ order }) => order.account },
  { head: "orderedOn", of: ({ order: { order } }) => order.orderedOn },
  { head: "requestedOn", of: ({ order: { order } }) => order.requestedOn ?? "" },
  { head: "customerReference", of: ({ order: { order } }) => order.customerReference ?? "" },
  { head: "state", of: ({ order }) => words(order.state) },
  { head: "fulfilment", of: ({ order }) => order.fulfilment },
  { head: "erpOrder", of: ({ order }) => order.erpOrder ?? "" },
  { head: "test", of: ({ order }) => String(order.test) },
  { head: "kind", of: ({ row }) => row.kind },
  { head: "line", of: ofLine(({ line }) => String(line)) },
  { head: "code", of: ({ row }) => row.code },
  { head: "ordered", of: ofLine(({ quantity }) => plain(quantity)) },
  { head: "despatched", of: ofLine((line) => plain(line.despatchedQuantity)) },
  { head: "invoiced", of: ofLine((line) => plain(line.invoicedQuantity)) },
  { head: "credited", of: ofLine((line) => plain(line.creditedQuantity)) },
  { head: "cancelled", of: ofLine((line) => plain(line.cancelledQuantity)) },
  { head: "backOrder", of: ofLine((line) => plain(line.backOrderQuantity)) },
  { head: "unitPrice", of: ofLine(({ unitPrice }) => unitPrice) },
  { head: "vatCode", of: ({ row }) => row.vatCode },
  { head: "net", of: ({ row }) => row.net },
  { head: "vat", of: ({ row }) => row.vat },
  { head: "netNow", of: ({ row }) => row.netNow },
  { head: "vatNow", of: ({ row }) => row.vatNow },
  { head: "orderNet", of: ofWhole(({ net }) => net) },
  { head: "orderVat", of: ofWhole(({ vat }) => vat) },
  { head: "orderGross", of: ofWhole(({ gross }) => gross) },
  { head: "orderNetNow", of: ofWhole(({ netNow }) => netNow) },
  { head: "orderGrossNow", of: ofWhole(({ grossNow }) => grossNow) },
  { head: "payment", of: ofWhole((_, { order }) => order.payment?.reference ?? "") },
  { head: "paid", of: ofWhole(({ paid }) => paid) },
  { head: "refunded", of: ofWhole(({ refunded }) => refunded) },
  { head: "refundOwed", of: ofWhole(({ refundOwed }) => refundOwed) },
  {
    head: "invoices",
    of: ({ order: { invoices } }) => invoices.map(({ document }) => document).join(" "),
  },
];

function rowsOf(order: OrderView): string[][] {
  const rows = exportRows(order);
  const totals = exportTotals(order, rows);
  return rows.map((row, index) =>
    EXPORTED.map(({ of }) => of({ order, row, whole: index === 0 ? totals : null })),
  );
}
