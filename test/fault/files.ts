/**
 * Files over SFTP under faults: lines cut at any byte, files that grow, servers that vanish, names
 * and contents used again, markers written too early, another host behind the address. The far side
 * keeps its own account of what it wrote; a file must come in whole, once, and from the right host.
 */
import { gzipSync } from "node:zlib";
import { randomOf } from "../../deploy/demo/merchant/index.ts";
import { openFileSession } from "#connector/files";
import type { FileStream } from "#connector/files";
import { openSftpFolder, sftpSettings } from "#connector/sftp";
import type { SftpOptions } from "#connector/sftp";
import { ConnectorFault } from "../../src/connector/index.ts";
import type { Host, Json, Session } from "../../src/connector/index.ts";
import { hostKey, startCutter, startSftpServer } from "../support/sftp-server.ts";
import type { SftpServer } from "../support/sftp-server.ts";
import { inOwnFolder, laneHost } from "./lane-host.ts";
import type { Lane, LaneOptions, LaneRow } from "./lane.ts";

type Random = ReturnType<typeof randomOf>;

const STREAMS: readonly FileStream[] = [
  { name: "receipts", about: "a delta", reading: "delta", files: "receipts{,-*}.csv" },
  { name: "customers", about: "a snapshot", reading: "snapshot", files: "customers{,-*}.csv" },
];
/** So many runs settle anything; what is left then is stuck. */
const MOST_RUNS = 14;

type Experiment = (trial: Trial) => Promise<void>;

export const files: Lane = (options) => inOwnFolder(() => tryAll(options));

async function tryAll({ seed, ci, say }: LaneOptions): Promise<readonly LaneRow[]> {
  const each = ci ? 8 : 143;
  const rows: LaneRow[] = [];
  for (const [name, experiment] of Object.entries(EXPERIMENTS)) {
    const account = { lost: 0, duplicated: 0, stuck: 0, unaccounted: 0 };
    const findings: string[] = [];
    for (let i = 0; i < each; i++) {
      const one = seed + i;
      const found = await tried(one, experiment);
      for (const { what, figure } of found) {
        account[figure] += 1;
        findings.push(`seed ${one}: ${what}`);
      }
    }
    say(`${name}: ${each} tried, ${findings.length} findings`);
    rows.push({ row: "F5", experiment: name, injected: each, ...account, findings });
  }
  return rows;
}

interface Found {
  readonly figure: "lost" | "duplicated" | "stuck" | "unaccounted";
  readonly what: string;
}

async function tried(seed: number, experiment: Experiment): Promise<readonly Found[]> {
  const server = await startSftpServer();
  const trial = new Trial(seed, server);
  try {
    await experiment(trial);
    return trial.findings();
  } catch (error) {
    return [{ figure: "stuck", what: `it threw ${String(error)}` }];
  } finally {
    await trial.server[Symbol.asyncDispose]();
  }
}

/** The far side, its account of what it wrote whole, and what our side has committed. */
class Trial {
  readonly random: Random;
  server: SftpServer;
  readonly pinned: string;
  readonly port: number;
  /** Rows of each delta content, by their text; snapshots in the order in which they were whole. */
  readonly written = { receipts: new Set<string>(), customers: [] as string[] };
  readonly committed = { receipts: [] as string[], customers: [] as string[] };
  readonly problems: Found[] = [];
  readonly #cursors = new Map<string, Json>();
  readonly #applied = new Set<string>();

  constructor(seed: number, server: SftpServer) {
    this.random = randomOf(seed, "files");
    this.server = server;
    this.pinned = server.fingerprint;
    this.port = server.port;
  }

  receipts(): string {
    const rows = this.random.whole(1, this.random.pick([5, 400, 4_000]));
    const id = this.random.whole(1e6, 9e6);
    return table(Array.from({ length: rows }, (_, i) => `R${id}-${i},${i}.00`));
  }

