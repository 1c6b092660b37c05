/** `keys` and `serve`. */
import type { Command } from "commander";
import { SCOPES, SCOPE_MEANINGS, type Scope } from "../access/index.ts";
import { answersAt, runService } from "../main.ts";
import { answer, chosen, example, notBlank, whoOption, type GlobalOptions } from "./command.ts";
import { moment, table } from "./print.ts";

export function addServiceCommands(program: Command): void {
  program
    .command("serve")
    .description("The service: the API and the work behind it, until it is stopped.")
    .action(async (_options: unknown, command: Command) => {
      const { settings, json: asJson = false } = command.optsWithGlobals<GlobalOptions>();
      await runService(settings, asJson ? (url) => JSON.stringify({ url }) : answersAt);
    });
  addKeyCommands(program);
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
    .requiredOption("--name <name>", "what it is for", notBlank("--name"))
    .requiredOption("--scopes <scope...>", `what it opens: ${SCOPES.join(", ")}`)
    .option("--test", "orders of this key are checked and kept, never sent")
    .addOption(whoOption("who makes it"))
    .addHelpText(
      "after",
      scopesInWords() +
        example('keys create --name "Web shop" --scopes prices,orders --who "J Ross"'),
    )
    .action(
      async (
        options: { name: string; scopes: string[]; test?: boolean; who: string },
        command: Command,
      ) => {
        await answer(command, async ({ tradepost, company }) => {
          const made = await tradepost.access.createKey({
            company: company.code,
            name: options.name,
            scopes: scopesIn(options.scopes),
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
    .addOption(whoOption("who ends it"))
    .action(async (id: string, options: { who: string }, command: Command) => {
      await answer(command, async ({ tradepost, company }) => {
        await tradepost.access.revokeKey({ company: company.code, id, revokedBy: options.who });
        return { text: `${id} is revoked.`, data: { id } };
      });
    });
}

function scopesInWords(): string {
  const width = Math.max(...SCOPES.map((scope) => scope.length));
  const lines = SCOPES.map((scope) => `  ${scope.padEnd(width)}  ${SCOPE_MEANINGS[scope]}`);
  return `\nScopes:\n${lines.join("\n")}\n`;
}

function scopesIn(words: readonly string[]): Scope[] {
  return words
    .flatMap((each) => each.split(","))
    .filter((each) => each !== "")
    .map(chosen("--scopes", SCOPES));
}
