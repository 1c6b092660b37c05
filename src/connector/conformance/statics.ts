/** Checks that need no far side: importing, names, settings, promises, the text of the code. */
import { spawn } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z, type ZodType } from "zod";
import type { StreamDefinition } from "../contract.ts";
import { trial, type Bench } from "./bench.ts";
import { notHere, untried, type Check, type Outcome } from "./check.ts";

export const STATIC_CHECKS: readonly Check[] = [
  {
    id: "import-is-free",
    holds: "importing it opens no file or connection, starts no timer, and needs no environment",
    needsRig: false,
    run: importIsFree,
  },
  {
    id: "name-and-about",
    holds: "its name is that of its folder, and a sentence says what it connects",
    needsRig: false,
    run: nameAndAbout,
  },
  {
    id: "settings-are-strict",
    holds: "settings refuse names that they do not know, at every level",
    needsRig: false,
    run: settingsAreStrict,
  },
  {
    id: "settings-explain-themselves",
    holds: "settings have a JSON Schema, and each of them is described",
    needsRig: false,
    run: settingsExplainThemselves,
  },
  {
    id: "secrets-by-name",
    holds: "settings name a secret and never hold one",
    needsRig: false,
    run: secretsByName,
  },
  {
    id: "streams-are-named",
    holds: "streams have names of their own in small letters, and each says what it is",
    needsRig: false,
    run: (bench) => judgeStreams(bench, streamNames),
  },
  {
    id: "promises-agree",
    holds: "what a stream promises does not contradict itself",
    needsRig: false,
    run: (bench) => judgeStreams(bench, (streams) => streams.flatMap(contradictions)),
  },
  {
    id: "no-clock-no-environment",
    holds: "its code reads no clock, chance, environment or global client",
    needsRig: false,
    run: noClock,
  },
];

/** The probe ends at once when nothing was started. */
const PROBE_MS = 10_000;

async function importIsFree({ file }: Bench): Promise<Outcome> {
  if (file === null) return notHere("its file is not known");
  // No environment, no write, no network, no process; reading only what modules are made of.
  const probe = join(import.meta.dirname, "probe.ts");
  const args = ["--permission", "--allow-fs-read=*", "--no-warnings", probe, file];
  const child = spawn(process.execPath, args, {
    env: {},
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PROBE_MS,
  });
  const said: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const text = Buffer.concat(said).toString("utf8").trim();
  if (code === 0 && text === "") return [];
  return text === "" ? ["importing it does not come to an end"] : text.split("\n").slice(0, 3);
}

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

async function nameAndAbout({ connector, file }: Bench): Promise<Outcome> {
  const folder = file === null ? connector.name : basename(dirname(file));
  return [
    ...(NAME.test(connector.name)
      ? []
      : [`"${connector.name}" is no name of small letters, digits and dashes`]),
    ...(folder === connector.name
      ? []
      : [`it calls itself "${connector.name}" in the folder "${folder}"`]),
    ...(/\S+\s+\S+/.test(connector.about) ? [] : [`about says "${connector.about}"`]),
  ];
}

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

function schemaOf(settings: ZodType): Schema {
  return z.toJSONSchema(settings, { io: "input" }) as Schema;
}

/** Every part of a schema with the path of settings to it. */
function* partsOf(schema: Schema, path = ""): Generator<{ path: string; part: Schema }> {
  yield { path, part: schema };
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    yield* partsOf(inner, path === "" ? name : `${path}.${name}`);
  if (typeof schema.additionalProperties === "object")
    yield* partsOf(schema.additionalProperties, `${path}.*`);
  if (schema.items !== undefined) yield* partsOf(schema.items, `${path}[]`);
  for (const inner of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])])
    yield* partsOf(inner, path);
}

function schemaParts(bench: Bench): { path: string; part: Schema }[] | string {
  try {
    return [...partsOf(schemaOf(bench.connector.settings))];
  } catch (error) {
    return `no JSON Schema can be made of the settings: ${String(error)}`;
  }
}

async function settingsAreStrict(bench: Bench): Promise<Outcome> {
  const parts = schemaParts(bench);
  if (typeof parts === "string") return notHere(parts);
  const open = parts.filter(
    ({ part }) => part.properties !== undefined && part.additionalProperties !== false,
  );
  return open.map(
    ({ path }) => `${path === "" ? "settings" : path} lets unknown names through: z.strictObject`,
  );
}

async function settingsExplainThemselves(bench: Bench): Promise<Outcome> {
  const parts = schemaParts(bench);
  if (typeof parts === "string") return [parts];
  const described = new Set(
    parts.filter(({ part }) => (part.description ?? "") !== "").map(({ path }) => path),
  );
  const leaves = parts.filter(
    ({ path, part }) => /(?:^|\.)[^.*\][]+$/.test(path) && part.properties === undefined,
  );
  const missing = new Set(leaves.map(({ path }) => path).filter((path) => !described.has(path)));
  return [...missing].map((path) => `${path} has no description: .describe("…")`);
}

const SECRET_WORD =
  /(?:pass(?:word|phrase)?|secret|token|credentials?|(?:api|private|access|subscription)_?key)$/i;

/** What people have for passwords; a secret's name never looks like it. */
const PASSWORD_LIKE = "Pa55-word!x9/Q=";

