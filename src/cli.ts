/**
 * Every command of Tradepost: `npm run -s tradepost -- COMMAND`. The same modules as the service.
 */
import { Command, type Option } from "commander";

import { addAuditCommand } from "./cli/audit.ts";
import { addCheckCommand } from "./cli/check.ts";
import { explainError, type GlobalOptions } from "./cli/command.ts";
import { addConnectorCommands } from "./cli/connector.ts";
import { addGoLiveCommand } from "./cli/go-live.ts";
import { addMaintenanceCommands } from "./cli/maintenance.ts";
import { addEventCommands } from "./cli/events.ts";
import { addOrderCommands } from "./cli/orders.ts";
import { addPayCommands } from "./cli/pay.ts";
import { addCompletenessCommands } from "./cli/completeness.ts";
import { addQuarantineCommands } from "./cli/quarantine.ts";
import { addPlanCommands } from "./cli/plan.ts";
import { addPriceCommands } from "./cli/prices.ts";
import { addSalesCommands } from "./cli/sales.ts";
import { addServiceCommands } from "./cli/service.ts";
import { addShopCommands } from "./cli/shop.ts";
import { addScheduleCommands } from "./cli/schedule.ts";
import { addSettingsCommands } from "./cli/settings-bundle.ts";
import { addStatusCommand } from "./cli/status.ts";
import { addBuyerCommands } from "./cli/buyers.ts";
import { addMappingCommands } from "./cli/mapping.ts";
import { addSchemaCommand } from "./cli/schema.ts";
import { addSyncCommands } from "./cli/sync.ts";
import { addWebhookCommands } from "./cli/webhooks.ts";

export { itemText as checklistItemText } from "./cli/go-live.ts";
export { commandsFor as deskCommands } from "./cli/order-desk.ts";
export { orderText } from "./cli/order-view.ts";
export { count, day, pounds, table } from "./cli/print.ts";
export { syncAnswer } from "./cli/sync.ts";

/** Exported so that the reference of all commands can be generated from it. */
export function tradepostCommand(): Command {
  const program = new Command("tradepost")
    .description("From the ERP's price rule to a rep's pay, on one evidence chain.")
    .option("--settings <file>", "settings file", "tradepost.yaml")
    .option("--company <code>", "company, when the settings name several")
    .option("--json", "print JSON for programs")
    .addHelpText(
      "after",
      "\nExit codes: 0 fine, 1 failed, 2 usage or settings, 3 done, but something waits: in quarantine, " +
        "or to be looked at; 4 totals differ.",
    );
  addCheckCommand(program);
  addSyncCommands(program);
  addStatusCommand(program);
  addScheduleCommands(program);
  addQuarantineCommands(program);
  addCompletenessCommands(program);
  addPlanCommands(program);
  addPriceCommands(program);
  addOrderCommands(program);
  addEventCommands(program);
  addWebhookCommands(program);
  addGoLiveCommand(program);
  addMaintenanceCommands(program);
  addBuyerCommands(program);
  addSalesCommands(program);
  addShopCommands(program);
  addPayCommands(program);
  addServiceCommands(program);
  addAuditCommand(program);
  addConnectorCommands(program);
  addMappingCommands(program);
  addSchemaCommand(program);
  addSettingsCommands(program);
  behave(program, "tradepost", program.options);
  const readers = new Map(program.commands.flatMap(readLater));
  program.hook("preAction", (_program, called) => takeBack(called, readers));
  return program;
}

type Reader = NonNullable<Option["parseArg"]>;

/**
 * A group that lists by itself, such as `orders --state`, is given an option before it is known
 * whose it is: `orders tasks --state` has other states. Its readers wait until then.
 */
function readLater(command: Command): (readonly [Option, Reader])[] {
  if (command.commands.length === 0) return [];
  const own = command.options.flatMap((option) => {
    const { parseArg } = option;
    if (parseArg === undefined) return [];
    delete option.parseArg;
    return [[option, parseArg] as const];
  });
  return [...own, ...command.commands.flatMap(readLater)];
}

/**
 * A group takes its own options wherever they stand: those of `orders export` that are called the
 * same are given to it, and read as it reads them.
 */
function takeBack(called: Command, readers: ReadonlyMap<Option, Reader>): void {
  for (const option of called.options) {
    const name = option.attributeName();
    const later = readers.get(option);
    const read = later ?? option.parseArg;
    for (let group: Command | null = called; group?.parent; group = group.parent) {
      const isRead = group === called && later === undefined;
      if (isRead || group.getOptionValueSource(name) !== "cli") continue;
      const given: unknown = group.getOptionValue(name);
      const value = typeof given === "string" ? (read?.<unknown>(given, null) ?? given) : given;
      called.setOptionValueWithSource(name, value, "cli");
    }
  }
}

/** Commander hands settings down only when a command is made by hand; so they are given to each. */
function behave(command: Command, name: string, forAll: readonly Option[]): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(`\`${name} --help\` tells all of it.`)
    // Not the options of a group that lists by itself, such as `orders --state`.
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: ({ parent }) => (parent === null ? [] : [...forAll]),
    });
  for (const child of command.commands) {
    child.helpCommand(false);
    behave(child, `${name} ${child.name()}`, forAll);
  }
}

async function run(): Promise<void> {
  // The reader of a pipe may have seen enough (`| head`).
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? (process.exitCode ?? 0) : 1);
  });
  const program = tradepostCommand();
  const fail = (error: unknown) => explainError(error, program.opts<GlobalOptions>().json === true);
  process.on("uncaughtException", (error) => process.exit(fail(error)));
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = fail(error);
  }
}

// The launcher imports this file, so `import.meta.main` says nothing here.
if (process.argv[1] === import.meta.filename) await run();