  customers(rows = this.random.whole(1, this.random.pick([5, 400, 4_000]))): string {
    const id = this.random.whole(1e6, 9e6);
    return table(Array.from({ length: rows }, (_, i) => `C${i},${id}`));
  }

  /** The far side vouches for it from now on. */
  vouch(content: string): void {
    if (content.includes("\nR")) for (const row of rowsOf(content)) this.written.receipts.add(row);
    else this.written.customers.push(content);
  }

  put(name: string, content: string, seconds = 1): void {
    this.server.put(`out/${name}`, name.endsWith(".gz") ? gzipSync(content) : content, seconds);
    this.vouch(content);
  }

  /** What lies under this name, if anything does, was committed. */
  wasRead(name: string): boolean {
    const content = this.server.text(`out/${name}`);
    const { receipts, customers } = this.committed;
    return (
      content === "" ||
      customers.includes(content) ||
      rowsOf(content).every((row) => receipts.includes(row))
    );
  }

  /** One run of every stream, as the host makes it; false: it ended with a fault. */
  async run(setup: Setup = {}): Promise<boolean> {
    try {
      await using session = await this.#open(setup);
      for (const { name } of STREAMS) await this.#pull(session, name, setup);
      return true;
    } catch (error) {
      if (error instanceof Killed) return false;
      if (!(error instanceof ConnectorFault)) throw error;
      setup.onFault?.(error);
      return false;
    }
  }

  async settle(setup: Setup = {}): Promise<void> {
    for (let runs = 0; runs < MOST_RUNS; runs++) {
      const went = await this.run(setup);
      const left = this.server.names().filter((name) => name.startsWith("out/"));
      if (went && left.length === 0) return;
    }
    const left = this.server.names().filter((name) => name.startsWith("out/"));
    this.problems.push({ figure: "stuck", what: `${left.join(", ")} after ${MOST_RUNS} runs` });
  }

  findings(): readonly Found[] {
    const found = [...this.problems];
    const seen = new Set<string>();
    for (const row of this.committed.receipts) {
      if (seen.has(row)) found.push({ figure: "duplicated", what: `${row} came twice` });
      if (!this.written.receipts.has(row))
        found.push({ figure: "unaccounted", what: `${row} was never written whole` });
      seen.add(row);
    }
    const lost = [...this.written.receipts].filter((row) => !seen.has(row));
    if (lost.length > 0)
      found.push({ figure: "lost", what: `${lost.length} rows, the first ${lost[0]}` });
    for (const content of this.committed.customers)
      if (!this.written.customers.includes(content))
        found.push({ figure: "unaccounted", what: "a snapshot that was never whole was applied" });
    const [last, wanted] = [this.committed.customers.at(-1), this.written.customers.at(-1)];
    if (last !== wanted)
      found.push({ figure: "lost", what: "the last snapshot is not the one applied" });
    return found;
  }

