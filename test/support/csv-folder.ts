/** A connection's folder in a temporary place, with a host whose clock the test moves. */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { loadConnector } from "../../src/connector/index.ts";
import type {
  Host,
  Json,
  KeptToken,
  ReadEvent,
  Session,
  TokenStore,
} from "../../src/connector/index.ts";

export interface Folder {
  readonly path: string;
  write(name: string, content: string | Buffer): Promise<void>;
  read(name: string): Promise<string>;
  /** Every file below, relative and sorted; folders of our own are shown too. */
  files(): Promise<readonly string[]>;
}

export interface TestHost extends Host {
  readonly logged: string[];
  /** Digests that count as applied, per stream. */
  readonly appliedDigests: Set<string>;
  pass(ms: number): void;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "tradepost-csv-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  await mkdir(join(path, "out"));
  return {
    path,
    async write(name, content) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), content);
    },
    read: (name) => readFile(join(path, name), "utf8"),
    async files() {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
        .sort();
    },
  };
}

export function testHost(): TestHost {
  let now = Temporal.Instant.from("2026-03-31T01:30:00Z");
  const logged: string[] = [];
  const appliedDigests = new Set<string>();
  return {
    logged,
    appliedDigests,
    pass(ms) {
      now = now.add({ milliseconds: ms });
    },
    now: () => now,
    timeZone: "Europe/London",
    signal: new AbortController().signal,
    log: (level, message) => logged.push(`${level}: ${message}`),
    secret: (name) => name,
    tokens: memoryTokens(),
    turn: async () => {},
    wait: async (ms) => {
      now = now.add({ milliseconds: ms });
    },
    appliedBefore: async (stream, sha256) => appliedDigests.has(`${stream} ${sha256}`),
  };
}

/** Tokens of one process, as a session alone would see them. */
function memoryTokens(): TokenStore {
  const kept = new Map<string, KeptToken>();
  return {
    read: async (name) => kept.get(name) ?? null,
    write: async (name, value, seen) => {
      if ((kept.get(name)?.version ?? 0) !== (seen?.version ?? 0)) return false;
      kept.set(name, { value, version: (seen?.version ?? 0) + 1 });
      return true;
    },
    alone: (_name, refresh) => refresh(),
  };
}

/**
 * The connector itself, opened on the folder; files count as stable at once unless settings say
 * otherwise.
 */
export async function openCsv(
  folder: Folder,
  host: TestHost,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Session> {
  const connector = await loadConnector("csv");
  const given = connector.settings.parse({ folder: folder.path, stableForMs: 0, ...settings });
  return connector.open(given, host);
}

export interface State {
  cursor: Json | null;
  readonly host?: TestHost;
}

/** Reads a stream, commits as the host does at each checkpoint, and tells what came. */
export async function pull(session: Session, stream: string, state: State): Promise<string> {
  const events: ReadEvent[] = [];
  for await (const event of session.read(stream, state.cursor)) {
    events.push(event);
    if (event.kind === "origin") state.host?.appliedDigests.add(`${stream} ${event.origin.sha256}`);
    if (event.kind === "checkpoint" || event.kind === "unchanged") {
      state.cursor = event.cursor;
      await session.applied?.(stream, event.cursor);
    }
    if (event.kind === "refused") {
      await session.setAside?.(stream, event.origin, `${event.reason} ${event.instruction}`);
    }
  }
  return told(events);
}

export async function readAll(
  session: Session,
  stream: string,
  cursor: Parameters<Session["read"]>[1] = null,
): Promise<ReadEvent[]> {
  const events: ReadEvent[] = [];
  for await (const event of session.read(stream, cursor)) events.push(event);
  return events;
}

/** One line an event, as a test compares it. */
export function told(events: readonly ReadEvent[]): string {
  return events.map(tell).join("\n");
}

function tell(event: ReadEvent): string {
  switch (event.kind) {
    case "origin":
      return `origin ${event.origin.name}, kept at ${event.origin.keptAt}`;
    case "rows":
      return event.rows.map(({ line, values }) => `${line}: ${JSON.stringify(values)}`).join("\n");
    case "reject":
      return `${event.line}: rejected ${event.raw}: ${event.reason}`;
    case "refused":
      return `refused ${event.origin.name}: ${event.reason} ${event.instruction}`;
    case "checkpoint":
      return `checkpoint${event.more ? ", more waits" : ""}`;
    case "unchanged":
      return `unchanged ${event.origin.name}${event.more ? ", more waits" : ""}`;
    case "totals":
      return `totals ${event.rows}`;
    case "mark":
      return "mark";
    case "same":
      return `same ${event.rows}`;
    case "gone":
      return event.rows.map(({ line, raw }) => `${line}: gone ${raw}`).join("\n");
  }
}
