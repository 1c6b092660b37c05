/** `settings export|import`: an installation's settings as one file, without its secrets. */
import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { stringify } from "yaml";
import { readSettings, standing } from "../config.ts";
import {
  applyImport,
  makeBundle,
  openTradepost,
  planImport,
  readBundle,
  type Bundle,
  type ImportPlan,
} from "../main.ts";
import {
  example,
  EXIT,
  person,
  print,
  quietLog,
  UsageError,
  type GlobalOptions,
} from "./command.ts";
import { count, json, table } from "./print.ts";

export function addSettingsCommands(program: Command): void {
  const settings = program
    .command("settings")
    .description("Settings, mappings, policies, plans and pauses as one file, never secrets.");
  settings
    .command("export <file>")
    .description("Write them into one file: YAML, or JSON where it ends in .json.")
    .addHelpText("after", example("settings export tradepost-settings.yaml"))
    .action(async (file: string, _options: unknown, command: Command) => {
      await exportTo(file, command.optsWithGlobals<GlobalOptions>());
    });
  settings
    .command("import <file>")
    .description("Put them where --settings points to, checked first; nothing else is changed.")
    .option("--dry-run", "only say what would change")
    .option("--replace", "files that are there and are different are replaced")
    .option("--who <name>", "who imports; kept with pauses", person("--who"))
    .addHelpText("after", example("settings import tradepost-settings.yaml --dry-run"))
    .action(async (file: string, options: ImportOptions, command: Command) => {
      await importFrom(file, options, command.optsWithGlobals<GlobalOptions>());
    });
}

interface ImportOptions {
  readonly dryRun?: boolean;
  readonly replace?: boolean;
  readonly who?: string;
}

async function exportTo(file: string, global: GlobalOptions): Promise<void> {
  const settings = readSettings({ file: global.settings });
  const pauses: Bundle["pauses"] = {};
  {
    await using tradepost = await openTradepost(settings, { log: quietLog });
    for (const code of Object.keys(settings.companies)) {
      const held = await (await tradepost.company(code)).schedules.pauses();
      pauses[code] = held.map(({ scope, by }) => ({ scope, by }));
    }
  }
  const bundle = await makeBundle({ settings, pauses });
  const text = file.endsWith(".json") ? `${json(bundle)}\n` : stringify(bundle, { lineWidth: 0 });
  await writeFile(standing(file), text, { mode: 0o600 });
  const { files, secrets } = bundle;
  print(
    {
      text: [
        `${file}: the settings and ${count(files.length)} files, without secrets.`,
        ...(secrets.length === 0
          ? []
          : [`Where it is imported these secrets must be set: ${secrets.join(", ")}.`]),
      ].join("\n"),
      data: {
        file,
        ...bundle,
        settings: bundle.settings.path,
        files: files.map(({ path }) => path),
      },
    },
    global,
  );
}

async function importFrom(
  file: string,
  { dryRun = false, replace = false, who }: ImportOptions,
  global: GlobalOptions,
): Promise<void> {
  const path = standing(file);
  const text = await readFile(path, "utf8").catch(() => {
    throw new UsageError(`Reading the bundle: ${path} cannot be read.`);
  });
  const plan = await planImport(readBundle(file, text), standing(global.settings));
  const faulty = plan.checked.some(({ state }) => state === "error");
  if (!dryRun) {
    await applyImport(plan, { replace });
    await applyPauses(plan, who ?? "settings import");
  }
  print(
    {
      text: planText(plan, dryRun),
      data: { ...plan, bundle: undefined, pauses: plan.bundle.pauses, dryRun },
      exit: faulty ? EXIT.usage : EXIT.fine,
    },
    global,
  );
}

/** Those that hold there are kept: a pause more is safer than one less. */
async function applyPauses({ bundle, target }: ImportPlan, who: string): Promise<void> {
  if (Object.keys(bundle.pauses).length === 0) return;
  await using tradepost = await openTradepost(readSettings({ file: target }), { log: quietLog });
  for (const [code, pauses] of Object.entries(bundle.pauses)) {
    const { schedules } = await tradepost.company(code);
    for (const { scope, by } of pauses) {
      const [connection, schedule] = scope.split("/");
      await schedules.pause(
        {
          ...(connection === undefined || connection === "" ? {} : { connection }),
          ...(schedule === undefined ? {} : { schedule }),
        },
        by,
      );
    }
    const entry = { company: code, who, action: "settings-imported", subject: target };
    await tradepost.access.audit({ ...entry, details: { product: bundle.product } });
  }
}

function planText({ files, checked, notes, target, bundle }: ImportPlan, dryRun: boolean): string {
  const faults = checked.filter(({ state }) => state !== "fine");
  const paused = Object.entries(bundle.pauses).flatMap(([code, each]) =>
    each.map(({ scope, by }) => `${code} ${scope === "" ? "all" : scope}, by ${by}`),
  );
  return [
    table(files, [
      { head: "file", of: ({ path }) => path },
      { head: dryRun ? "would be" : "was", of: ({ change }) => CHANGES[change] },
    ]),
    "",
    ...faults.map(
      ({ company, part, state, about, instruction }) =>
        `${state === "error" ? "✗" : "!"} ${company} ${part}: ${about}${instruction === null ? "" : ` ${instruction}`}`,
    ),
    ...notes.map((note) => `! ${note}`),
    ...paused.map((each) => `paused: ${each}`),
    dryRun ? `Nothing was written to ${target}.` : `Imported into ${target}.`,
  ].join("\n");
}

const CHANGES = { new: "new", changed: "replaced", same: "the same" } as const;