  async #open({ complete = "stable", port, pastMs = 0, retries = 2 }: Setup): Promise<Session> {
    const host = this.#host();
    const given = {
      host: "127.0.0.1",
      port: port ?? this.port,
      user: "erp",
      hostKeys: [this.pinned],
      passwordSecret: "erp",
      folder: "/",
    };
    const options: SftpOptions = { pastMs, retries, retryAfterMs: 0, answerMs: 5_000 };
    return openFileSession(
      {
        folder: openSftpFolder(sftpSettings.parse(given), host, options),
        streams: STREAMS,
        format: { delimiter: ",", encoding: "auto", maxFieldBytes: 1_000, maxRowBytes: 10_000 },
        complete,
        stableForMs: 1_000,
        orderDelimiter: ",",
        // The far side's clock is its own: the time between two looks is what it does meanwhile.
        wait: async () => {},
      },
      host,
    );
  }

  async #pull(session: Session, stream: string, { kill }: Setup): Promise<void> {
    let rows: string[] = [];
    let digests: string[] = [];
    for await (const event of session.read(stream, this.#cursors.get(stream) ?? null)) {
      if (event.kind === "origin") digests.push(`${stream} ${event.origin.sha256}`);
      if (event.kind === "rows") rows.push(...event.rows.map(({ raw }) => raw));
      if (event.kind === "reject" || event.kind === "refused")
        this.problems.push({ figure: "lost", what: `${stream}: ${event.reason}` });
      if (event.kind === "refused") await session.setAside?.(stream, event.origin, event.reason);
      if (event.kind !== "checkpoint" && event.kind !== "unchanged") continue;
      // From here on it is committed, as by the transaction of the host.
      this.#cursors.set(stream, event.cursor);
      for (const digest of digests) this.#applied.add(digest);
      if (stream === "receipts") this.committed.receipts.push(...rows);
      else if (event.kind === "checkpoint") this.committed.customers.push(table(rows));
      [rows, digests] = [[], []];
      if (kill?.(stream) === true) throw new Killed();
      await session.applied?.(stream, event.cursor);
    }
  }

  #host(): Host {
    const { password } = this.server;
    return laneHost({
      signal: new AbortController().signal,
      secret: () => password,
      appliedBefore: async (stream, sha256) => this.#applied.has(`${stream} ${sha256}`),
    });
  }
}

interface Setup {
  readonly complete?: "stable" | "done-marker" | "manifest";
  readonly port?: number;
  readonly pastMs?: number;
  readonly retries?: number;
  /** True: the process ends between the commit and what follows it. */
  readonly kill?: (stream: string) => boolean;
  readonly onFault?: (fault: ConnectorFault) => void;
}

class Killed extends Error {}

const HEADER = "id,value\n";

function table(rows: readonly string[]): string {
  return `${HEADER}${rows.map((row) => `${row}\n`).join("")}`;
}

function rowsOf(content: string): readonly string[] {
  return content.slice(HEADER.length, -1).split("\n");
}

