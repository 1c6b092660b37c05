/**
 * Every command of Tradepost: `npm run -s tradepost -- COMMAND`. The same modules as the service.
 */
import { Command, CommanderError } from "commander";
import { EXIT, explainError } from "./cli/command.ts";
import { addOrderCommands } from "./cli/orders.ts";
import { addPayCommands } from "./cli/pay.ts";
import { addPriceCommands } from "./cli/prices.ts";
import { addSalesCommands } from "./cli/sales.ts";
import { addServiceCommands } from "./cli/service.ts";
import { addSyncCommands } from "./cli/sync.ts";

export { count, day, pounds, table } from "./cli/print.ts";
export { syncAnswer } from "./cli/sync.ts";

/** Exported so that the reference of all commands can be generated from it. */
export function tradepostCommand(): Command {
  const program = new Command("tradepost")
    .description("From the ERP's price rule to a rep's pay, on one evidence chain.")
    .option("--settings <file>", "settings file", "tradepost.yaml")
    .option("--company <code>", "company, when the settings name several")
    .option("--json", "print JSON for programs")
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      "after",
      "\nExit codes: 0 fine, 1 failed, 2 usage or settings, 3 done but something is in quarantine, 4 totals differ.",
    );
  addSyncCommands(program);
  addPriceCommands(program);
  addOrderCommands(program);
  addSalesCommands(program);
  addPayCommands(program);
  addServiceCommands(program);
  inherit(program);
  return program;
}

/** Commands made by `program.command` must end by exception too, so that exit codes are ours. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride();
    child.showSuggestionAfterError();
    inherit(child);
  }
}

async function run(): Promise<void> {
  try {
    await tradepostCommand().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
    else process.exitCode = explainError(error);
  }
}

// The launcher imports this file, so `import.meta.main` says nothing here.
if (process.argv[1] === import.meta.filename) await run();
