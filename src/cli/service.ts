/** `check`, `keys` and `serve`. */
import type { Command } from "commander";
import { SCOPES, type Scope } from "../access/index.ts";
import { readSettings } from "../config.ts";
import { openTradepost, stopSignal } from "../main.ts";
import { answer, EXIT, UsageError, type GlobalOptions } from "./command.ts";
import { moment, table } from "./print.ts";

export function addServiceCommands(program: Command): void {
  program
    .command("check")
    .description("Settings, mappings with their examples, connections, database: what is wrong.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, async ({ company }) => {
        const findings = await company.check();
        const errors = findings.filter((finding) => finding.level === "error");
        const text =
          findings.length === 0
            ? "Settings, mappings and their examples, connections and database are in order."
            : findings
                .map((each) => `${each.level}: ${each.what}\n  ${each.instruction}`)
                .join("\n");
        return { text, data: findings, exit: errors.length > 0 ? EXIT.failed : EXIT.fine };
      });
    });
  program
    .command("serve")
    .description("The service: the API and the work behind it, until it is stopped.")
    .action(async (_options: unknown, command: Command) => {
      await serve(command.optsWithGlobals<GlobalOptions>());
    });
  addKeyCommands(program);
}

async function serve(global: GlobalOptions): Promise<void> {
  const settings = readSettings({ file: global.settings });
  await using tradepost = await openTradepost(settings, { service: true });
  const api = await tradepost.serve();
  process.stdout.write(`Tradepost answers at ${api.url}\n`);
  await stopSignal();
  await api.close();
}

function addKeyCommands(program: Command): void {
  const keys = program
    .command("keys")
    .description("API keys of the company; secrets are never shown again.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, async ({ tradepost, company }) => {
        const rows = await tradepost.access.listKeys(company.code);
        const at = (when: Temporal.Instant | null) => moment(when, company.settings.timeZone);
        const text = table(rows, [
          { head: "key", of: (key) => key.id },
          { head: "name", of: (key) => key.name },
          { head: "begins", of: (key) => `${key.hint}…` },
          { head: "scopes", of: (key) => key.scopes.join(" ") },
          { head: "made", of: (key) => at(key.createdAt) },
          { head: "revoked", of: (key) => at(key.revokedAt) },
        ]);
        return { text: rows.length === 0 ? "No keys." : text, data: rows };
      });
    });
  keys
    .command("create")
    .description("Make a key; its secret is shown once.")
    .requiredOption("--name <name>", "what it is for")
    .requiredOption("--scopes <scope...>", `what it opens: ${SCOPES.join(", ")}`)
    .option("--test", "orders of this key are checked and kept, never sent")
    .requiredOption("--who <name>", "who makes it")
    .action(
      async (
        options: { name: string; scopes: string[]; test?: boolean; who: string },
        command: Command,
      ) => {
        await answer(command, async ({ tradepost, company }) => {
          const made = await tradepost.access.createKey({
            company: company.code,
            name: options.name,
            scopes: options.scopes.flatMap((each) => each.split(",")).map(scopeOf),
            test: options.test === true,
            createdBy: options.who,
          });
          return { text: `${made.secret}\nKeep it now: it is not shown again.`, data: made };
        });
      },
    );
  keys
    .command("revoke <key>")
    .description("End a key, from its whole id.")
    .requiredOption("--who <name>", "who ends it")
    .action(async (id: string, options: { who: string }, command: Command) => {
      await answer(command, async ({ tradepost, company }) => {
        await tradepost.access.revokeKey({ company: company.code, id, revokedBy: options.who });
        return { text: `${id} is revoked.`, data: { id } };
      });
    });
}

function scopeOf(text: string): Scope {
  const found = SCOPES.find((scope) => scope === text);
  if (found !== undefined) return found;
  throw new UsageError(`"${text}" is not a scope. Scopes are ${SCOPES.join(", ")}.`);
}
