/** `go-live`: the checklist before a connection hands orders over, and going back to shadow. */
import type { Command } from "commander";
import type { ChecklistItem } from "../connections/index.ts";
import { CHECKLIST, type ChecklistName } from "../main.ts";
import {
  answer,
  chosen,
  example,
  EXIT,
  nextLines,
  notBlank,
  NotFound,
  person,
  UsageError,
  type Answer,
  type Opened,
} from "./command.ts";
import { moment } from "./print.ts";

interface GoLiveOptions {
  readonly who?: string;
  readonly why?: string;
  readonly waive?: readonly ChecklistName[];
  readonly account?: string;
  readonly product?: string;
  readonly seen?: boolean;
  readonly undo?: boolean;
}

export function addGoLiveCommand(program: Command): void {
  program
    .command("go-live <connection>")
    .description("The checklist before orders are handed over; with --who it is recorded.")
    .option("--who <name>", "who goes live; kept with the checklist", person("--who"))
    .option("--why <reason>", "why items are waived, or what was seen", notBlank("--why"))
    .option("--waive <items>", `items that need not hold: ${CHECKLIST.join(",")}`, itemsOf)
    .option("--account <account>", "place a test order for this account")
    .option("--product <product>", "one of this product is ordered by the test order")
    .option(
      "--seen",
      "you saw the last test order in the ERP and cancelled it there, as --why says",
    )
    .option("--undo", "back to shadow: nothing is handed over any more")
    .addHelpText("after", example('go-live erp --who "J Ross" --account HAR001 --product PLY12'))
    .action(async (connection: string, options: GoLiveOptions, command: Command) => {
      await answer(command, (opened) =>
        options.undo === true
          ? undo(opened, connection, options)
          : goLive(opened, connection, options),
      );
    });
}

function itemsOf(text: string): ChecklistName[] {
  return text.split(",").map((item) => chosen("--waive", CHECKLIST)(item.trim()));
}

async function goLive(opened: Opened, connection: string, options: GoLiveOptions): Promise<Answer> {
  const { company } = opened;
  takesOrders(opened, connection);
  const { who, why, waive = [], seen = false } = options;
  const trial = trialOf(options);
  if (who === undefined) {
    if (why !== undefined || waive.length > 0 || seen || trial !== null)
      throw new UsageError("Say who with --who; without it the checklist is only shown.");
    return shown(opened, connection, await company.goLive.checklist(connection));
  }
  if (why === undefined && (waive.length > 0 || seen))
    throw new UsageError("Say why with --why; it is kept with what is waived or was seen.");
  const { items, live } = await company.goLive.goLive({
    connection,
    who,
    why: why ?? null,
    waive,
    trial,
    seen,
  });
  return shown(opened, connection, items, live);
}

function trialOf({ account, product }: GoLiveOptions) {
  if (account === undefined && product === undefined) return null;
  if (account === undefined || product === undefined)
    throw new UsageError("A test order needs both --account and --product.");
  return { account, product };
}

function takesOrders({ company }: Opened, connection: string): void {
  const { orders, connections } = company.settings;
  chosen("The connection", Object.keys(connections))(connection);
  if (orders.connection === connection) return;
  throw new UsageError(
    `Orders go to the connection ${orders.connection}, so only that one goes live; ${connection} ` +
      "hands nothing over. See orders.connection of the settings.",
  );
}

async function shown(
  { company, global }: Opened,
  connection: string,
  items: readonly ChecklistItem[],
  live = false,
): Promise<Answer> {
  const wished = company.settings.connections[connection]?.mode ?? "read-only";
  const standing = await company.standings.of(connection, wished);
  const recorded = await company.standings.goLive(connection);
  const since =
    recorded === null
      ? `It has not gone live: nothing is handed over.`
      : `Live since ${moment(recorded.at, company.settings.timeZone)}, by ${recorded.who}.`;
  const wish =
    recorded !== null && wished !== "live"
      ? [`The settings say mode: ${wished}; set mode: live and start the service anew.`]
      : [];
  const next =
    recorded === null && items.every(({ state }) => state !== "not")
      ? ["", ...nextLines(global, [`go-live ${connection} --who NAME`])]
      : [];
  return {
    text: [...items.map(itemText), "", since, ...wish, ...next].join("\n"),
    data: { connection, items, live: recorded !== null, recorded, standing },
    exit: live || items.every(({ state }) => state !== "not") ? EXIT.fine : EXIT.quarantine,
  };
}

const NAMES: Readonly<Record<string, string>> = {
  prices: "prices proved",
  month: "last month equal",
  "test-order": "test order",
  rights: "rights in the ERP",
  shadow: "shadow",
};
const MARKS = { ok: "✓", not: "✗", waived: "~" } as const;

/** "✗ month: 02/2026: invoices differ by £12.00 …" */
export function itemText({
  item,
  state,
  about,
  instruction,
  waivedBy,
  why,
}: ChecklistItem): string {
  const name = NAMES[item] ?? item;
  const more =
    state === "waived"
      ? [`waived by ${waivedBy ?? "nobody"}: ${why ?? ""}`]
      : instruction === null
        ? []
        : [instruction];
  return [`${MARKS[state]} ${name} (${item}): ${about}`, ...more.map((line) => `    ${line}`)].join(
    "\n",
  );
}

async function undo(
  { company }: Opened,
  connection: string,
  { who, why }: GoLiveOptions,
): Promise<Answer> {
  if (who === undefined || why === undefined)
    throw new UsageError("Going back to shadow needs --who and --why; both are kept.");
  if (!(await company.goLive.undo(connection, { who, why })))
    throw new NotFound(`${connection} is not live, so there is nothing to undo.`);
  return {
    text:
      `${connection} is in shadow, by ${who}. What is being handed over now ends properly; every ` +
      "order from now on is written and compared, and not sent. What was taken before and is not " +
      "handed over yet is held, and waits at the desk (`tradepost orders desk`).",
    data: { connection, live: false },
  };
}
