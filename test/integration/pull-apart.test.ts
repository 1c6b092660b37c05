import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { readSettings, type Settings } from "../../src/config.ts";
import { pullApart, type PullApart } from "../../src/main.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const home = mkdtempSync(join(tmpdir(), "tradepost-apart-"));
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

const CUSTOMERS = { connection: "erp", options: { streams: ["customers"] } };
let companies = 0;

interface Merchant {
  readonly company: string;
  readonly settings: Settings;
  readonly write: (name: string, ...lines: readonly string[]) => void;
}

/** A company with a folder of files of its own, in settings of its own. */
function merchant(more: Readonly<Record<string, unknown>> = {}): Merchant {
  companies += 1;
  const company = `APART${companies}`;
  const folder = join(home, company);
  mkdirSync(join(folder, "erp", "out"), { recursive: true });
  const file = join(folder, "tradepost.yaml");
  const erp = {
    connector: "csv",
    mappings: "tradepost-csv",
    settings: { folder: join(folder, "erp"), stableForMs: 0 },
  };
  const settings = { companies: { [company]: { name: "Apart", connections: { erp } } }, ...more };
  writeFileSync(file, stringify(settings));
  return {
    company,
    settings: { ...readSettings({ file }), databaseUrl: database.store.url },
    write: (name, ...lines) => {
      writeFileSync(join(folder, "erp", "out", name), `${lines.join("\r\n")}\r\n`);
    },
  };
}

function apart(more: Partial<PullApart> = {}): PullApart {
  return { log: () => undefined, now: () => Temporal.Now.instant(), ...more };
}

function many(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `A${at},Customer ${at}`);
}

/** Ids of this process's children that pull. */
function pullers(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");
  return children
    .split(" ")
    .map(Number)
    .filter((pid) => pid > 0 && commandLine(pid).includes("pull-process.ts"));
}

function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8");
}

async function count(company: string): Promise<number | undefined> {
  const [row] = await database.store.query<{ n: number }>(
    "select count(*) as n from customer where company = $1",
    [company],
  );
  return row?.n;
}

test("a pull in a process of its own answers as one in the service does, by the service's clock", async () => {
  const { company, settings, write } = merchant();
  write("customers.csv", "account,name", "A1,Ashby", "A2,Bell", "A2");
  const log: string[] = [];
  const heard: string[] = [];
  const results = await pullApart(
    settings,
    { company, ...CUSTOMERS },
    apart({
      now: () => Temporal.Now.instant().add({ hours: 48 }),
      log: (_level, message) => log.push(message),
      progress: ({ stream, origin }) => heard.push(`${stream} ${origin}`),
    }),
  );
  expect(results.map(({ state, rows }) => ({ state, rows }))).toEqual([
    {
      state: "published",
      rows: { read: 3, mapped: 2, ignored: 0, repeated: 0, quarantined: 1 },
    },
  ]);
  expect(heard).toEqual(["customers customers.csv"]);
  const [row] = await database.store.query<{ at: Temporal.Instant }>(
    "select max(learned_at) as at from customer where company = $1",
    [company],
  );
  const ahead = row?.at.since(Temporal.Now.instant()).total("hours") ?? 0;
  expect(ahead).toBeGreaterThan(47);
});

test("what makes a pull fail comes back as its own fault, with what to do", async () => {
  const { company, settings } = merchant();
  const request = { company, connection: "erp", options: { streams: ["custoners"] } };
  await expect(pullApart(settings, request, apart())).rejects.toMatchObject({
    name: "ConnectorFault",
    kind: "config",
    message: expect.stringContaining('no stream "custoners"') as string,
    instruction: expect.stringContaining("customers") as string,
  });
});

test.skipIf(process.platform !== "linux")(
  "a pull that is killed is told of, shows nothing half done, and the next one is whole; its command line tells no secret",
  async () => {
    const { company, settings, write } = merchant();
    write("customers.csv", "account,name", ...many(30_000));
    let line = "";
    const killed = pullApart(
      settings,
      { company, ...CUSTOMERS },
      apart({
        progress: () => {
          for (const pid of pullers()) {
            line = commandLine(pid);
            process.kill(pid, "SIGKILL");
          }
        },
      }),
    );
    await expect(killed).rejects.toThrow(
      `Pulling erp of ${company}: its process ended with SIGKILL before it was done.`,
    );
    expect(line).toContain("pull-process.ts");
    expect(line).not.toContain("postgresql:");
    expect(line).not.toContain(company);
    expect(await count(company)).toBe(0);
    await database.store.affect(
      "update stream_state set holder = null, lease_until = null where company = $1",
      [company],
    );
    const [again] = await pullApart(settings, { company, ...CUSTOMERS }, apart());
    expect(again?.state).toBe("published");
    expect(await count(company)).toBe(30_000);
  },
);

test("a pull that is told to stop ends in order, and the next one is whole", async () => {
  const { company, settings, write } = merchant();
  write("customers.csv", "account,name", ...many(60_000));
  const stop = new AbortController();
  const [stopped] = await pullApart(
    settings,
    { company, ...CUSTOMERS },
    apart({
      signal: stop.signal,
      progress: () => {
        stop.abort();
      },
    }),
  );
  expect(stopped?.notes).toContainEqual(expect.stringContaining("stopped with its service"));
  expect(await count(company)).toBe(0);
  const [again] = await pullApart(settings, { company, ...CUSTOMERS }, apart());
  expect(again?.state).toBe("published");
  expect(await count(company)).toBe(60_000);
});

test("a service with a database of its own shares it with the pull's process", async () => {
  const { openTradepost } = await import("../../src/main.ts");
  const { company, settings, write } = merchant({ database: { folder: join(home, "data") } });
  const own = { ...settings, databaseUrl: null };
  write("customers.csv", "account,name", "A1,Ashby");
  await using service = await openTradepost(own, { service: true, log: () => undefined });
  const [result] = await pullApart(own, { company, ...CUSTOMERS }, apart());
  expect(result?.state).toBe("published");
  const rows = await service.store.query("select name from customer where company = $1", [company]);
  expect(rows).toEqual([{ name: "Ashby" }]);
});