const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  "cut at any byte": async (trial) => {
    const packed = trial.random.chance(0.3) ? ".gz" : "";
    trial.put(`receipts-1.csv${packed}`, trial.receipts());
    trial.put("receipts-2.csv", trial.receipts());
    trial.put(`customers-1.csv${packed}`, trial.customers());
    const cuts = Array.from({ length: trial.random.whole(1, 5) }, () =>
      trial.random.whole(0, trial.random.pick([4_000, 40_000, 200_000])),
    );
    await using cutter = await startCutter(trial.port, cuts);
    const retries = trial.random.pick([0, 1, 2]);
    await trial.settle({ port: cutter.port, retries });
  },

  "growing file": async (trial) => {
    for (const name of ["receipts-1.csv", "customers-1.csv"]) {
      const content = name.startsWith("r") ? trial.receipts() : trial.customers();
      // Between any two looks it has grown, and now and then while it is read.
      growing(trial, name, content, { whileRead: 0.2 });
    }
    await trial.settle();
  },

  "dropped server": async (trial) => {
    trial.put("receipts-1.csv", trial.receipts());
    trial.put("customers-1.csv", trial.customers());
    for (let drops = trial.random.whole(1, 3); drops > 0; drops--) {
      let left = trial.random.whole(1, 60);
      trial.server.before = () => (--left === 0 ? "cut" : undefined);
      await trial.run({ retries: trial.random.pick([0, 1]) });
      const { server } = trial;
      await server[Symbol.asyncDispose]();
      await trial.run({ retries: 0 });
      const { files, folders, hostKey: key, port } = server;
      trial.server = await startSftpServer({ files, folders, hostKey: key, port });
    }
    await trial.settle();
  },

  "same name, new content": async (trial) => {
    const size = trial.random.whole(1, 300);
    // Within the second of its time no time tells the two apart.
    const within = trial.random.chance(0.5);
    const seconds = within ? 0 : 1;
    let times = 3;
    // What was read is replaced before it can be put away; what was not is not: it would be gone.
    const kill = (stream: string) => {
      if (trial.wasRead(`${stream}.csv`) && times-- > 0)
        trial.put(
          `${stream}.csv`,
          stream === "receipts" ? trial.receipts() : trial.customers(size),
          seconds,
        );
      return trial.random.chance(0.2);
    };
    trial.put("customers.csv", trial.customers(size));
    trial.put("receipts-0.csv", trial.receipts());
    await trial.settle({ kill, pastMs: within ? 60_000 : 0 });
  },

  "same content, new name": async (trial) => {
    const [receipts, customers, other] = [trial.receipts(), trial.customers(), trial.customers()];
    const kill = () => trial.random.chance(0.3);
    for (const [i, content] of [customers, other, customers, customers].entries()) {
      trial.put(`customers-${i}.csv`, content);
      trial.put(`receipts-${i}.csv`, receipts);
      if (trial.random.chance(0.5)) await trial.run({ kill });
    }
    await trial.settle({ kill });
    const wanted = [customers, other, customers];
    if (trial.committed.customers.join() !== wanted.join())
      trial.problems.push({
        figure: "duplicated",
        what: `A, B, A, A was applied ${trial.committed.customers.length} times`,
      });
  },

  "marker first": async (trial) => {
    const complete = trial.random.pick(["done-marker", "manifest"] as const);
    const content = trial.receipts();
    const marker = complete === "manifest" ? ".manifest.json" : ".done";
    const stated = complete === "manifest" ? JSON.stringify({ note: "written too early" }) : "";
    trial.server.put(`out/receipts-1.csv${marker}`, stated);
    // Sometimes within the second of the marker.
    growing(trial, "receipts-1.csv", content, { seconds: trial.random.whole(0, 1) });
    await trial.settle({ complete });
  },

  "changed host key": async (trial) => {
    trial.put("receipts-1.csv", trial.receipts());
    trial.put("customers-1.csv", trial.customers());
    let left = trial.random.whole(0, 40);
    trial.server.before = () => (--left === 0 ? "cut" : undefined);
    if (trial.random.chance(0.7)) await trial.run({ retries: 0 });
    const { server: right } = trial;
    await right[Symbol.asyncDispose]();
    const { files, folders, port, hostKey: key } = right;
    const wrong = await startSftpServer({ port, hostKey: hostKey() });
    wrong.put("out/receipts-9.csv", table(["R0,wrong"]));
    wrong.put("out/customers-9.csv", table(["C0,wrong"]));
    const faults: ConnectorFault[] = [];
    await trial.run({ onFault: (fault) => faults.push(fault) });
    if (wrong.asked.length > 0)
      trial.problems.push({
        figure: "unaccounted",
        what: `the wrong host was asked ${wrong.asked[0]}`,
      });
    if (faults[0]?.kind !== "auth")
      trial.problems.push({ figure: "stuck", what: `not said to be another host: ${faults[0]}` });
    await wrong[Symbol.asyncDispose]();
    trial.server = await startSftpServer({ files, folders, port, hostKey: key });
    await trial.settle();
  },
};

/** The file grows with each look at the folder, just before it or just after, until it is whole. */
function growing(
  trial: Trial,
  name: string,
  content: string,
  { whileRead = 0, seconds = 1 }: { readonly whileRead?: number; readonly seconds?: number },
): void {
  const { random, server } = trial;
  const cuts = Array.from({ length: random.whole(1, 5) }, () =>
    random.whole(1, content.length - 1),
  );
  const ends = [...cuts.sort((a, b) => a - b), content.length];
  const grow = () => {
    const end = ends.shift();
    if (end !== undefined) server.put(`out/${name}`, content.slice(0, end), seconds);
    if (end === content.length) trial.vouch(content);
  };
  grow();
  const moment = random.pick(["before", "after"] as const);
  const others = server[moment];
  server[moment] = (request) => {
    if (request.does === "list" || (request.does === "read" && random.chance(whileRead))) grow();
    return others(request);
  };
}
