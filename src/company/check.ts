/** What `tradepost check` looks at in a company: first its files, then what only opening shows. */
import type { CompanySettings, CompletedSetting, ConnectionSettings, Settings } from "../config.ts";
import type { Connection, Standings } from "../connections/index.ts";
import type { Finding } from "../connector/index.ts";
import type { Mapping } from "../mapping/index.ts";
import { describeProblem } from "../definition/index.ts";
import { checkPolicyExamples } from "../pricing/index.ts";
import { checkAlarms } from "./alarms.ts";
import { answersOf, answersRead } from "./answers.ts";
import { checkConnector } from "./connectors.ts";
import { checkPolicy, readMappingSets, type MappingSet } from "./mapping-sets.ts";
import { checkTokens } from "./price-tokens.ts";
import { checkSchedules } from "./schedules.ts";
import { contradictionOf } from "./standing-words.ts";
import { leftOutInWords, readOwners, type Owned } from "./owners.ts";

/** One thing that was looked at. */
export interface Checked {
  /** `mappings tradepost-csv`, `connection erp` */
  readonly part: string;
  readonly state: "fine" | "warning" | "error";
  /** What it is, or what is wrong with it. */
  readonly about: string;
  /** What to do; null where nothing is to be done. */
  readonly instruction: string | null;
}

export interface NamedConnection {
  readonly company: string;
  readonly name: string;
  readonly entry: ConnectionSettings;
}

export interface CheckedFiles {
  readonly parts: readonly Checked[];
  /** Settings of connections with their connectors' defaults. */
  readonly completed: readonly CompletedSetting[];
}

/**
 * Without a database: mappings with their examples, and what the connectors say of their settings.
 */
export async function checkFiles(settings: Settings, code: string): Promise<CheckedFiles> {
  const company = settings.companies[code];
  const checked: Checked[] = [];
  const completed: CompletedSetting[] = [];
  if (company === undefined) return { parts: checked, completed };
  const read = await attempt("mappings", () => readMappingSets(settings, code, company));
  if ("part" in read) checked.push(read);
  else for (const [name, set] of read.value) checked.push(...checkSet(name, set));
  const priced = await attempt("pricing", () => checkPolicy(settings, code, company.pricing));
  checked.push("part" in priced ? priced : fine("pricing", priced.value));
  if (!("part" in priced))
    checked.push(...(await checkExamplesOf(settings, company.pricing.policy)));
  for (const [name, entry] of Object.entries(company.connections)) {
    const named = { company: code, name, entry };
    const tried = await attempt(`connection ${name}`, () => checkConnector(settings, named));
    if ("part" in tried) checked.push(tried);
    else completed.push(tried.value);
  }
  checked.push(...checkTokens(settings, company), ...checkAlarms(settings, company));
  const isWhole = completed.length === Object.keys(company.connections).length;
  if (!("part" in read) && isWhole)
    checked.push(...(await checkStreams(settings, code, read.value)));
  return { parts: checked, completed };
}

/** The examples beside the price policy. */
async function checkExamplesOf(settings: Settings, policy: string): Promise<Checked[]> {
  const part = `policy ${policy}`;
  const tried = await attempt(part, () => checkPolicyExamples(policy, settings.mappingFolders));
  if ("part" in tried) return [tried];
  if (tried.value === null)
    return [
      {
        part,
        state: "warning",
        about: "it has no examples, so nothing shows that it says what is meant",
        instruction: "Put a pricing.examples.yaml beside its pricing.yaml.",
      },
    ];
  const { file, results } = tried.value;
  const wrong = results.flatMap(({ example, problems }) =>
    problems.map((problem) =>
      describeProblem(file, {
        ...problem,
        path: `${problem.path} (${example})`,
      }),
    ),
  );
  if (wrong.length === 0) return [fine(part, `${results.length} examples hold`)];
  const instruction = "Correct the examples or the policy: one of the two is not meant.";
  return [{ part, state: "error", about: wrong.join("\n"), instruction }];
}

/** Records that several connections could make, and schedules, which name streams of one. */
async function checkStreams(
  settings: Settings,
  code: string,
  sets: ReadonlyMap<string, MappingSet>,
): Promise<Checked[]> {
  const owned = await attempt("owners", () => readOwners(settings, code, sets));
  if ("part" in owned) return [owned];
  const { leftOut } = owned.value;
  const streamsOf = (name: string) => [
    ...new Set(owned.value.mappingsOf(name).map(({ reads }) => reads)),
  ];
  const due = await attempt("schedules", async () =>
    checkSchedules(settings, code, streamsOf, Temporal.Now.instant()),
  );
  return [
    ...leftOut.map((each) => fine("owners", leftOutInWords(each))),
    ...("part" in due ? [due] : due.value),
  ];
}

