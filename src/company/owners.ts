/**
 * Which connection keeps a record. Several may make the same one, such as price rules by an
 * interface and by an extract of its tables: then the settings must name the owner, and the others'
 * mappings of that record are left out.
 */
import type { CompanySettings, CompletedSetting, SettingProblem, Settings } from "../config.ts";
import { loadConnector } from "../connector/index.ts";
import { nearest } from "../definition/index.ts";
import type { Mapping } from "../mapping/index.ts";
import { records } from "../model/index.ts";
import { checkConnector } from "./connectors.ts";
import type { MappingSet } from "./mapping-sets.ts";

/** A mapping that is not used, since another connection keeps its record. */
export interface LeftOut {
  readonly connection: string;
  readonly record: string;
  readonly file: string;
  /** The connection that keeps the record. */
  readonly owner: string;
}

export interface Owned {
  /** The mappings of a connection that are used. */
  mappingsOf(connection: string): readonly Mapping[];
  readonly leftOut: readonly LeftOut[];
  /** Settings of connections with their connectors' defaults. */
  readonly completed: readonly CompletedSetting[];
}

/** A mapping that has rows to read, and so makes its record. */
interface Claim {
  readonly connection: string;
  readonly mapping: Mapping;
}

/** Throws DefinitionError where a record has several makers and no owner, or an impossible one. */
export async function readOwners(
  settings: Settings,
  code: string,
  sets: ReadonlyMap<string, MappingSet>,
): Promise<Owned> {
  const company = settings.companies[code];
  if (company === undefined) throw new TypeError(`the settings name no company ${code}`);
  const completed: CompletedSetting[] = [];
  const claims: Claim[] = [];
  for (const [connection, entry] of Object.entries(company.connections)) {
    const complete = await checkConnector(settings, { company: code, name: connection, entry });
    completed.push(complete);
    const connector = await loadConnector(entry.connector, settings.connectorFolders);
    const streams = connector.streams(complete.value).map(({ name }) => name);
    for (const mapping of sets.get(entry.mappings)?.mappings ?? [])
      if (streams.includes(mapping.reads)) claims.push({ connection, mapping });
  }
  const problems = [...impossible(code, company, claims), ...unsettled(code, company, claims)];
  if (problems.length > 0) throw settings.wrong(...problems);
  return { ...owned(company, sets, claims), completed };
}

function owned(
  { connections, owners }: CompanySettings,
  sets: ReadonlyMap<string, MappingSet>,
  claims: readonly Claim[],
): Omit<Owned, "completed"> {
  const leftOut = claims.flatMap(({ connection, mapping }) => {
    const record = mapping.record.name;
    const owner = owners[record] ?? connection;
    return owner === connection ? [] : [{ connection, record, file: mapping.file, owner }];
  });
  const isLeftOut = (connection: string, { file }: Mapping) =>
    leftOut.some((each) => each.connection === connection && each.file === file);
  return {
    mappingsOf: (connection) => {
      const set = sets.get(connections[connection]?.mappings ?? "");
      return (set?.mappings ?? []).filter((mapping) => !isLeftOut(connection, mapping));
    },
    leftOut,
  };
}

/** One problem for each connection that makes what another makes too, at its own line. */
function unsettled(
  code: string,
  { connections, owners }: CompanySettings,
  claims: readonly Claim[],
): SettingProblem[] {
  return Object.entries(connections).flatMap(([connection, { mappings }]) => {
    const shared = claims.flatMap(({ connection: maker, mapping: { record } }) =>
      maker === connection && owners[record.name] === undefined
        ? others(claims, connection, record.name)
        : [],
    );
    const [first] = shared;
    if (first === undefined) return [];
    const also = [...new Set(shared.map((claim) => `connection "${claim.connection}"`))].join(", ");
    const made = [...new Set(shared.map(({ mapping }) => mapping.record.name))].join(", ");
    return {
      path: ["companies", code, "connections", connection, "mappings"],
      found: `"${mappings}", which makes ${made} for connection "${connection}" as ${also} does`,
      expected:
        "one connection that keeps a record: name it under the company's owners, such as " +
        `owners: { ${first.mapping.record.name}: ${connection} }`,
    };
  });
}

function others(claims: readonly Claim[], connection: string, record: string): Claim[] {
  return claims.filter(
    (claim) => claim.connection !== connection && claim.mapping.record.name === record,
  );
}

/** Owners that name no record, no connection, or one that does not make the record. */
function impossible(
  code: string,
  { connections, owners }: CompanySettings,
  claims: readonly Claim[],
): SettingProblem[] {
  return Object.entries(owners).flatMap(([record, owner]) => {
    const path = ["companies", code, "owners", record];
    const known = Object.keys(records);
    if (!known.includes(record))
      return {
        path,
        found: `the record "${record}"`,
        expected: `one of ${known.join(", ")}`,
        nearest: nearest(record, known),
      };
    const makers = claims
      .filter(({ mapping }) => mapping.record.name === record)
      .map(({ connection }) => connection);
    if (makers.includes(owner)) return [];
    const what = owner in connections ? "whose mappings make no" : "which is not there, for";
    return {
      path,
      found: `connection "${owner}", ${what} ${record}`,
      expected:
        makers.length === 0
          ? `no owner: no connection makes ${record}`
          : `one of ${[...new Set(makers)].join(", ")}`,
      nearest: nearest(owner, makers),
    };
  });
}

/** `customer (mappings/extract/customer.yaml of connection extract) is left out: erp keeps it` */
export function leftOutInWords({ connection, record, file, owner }: LeftOut): string {
  return `${file} is left out of connection ${connection}: ${owner} keeps ${record}`;
}
