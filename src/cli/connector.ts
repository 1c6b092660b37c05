/** `connector`: which connectors there are, what is proved of one, the beginning of a new one. */
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { readSettings } from "../config.ts";
import {
  checkConnector,
  connectorFile,
  listConnectors,
  loadConnector,
  loadRig,
  newConnector,
  type Card,
} from "../connector/index.ts";
import { chosen, EXIT, example, nextLines, print, wholeNumber } from "./command.ts";
import type { Answer, GlobalOptions } from "./command.ts";
import { count, table } from "./print.ts";

export function addConnectorCommands(program: Command): void {
  const group = program
    .command("connector")
    .description("The systems that Tradepost can speak to, and what is proved of each.");
  group
    .command("list")
    .description("The connectors that are here.")
    .action(async (_options: unknown, command: Command) => {
      const global = command.optsWithGlobals<GlobalOptions>();
      print(await list(connectorFolders(global)), global);
    });
  group
    .command("check")
    .description("Try a connector against everything that it promises, and print its card.")
    .argument("<name>", "the connector, as `connector list` has it")
    .option("--connection <name>", "judge its streams by the settings of this connection")
    .option("--no-far-side", "only what needs no simulator")
    .option("--rows <number>", "rows of the check of its memory", wholeNumber(1_000, 10_000_000))
    .addHelpText("after", example("connector check csv"))
    .action(async (name: string, options: CheckOptions, command: Command) => {
      const global = command.optsWithGlobals<GlobalOptions>();
      print(await check(name, options, global), global);
    });
  group
    .command("new")
    .description(
      "Write the beginning of a connector: a folder in connectors/ that is typed and runs.",
    )
    .argument("<name>", "small letters, digits and dashes")
    .addHelpText("after", example("connector new your-system"))
    .action(async (name: string, _options: unknown, command: Command) => {
      const global = command.optsWithGlobals<GlobalOptions>();
      print(await create(name, global), global);
    });
}

/** Of the settings, where there are any: a connector can be written before them. */
export function connectorFolders({ settings }: Pick<GlobalOptions, "settings">): readonly string[] {
  return existsSync(settings) ? readSettings({ file: settings }).connectorFolders : [];
}

async function list(folders: readonly string[]): Promise<Answer> {
  const rows = await Promise.all(
    (await listConnectors(folders)).map(async (name) => {
      const { about } = await loadConnector(name, folders);
      return { name, about, farSide: (await loadRig(name, folders)) !== null };
    }),
  );
  const text = table(rows, [
    { head: "connector", of: ({ name }) => name },
    { head: "what it connects", of: ({ about }) => about },
    { head: "can be tried here", of: ({ farSide }) => (farSide ? "yes" : "no far side") },
  ]);
  return { text, data: rows };
}

interface CheckOptions {
  readonly connection?: string;
  readonly farSide: boolean;
  readonly rows?: number;
}

async function check(name: string, options: CheckOptions, global: GlobalOptions): Promise<Answer> {
  const folders = connectorFolders(global);
  const connector = await loadConnector(name, folders);
  const rig = options.farSide ? await loadRig(name, folders) : null;
  const settings =
    options.connection === undefined ? null : connectionSettings(options.connection, name, global);
  const card = await checkConnector(
    { connector, file: await connectorFile(name, folders) },
    {
      rig,
      settings,
      ...(options.rows === undefined ? {} : { manyRows: options.rows }),
      tell: (id) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${id}`);
      },
    },
  );
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return { text: cardText(card), data: card, exit: card.fine ? EXIT.fine : EXIT.failed };
}

/** Settings of a connection of any company that uses this connector. */
function connectionSettings(connection: string, name: string, global: GlobalOptions): unknown {
  const { companies } = readSettings({ file: global.settings });
  const all = Object.entries(companies)
    .filter(([code]) => global.company === undefined || code === global.company)
    .flatMap(([, company]) => Object.entries(company.connections));
  const own = all.filter(([, one]) => one.connector === name);
  const wanted = chosen(
    "--connection",
    own.map(([known]) => known),
  )(connection);
  return own.find(([known]) => known === wanted)?.[1].settings;
}

async function create(name: string, global: GlobalOptions): Promise<Answer> {
  const files = await newConnector(name);
  const next = nextLines(global, [`connector check ${name}`]);
  const text = [
    ...files.map((file) => `wrote      ${file}`),
    "",
    "read       connectors/README.md, which says all that an author needs",
    ...next,
  ];
  return { text: text.join("\n"), data: { files } };
}

const MARKS = { passed: "✓", failed: "✗", waived: "~", untried: "?", notHere: "–" } as const;

/** The card as a person reads it. */
export function cardText(card: Card): string {
  return [
    `${card.connector}   ${card.about}`,
    ...(card.capabilities === null
      ? []
      : [`it can     read${card.capabilities.map((name) => `, ${name}`).join("")}`]),
    "",
    ...(card.streams === null ? [] : [streamTable(card.streams), ""]),
    table(
      card.checks.flatMap((check) => checkLines(check)),
      [
        { head: "", of: ({ mark }) => mark },
        { head: "check", of: ({ id }) => id },
        { head: "what holds, and what was found", of: ({ what }) => what },
      ],
    ),
    "",
    verdict(card),
  ].join("\n");
}

/** Streams that promise the same share a line: a layout has dozens. */
function streamTable(streams: NonNullable<Card["streams"]>): string {
  const shared = Map.groupBy(streams, ({ promises }) => promises.join(", "));
  return table(
    [...shared],
    [
      { head: "promises", of: ([promises]) => promises },
      { head: "streams", of: ([, each]) => each.map(({ name }) => name).join(" ") },
    ],
  );
}

function checkLines({ id, holds, state, findings, why }: Card["checks"][number]) {
  const lead = { mark: MARKS[state], id };
  const below = (what: string) => ({ mark: "", id: "", what });
  switch (state) {
    case "passed":
      return [{ ...lead, what: holds }];
    case "notHere":
      return [{ ...lead, what: `not for it: ${why ?? ""}` }];
    case "untried":
      return [{ ...lead, what: holds }, below(`not tried: ${why ?? ""}`)];
    case "waived":
      return [{ ...lead, what: holds }, below(`waived: ${why ?? ""}`)];
    case "failed":
      return [{ ...lead, what: holds }, ...findings.map(below)];
    default:
      return state satisfies never;
  }
}

function verdict({ checks, fine }: Card): string {
  const of = (state: string) => checks.filter((check) => check.state === state).length;
  const parts = [
    [of("passed"), "passed"],
    [of("failed"), "failed"],
    [of("untried"), "not tried"],
    [of("waived"), "waived with a reason"],
    [of("notHere"), "not for it"],
  ] as const;
  const said = parts.flatMap(([number, what]) =>
    number === 0 ? [] : [`${count(number)} ${what}`],
  );
  return `${fine ? "fine" : "not fine"}: ${said.join(", ")}`;
}
