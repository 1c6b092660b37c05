/** `check`: the state of everything that must be right before anything runs. */
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import {
  readSettings,
  type CompletedSetting,
  type EffectiveSetting,
  type Settings,
} from "../config.ts";
import {
  asWarning,
  checkFiles,
  companiesLeftBehind,
  openTradepost,
  tell,
  withoutPassword,
  type Checked,
} from "../main.ts";
import { chosen, EXIT, print, quietLog, type ExitCode, type GlobalOptions } from "./command.ts";
import { table } from "./print.ts";

export function addCheckCommand(program: Command): void {
  program
    .command("check")
    .description("Settings as they hold, mappings with examples, connections, database: any fault.")
    .action(async (_options: unknown, command: Command) => {
      await check(command.optsWithGlobals<GlobalOptions>());
    });
}

/** What was looked at, by company; null: what all of them share. */
type Line = Checked & { readonly company: string | null };

async function check(global: GlobalOptions): Promise<void> {
  const settings = readSettings({ file: global.settings });
  const all = Object.keys(settings.companies);
  const codes = global.company === undefined ? all : [chosen("--company", all)(global.company)];
  const lines: Line[] = [
    fine(
      "settings",
      `${settings.file}, ${codes.length === 1 ? "company" : "companies"} ${codes.join(", ")}`,
    ),
  ];
  const completed: CompletedSetting[] = [];
  for (const code of codes) {
    const files = await checkFiles(settings, code);
    lines.push(...files.parts.map((each) => ({ company: code, ...each })));
    completed.push(...files.completed);
  }
  const opened = await checkOpened(settings, codes);
  // A fault of a file is found again when the company is opened.
  const told = new Set(lines.map(({ about }) => about));
  lines.push(...opened.lines.filter(({ about }) => !told.has(about)));
  const effective = settings.effective(completed);
  const faults = lines.filter(({ state }) => state === "error");
  print(
    {
      text: [effectiveTable(effective), "", partsTable(lines), "", verdict(lines)].join("\n"),
      data: { settings: effective, parts: lines },
      exit: faults.length === 0 ? EXIT.fine : opened.exit === EXIT.fine ? EXIT.usage : opened.exit,
    },
    global,
  );
}

function fine(part: string, about: string): Line {
  return { company: null, part, state: "fine", about, instruction: null };
}

/** The database, and what only open connections can tell. */
async function checkOpened(
  settings: Settings,
  codes: readonly string[],
): Promise<{ lines: Line[]; exit: ExitCode }> {
  const lines: Line[] = [];
  let exit: ExitCode = EXIT.fine;
  const failed = (company: string | null, part: string, error: unknown) => {
    const told = tell(error);
    lines.push({ company, part, state: "error", about: told.message, instruction: null });
    exit = told.exit;
  };
  try {
    await using tradepost = await openTradepost(settings, { log: quietLog });
    lines.push(fine("database", await databaseText(settings, tradepost.store)));
    const left = await companiesLeftBehind(tradepost.store, settings, Temporal.Now.instant());
    lines.push(...left.map((each) => ({ company: null, ...asWarning(each) })));
    for (const code of codes)
      try {
        const checked = await (await tradepost.company(code)).check();
        if (checked.some(({ state }) => state === "error")) exit = EXIT.failed;
        lines.push(...checked.map((each) => ({ company: code, ...each })));
      } catch (error) {
        failed(code, "company", error);
      }
  } catch (error) {
    failed(null, "database", error);
  }
  return { lines, exit };
}

interface Asked {
  query<Row>(sql: string): Promise<Row[]>;
}

async function databaseText({ databaseUrl, database }: Settings, store: Asked): Promise<string> {
  const [row] = await store.query<{ version: string }>(
    "select current_setting('server_version') as version",
  );
  const where =
    databaseUrl === null ? await ownText(database.folder, store) : withoutPassword(databaseUrl);
  return `PostgreSQL ${row?.version ?? ""}, ${where}`;
}

/** Its files can lie elsewhere than in the folder of the settings: a backup needs both. */
async function ownText(folder: string, store: Asked): Promise<string> {
  const [row] = await store.query<{ files: string }>(
    "select current_setting('data_directory') as files",
  );
  const home = dirname(row?.files ?? join(folder, "postgres"));
  if (home === (await realpath(folder).catch(() => folder))) return `our own, in ${home}`;
  return (
    `our own, in ${home}: the server does not run as root, and whom it runs as cannot reach ` +
    `${folder}, which holds that address (location.txt) and no data. A backup needs both folders`
  );
}

function effectiveTable(settings: readonly EffectiveSetting[]): string {
  return table(settings, [
    { head: "setting", of: ({ name }) => name },
    {
      head: "value",
      of: ({ value }) => (typeof value === "string" ? value : JSON.stringify(value)),
    },
    { head: "from", of: ({ line }) => (line === null ? "default" : `line ${line}`) },
  ]);
}

function partsTable(lines: readonly Line[]): string {
  const several = new Set(lines.map(({ company }) => company)).size > 2;
  return lines
    .map(({ company, part, state, about, instruction }) => {
      const name = several && company !== null ? `${company} ${part}` : part;
      const mark = state === "fine" ? "✓" : state === "warning" ? "!" : "✗";
      const text = [about, ...(instruction === null ? [] : [instruction])].join("\n");
      return `${mark} ${name}: ${text.replaceAll("\n", "\n    ")}`;
    })
    .join("\n");
}

function verdict(lines: readonly Line[]): string {
  const of = (state: Checked["state"]) => lines.filter((line) => line.state === state).length;
  const faults = of("error");
  const warnings = of("warning");
  if (faults + warnings === 0) return "Everything is in order.";
  return `${faults} ${faults === 1 ? "fault" : "faults"}, ${warnings} ${warnings === 1 ? "warning" : "warnings"}.`;
}