async function secretsByName(bench: Bench): Promise<Outcome> {
  const parts = schemaParts(bench);
  if (typeof parts === "string") return notHere(parts);
  return parts
    .filter(({ path, part }) => SECRET_WORD.test(path) && part.type === "string")
    .filter(({ part }) => part.enum === undefined && part.const === undefined)
    .filter(({ part }) => part.pattern === undefined || matches(part.pattern, PASSWORD_LIKE))
    .map(
      ({ path }) =>
        `${path} takes any text, so a secret itself could stand there: let it be a secret's name, z.string().regex(/^[a-z][a-z0-9_]*$/), and ask host.secret() for it`,
    );
}

function matches(pattern: string, text: string): boolean {
  return new RegExp(pattern, "u").test(text);
}

async function judgeStreams(
  bench: Bench,
  judge: (streams: readonly StreamDefinition[]) => readonly string[],
): Promise<Outcome> {
  if (bench.rig !== null) return trial(bench, async ({ streams }) => judge(streams));
  const parsed = bench.connector.settings.safeParse(bench.settings ?? {});
  if (parsed.success) return judge(bench.connector.streams(parsed.data));
  return untried("its streams depend on settings, and none are known here");
}

function streamNames(streams: readonly StreamDefinition[]): readonly string[] {
  const names = streams.map(({ name }) => name);
  return [
    ...(names.length === 0 ? ["it has no stream"] : []),
    ...names
      .filter((name) => !NAME.test(name))
      .map((name) => `"${name}" is no name of small letters, digits and dashes`),
    ...[...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
      (name) => `two streams are called "${name}"`,
    ),
    ...streams
      .filter(({ about }) => about.trim() === "")
      .map(({ name }) => `${name} does not say what it is`),
  ];
}

function contradictions(stream: StreamDefinition): readonly string[] {
  const { name, reading, key, delta, deletions, row, range } = stream;
  const columns = row === undefined ? null : columnsOfRow(row);
  const wrong: (string | false)[] = [
    reading === "snapshot" && delta !== undefined && "a snapshot has no delta promise",
    reading === "snapshot" &&
      deletions !== undefined &&
      deletions !== "absence" &&
      `a snapshot shows removals by absence, not "${deletions}"`,
    reading === "snapshot" && range === true && "a snapshot is whole, and not read by days",
    reading === "delta" && deletions === "absence" && "absence says nothing in a delta",
    (deletions === "marked" || deletions === "keys") &&
      key === undefined &&
      `removals by "${deletions}" need the stream's key`,
    key?.length === 0 && "its key has no columns",
    key !== undefined && new Set(key).size < key.length && "its key names a column twice",
    columns !== null &&
      key?.some((column) => !columns.includes(column)) === true &&
      `its key (${key.join(", ")}) names columns that its row does not have`,
    ...(delta === undefined ? [] : deltaContradictions(delta)),
  ];
  return wrong.flatMap((what) => (what === false ? [] : [`${name}: ${what}`]));
}

function deltaContradictions(delta: NonNullable<StreamDefinition["delta"]>): (string | false)[] {
  const { grain, zone, overlap } = delta;
  return [
    grain === "number" && zone !== "none" && `numbers have no time zone ("${zone}")`,
    grain !== "number" && grain !== "day" && zone === "none" && `a ${grain} needs a time zone`,
    (!Number.isFinite(overlap) || overlap < 0) && `an overlap of ${overlap} is none`,
  ];
}

/** Columns of a row's shape; null when it is no plain object. */
function columnsOfRow(row: ZodType): readonly string[] | null {
  return row instanceof z.ZodObject ? Object.keys(row.shape) : null;
}

const WORLDLY: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\bDate\.now\b/, "Date.now"],
  [/\bnew Date\(\s*\)/, "new Date()"],
  [/\bTemporal\.Now\b/, "Temporal.Now"],
  [/\bperformance\.now\b/, "performance.now"],
  [/\bMath\.random\b/, "Math.random"],
  [/\bcrypto\.random\w+/, "crypto.random…"],
  [/\bprocess\./, "process"],
  [/(?<![.\w])fetch\(/, "fetch()"],
  [/\bsetInterval\(/, "setInterval()"],
];

async function noClock({ file }: Bench): Promise<Outcome> {
  if (file === null) return notHere("its file is not known");
  const folder = dirname(file);
  const entries = await readdir(folder, { recursive: true });
  const sources = entries.filter(
    (path) => path.endsWith(".ts") && !/^simulator(?:$|[\\/])/.test(path),
  );
  // A file of several connectors (tests have such) is judged alone.
  const own = basename(file) === "index.ts" ? sources : [basename(file)];
  const findings: string[] = [];
  for (const path of own) {
    const code = withoutWords(await readFile(join(folder, path), "utf8"));
    for (const [index, line] of code.split("\n").entries())
      for (const [pattern, what] of WORLDLY)
        if (pattern.test(line)) findings.push(`${path}:${index + 1} says ${what}: ask the host`);
  }
  return findings;
}

/** Comments and texts may speak of clocks; their lines stay where they are. */
function withoutWords(code: string): string {
  const words =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/g;
  return code.replaceAll(words, (found) => found.replaceAll(/[^\n]/g, " "));
}