function checkSet(name: string, set: MappingSet): Checked[] {
  const part = `mappings ${name}`;
  if (set.problems.length > 0)
    return set.problems.map((about) => ({
      part,
      state: "error",
      about,
      instruction: "Mend the mapping or the example.",
    }));
  const orders = set.outbound === null ? "no web orders" : "web orders";
  const about = `${set.mappings.length} records, ${orders}, examples of ${set.exampleFiles} files hold`;
  return [fine(part, about)];
}

function fine(part: string, about: string): Checked {
  return { part, state: "fine", about, instruction: null };
}

/** With everything open: what the connections find, and mappings that nothing feeds. */
export async function checkConnections(
  settings: CompanySettings,
  owned: Owned,
  connect: (name: string) => Promise<Connection>,
  standings: Standings,
): Promise<Checked[]> {
  const checked: Checked[] = [];
  for (const [name, entry] of Object.entries(settings.connections)) {
    checked.push(...(await checkStanding(settings, name, standings)));
    const part = `connection ${name}`;
    const found = await attempt(part, async () => {
      await using connection = await connect(name);
      const findings = [
        ...((await connection.session.check?.()) ?? []),
        ...unfed(connection, owned.mappingsOf(name)),
        ...unread(settings, owned, connection),
      ];
      const streams = `${connection.streams.length} streams`;
      return findings.length === 0
        ? [fine(part, `${entry.connector}, ${MODES[entry.mode]}, ${streams}`)]
        : findings.map(({ level, what: about, instruction }) => {
            return { part, state: level, about, instruction };
          });
    });
    checked.push(...("part" in found ? [found] : found.value));
  }
  return checked;
}

/** Where the settings and what is recorded differ, and what stands still. */
async function checkStanding(
  settings: CompanySettings,
  name: string,
  standings: Standings,
): Promise<Checked[]> {
  if (settings.orders.connection !== name) return [];
  const wished = settings.connections[name]?.mode ?? "read-only";
  const { paused } = await standings.of(name, wished);
  const part = `connection ${name}`;
  const checked: Checked[] = [];
  const asked = { name, wished, timeZone: settings.timeZone };
  const contradiction = await contradictionOf(standings, asked);
  if (contradiction !== null) checked.push({ part, state: "warning", ...contradiction });
  if (paused !== null)
    checked.push({
      part,
      state: "warning",
      about: `Nothing is read or handed over: ${paused}.`,
      instruction: `See tradepost maintenance; it ends with tradepost maintenance off ${name} --who NAME --why WHY.`,
    });
  return checked;
}

const MODES = {
  live: "live: hands web orders over",
  shadow: "shadow: compares web orders with what staff keyed, and hands nothing over",
  "read-only": "read-only: hands nothing over",
} as const;

/** Orders that are handed over, or compared, and whose answers nobody reads. */
function unread(
  settings: CompanySettings,
  owned: Owned,
  { name, session: { orders } }: Connection,
): Finding[] {
  const takesOrders = settings.orders.connection === name && orders !== undefined;
  if (!takesOrders || settings.connections[name]?.mode === "read-only") return [];
  const {
    fine: isRead,
    about,
    instruction,
  } = answersRead(settings, answersOf(settings, owned), orders);
  return isRead ? [] : [{ level: "warning", what: about, instruction: instruction ?? "" }];
}

function unfed(connection: Connection, mappings: readonly Mapping[]): Finding[] {
  const streams = connection.streams.map((stream) => stream.name);
  return mappings
    .filter((mapping) => !streams.includes(mapping.reads))
    .map((mapping) => ({
      level: "warning",
      what: `${mapping.file} reads "${mapping.reads}", and connection "${connection.name}" has no such stream.`,
      instruction: `Its streams are ${streams.join(", ")}.`,
    }));
}

async function attempt<T>(part: string, work: () => Promise<T>): Promise<{ value: T } | Checked> {
  try {
    return { value: await work() };
  } catch (error) {
    const about = error instanceof Error ? error.message : String(error);
    const said: unknown = error instanceof Error ? Reflect.get(error, "instruction") : null;
    return { part, state: "error", about, instruction: typeof said === "string" ? said : null };
  }
}
