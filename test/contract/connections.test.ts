import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { learn, openGuarded } from "../../src/connections/guard.ts";
import { readKeys, type TokenKeys } from "../../src/connections/keys.ts";
import { tokenStore } from "../../src/connections/tokens.ts";
import { turnOf } from "../../src/connections/turn.ts";
import {
  ConnectorFault,
  createHider,
  type ReadEvent,
  type Session,
  type TokenStore,
} from "../../src/connector/index.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const OLD = "an old key of more than 24 characters";
const NEW = "a new key of more than 24 characters";

let other: Store;
let folder: string;
beforeAll(async () => {
  other = await openStore({ url: database.store.url, migrate: false, connections: 2 });
  folder = await mkdtemp(join(tmpdir(), "tradepost-keys-"));
});
afterAll(async () => {
  await other.close();
  await rm(folder, { recursive: true });
});

interface Clock {
  at: Temporal.Instant;
}
const clock = (): Clock => ({ at: Temporal.Instant.from("2026-03-31T08:00:00Z") });

function tokensOf(given: {
  store?: Store;
  connection?: string;
  keys?: Promise<TokenKeys>;
  clock?: Clock;
  leaseSeconds?: number;
  learnt?: (text: string) => void;
}): TokenStore {
  const time = given.clock ?? { at: Temporal.Now.instant() };
  return tokenStore({
    store: given.store ?? database.store,
    company: "HARROW",
    connection: given.connection ?? "erp",
    now: () => (given.clock === undefined ? Temporal.Now.instant() : time.at),
    keys: () => given.keys ?? readKeys(OLD, null),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20))),
    learnt: given.learnt ?? (() => undefined),
    leaseSeconds: given.leaseSeconds ?? 30,
  });
}

describe("a token", () => {
  test("is kept for all instances, and never in clear", async () => {
    const [one, two] = [tokensOf({}), tokensOf({ store: other })];
    expect(await one.read("clear")).toBeNull();
    expect(await one.write("clear", "refresh-token-9f8e7d", null)).toBe(true);
    expect(await two.read("clear")).toEqual({ value: "refresh-token-9f8e7d", version: 1 });
    const rows = await database.store.query("select * from connection_token where name = 'clear'");
    const dump = inspect(rows, { depth: 9, maxArrayLength: null });
    expect(dump).not.toContain("refresh-token");
    const [row] = rows;
    expect(Buffer.from(row?.["sealed"] as Buffer).toString("latin1")).not.toContain("refresh");
  });

  test("is changed only by who saw the newest version", async () => {
    const [one, two] = [tokensOf({}), tokensOf({ store: other })];
    expect(await one.write("cas", "first", null)).toBe(true);
    expect(await two.write("cas", "second", null)).toBe(false);
    const seen = await two.read("cas");
    const both = await Promise.all([one.write("cas", "a", seen), two.write("cas", "b", seen)]);
    expect(both.toSorted()).toEqual([false, true]);
    expect((await one.read("cas"))?.version).toBe(2);
  });

  test("sealed anew each time, it opens only for its own company, connection and name", async () => {
    const erp = tokensOf({});
    await erp.write("bound", "same value", null);
    await tokensOf({ connection: "shop" }).write("bound", "same value", null);
    const rows = await database.store.query<{ nonce: Buffer; sealed: Buffer }>(
      "select nonce, sealed from connection_token where name = 'bound'",
    );
    expect(new Set(rows.map(({ nonce }) => nonce.toString("hex"))).size).toBe(2);
    await database.store.affect(
      `update connection_token as mine set nonce = theirs.nonce, sealed = theirs.sealed
         from connection_token as theirs where mine.name = 'bound' and theirs.name = 'bound'
          and mine.connection = 'erp' and theirs.connection = 'shop'`,
    );
    await expect(erp.read("bound")).rejects.toThrow(
      "The token HARROW/erp/bound was changed in the database, or belongs to another connection.",
    );
  });

  test("outlives its key: a new one before it reads the old, and seals with the new from then on", async () => {
    await tokensOf({ keys: readKeys(OLD, null) }).write("turn", "kept", null);
    const both = tokensOf({ keys: readKeys(`${NEW}, ${OLD}`, null) });
    expect(await both.read("turn")).toEqual({ value: "kept", version: 1 });
    expect(await tokensOf({ keys: readKeys(NEW, null) }).read("turn")).toEqual({
      value: "kept",
      version: 1,
    });
    await expect(tokensOf({ keys: readKeys(OLD, null) }).read("turn")).rejects.toThrow(
      "was sealed with a key that is not here",
    );
  });

  test("has its key in a file that is made once and that only its owner may read", async () => {
    const file = join(folder, "made", "tokens.key");
    const made = await Promise.all([readKeys(null, file), readKeys(null, file)]);
    const [one, two] = made.map((keys) => keys.seal("x", ["a"]).keyId);
    expect(one).toBe(two);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, "utf8")).trim()).toHaveLength(44);
    await chmod(file, 0o644);
    await expect(readKeys(null, file)).rejects.toThrow("can be read by others than its owner");
  });

  test("needs a key that nobody guesses", async () => {
    await expect(readKeys("short", null)).rejects.toThrow("fewer than 24 characters");
    await expect(readKeys(null, null)).rejects.toThrow("There is no key to keep tokens with.");
  });
});

describe("one refresher at a time over all instances", () => {
  test("the others wait and then read what it wrote", async () => {
    const stores = [database.store, other, database.store, other];
    let under = 0;
    let most = 0;
    let asked = 0;
    const answers = await Promise.all(
      stores.map((store) => {
        const tokens = tokensOf({ store });
        return tokens.alone("one", async () => {
          under += 1;
          most = Math.max(most, under);
          const kept = await tokens.read("one");
          if (kept === null) {
            asked += 1;
            await new Promise((resolve) => setTimeout(resolve, 30));
            await tokens.write("one", "fresh", null);
          }
          under -= 1;
          return (await tokens.read("one"))?.value;
        });
      }),
    );
    expect(answers).toEqual(["fresh", "fresh", "fresh", "fresh"]);
    expect([most, asked]).toEqual([1, 1]);
  });

  test("a dead one's turn runs out, and what it writes when it comes back does not count", async () => {
    const time = clock();
    const dead = tokensOf({ clock: time });
    const next = tokensOf({ store: other, clock: time });
    await dead.write("dead", "old", null);
    const seen = await dead.read("dead");
    // Killed: it never ends, and its lease is renewed no more.
    let revive: () => void = () => undefined;
    const hung = dead.alone("dead", () => new Promise<void>((resolve) => (revive = resolve)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    let taken = false;
    const waiting = next.alone("dead", async () => {
      taken = true;
      return next.write("dead", "new", await next.read("dead"));
    });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(taken).toBe(false);
    time.at = time.at.add({ seconds: 31 });
    expect(await waiting).toBe(true);
    expect(await dead.write("dead", "late", seen)).toBe(false);
    expect((await next.read("dead"))?.value).toBe("new");
    revive();
    await hung;
  });

  test("one that is killed in the middle holds the others up no longer than its lease", async () => {
    const tokens = tokensOf({ leaseSeconds: 1 });
    const child = spawn(
      process.execPath,
      ["src/launch.js", "test/support/renew-token.ts", database.store.url, "1"],
      { cwd: join(import.meta.dirname, "../.."), stdio: ["ignore", "pipe", "inherit"] },
    );
    await new Promise((resolve) => child.stdout.once("data", resolve));
    // Alive, it renews its lease: longer than that lasts, nobody else gets a turn.
    let taken = false;
    const waiting = tokens.alone("killed", async () => {
      taken = true;
      return tokens.read("killed");
    });
    await new Promise((resolve) => setTimeout(resolve, 1_400));
    expect(taken).toBe(false);
    child.kill("SIGKILL");
    expect(await waiting).toEqual({ value: "the intent", version: 1 });
  });

  test("one that fails gives its turn back at once", async () => {
    const tokens = tokensOf({});
    const failing = tokens.alone("fails", () => Promise.reject(new Error("no answer")));
    await expect(failing).rejects.toThrow("no answer");
    expect(await tokens.alone("fails", async () => "next")).toBe("next");
  });
});

describe("a connection's rate", () => {
  /** When each turn came, in milliseconds from the start; the clock moves with the waits alone. */
  function instances(connection: string, count: number) {
    const start = clock().at;
    return Array.from({ length: count }, (_, index) => {
      const times: number[] = [];
      let at = start;
      const store = index % 2 === 0 ? database.store : other;
      let queries = 0;
      const counted: Store = {
        ...store,
        query: (...given) => {
          queries += 1;
          return store.query(...given);
        },
      };
      const turn = turnOf({
        store: counted,
        company: "HARROW",
        connection,
        now: () => at,
        wait: async (ms) => {
          at = at.add({ milliseconds: Math.ceil(ms) });
        },
      });
      return {
        times,
        queries: () => queries,
        take: async (perSecond: number) => {
          await turn(perSecond);
          times.push(at.since(start).total("milliseconds"));
        },
        pass: (ms: number) => (at = at.add({ milliseconds: ms })),
      };
    });
  }

  test("is shared by all instances: 4 a second are 4 in every second of all together", async () => {
    const all = instances("shared", 3);
    for (let round = 0; round < 8; round++) for (const one of all) await one.take(4);
    const times = all.flatMap(({ times }) => times).sort((a, b) => a - b);
    expect(times).toHaveLength(24);
    expect(times.at(-1)).toBe(5_750);
    for (const time of times)
      expect(times.filter((each) => each >= time && each < time + 1000).length).toBeLessThan(6);
  });

  test("of 200 a second asks the database a few times a second, not once a request", async () => {
    const [one] = instances("fast", 1);
    for (let turn = 0; turn < 400; turn++) await one?.take(200);
    expect(one?.times.at(-1)).toBeGreaterThan(1_950);
    // Six until the block is as large as it may be.
    expect(one?.queries()).toBeLessThanOrEqual(14);
  });

  test("is not used up by sessions that send little: many at once all get a turn at once", async () => {
    const began = Temporal.Now.instant();
    const session = () =>
      turnOf({
        store: database.store,
        company: "HARROW",
        connection: "little",
        now: () => Temporal.Now.instant(),
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      });
    for (let round = 0; round < 4; round++)
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          const turn = session();
          for (let request = 0; request < 3; request++) await turn(1_000);
        }),
      );
    // 96 requests are a tenth of a second's; a block for each session would be eight seconds.
    expect(Temporal.Now.instant().since(began).total("milliseconds")).toBeLessThan(1_500);
  });

  test("keeps no turns for later: after a pause they do not come all at once", async () => {
    const [one] = instances("pause", 1);
    await one?.take(40);
    one?.pass(5_000);
    for (let turn = 0; turn < 4; turn++) await one?.take(40);
    const [, ...later] = one?.times ?? [];
    expect((later.at(-1) ?? 0) - (later[0] ?? 0)).toBeGreaterThanOrEqual(50);
  });

  test("is not stopped for days by a clock that went wrong once", async () => {
    await database.store.affect(
      `insert into connection_rate values ('HARROW', 'ahead', '2027-01-01T00:00:00Z')`,
    );
    const [one] = instances("ahead", 1);
    await one?.take(4);
    await one?.take(4);
    expect(one?.times).toEqual([0, 250]);
  });

  test("of nothing is a settings fault", async () => {
    const [one] = instances("nothing", 1);
    await expect(one?.take(0)).rejects.toMatchObject({ kind: "config" });
  });
});

describe("no secret leaves a session", () => {
  const hider = createHider(["hunter2-password"]);
  learn(JSON.stringify({ access: "access-abcdef", expiresAt: "2026-03-31T08:00:00Z" }), hider);

  class Far implements Session {
    #secret = "hunter2-password";
    async *read(): AsyncGenerator<ReadEvent> {
      yield { kind: "mark", cursor: 1 };
      throw new ConnectorFault("auth", `no entry with ${this.#secret}`, `not ${this.#secret}`, {
        cause: new Error("Bearer access-abcdef", { cause: { header: "access-abcdef" } }),
      });
    }
    readonly orders = {
      finding: "searchable" as const,
      find: async () => ({ kind: "cannotTell", reason: `said ${this.#secret}` }) as const,
      place: () => Promise.reject(new TypeError(`access-abcdef ${btoa("hunter2-password")}`)),
    };
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
    }
  }

  test("in a fault, its instruction, its causes and its stack; the fault stays what it was", async () => {
    await using session = await openGuarded(async () => new Far(), hider);
    const events: unknown[] = [];
    let caught: unknown;
    try {
      for await (const event of session.read("x", null)) events.push(event);
    } catch (error) {
      caught = error;
    }
    expect(events).toEqual([{ kind: "mark", cursor: 1 }]);
    expect(caught).toBeInstanceOf(ConnectorFault);
    expect(caught).toMatchObject({ kind: "auth", message: "no entry with ‹secret›" });
    const shown = inspect(caught, { depth: 9 });
    expect(shown).not.toMatch(/hunter2|access-abcdef/);
  });

  test("in what its orders answer or throw", async () => {
    await using session = await openGuarded(async () => new Far(), hider);
    expect(await session.orders?.find("W1")).toEqual({
      kind: "cannotTell",
      reason: "said ‹secret›",
    });
    await expect(session.orders?.place({ key: "W1", tables: [] })).rejects.toThrow(
      "‹secret› ‹secret›",
    );
  });

  test("when it cannot even be opened", async () => {
    const opening = openGuarded(() => Promise.reject(new Error("with hunter2-password")), hider);
    await expect(opening).rejects.toThrow("with ‹secret›");
  });

  test("and an absent capability stays absent", async () => {
    await using session = await openGuarded(async () => new Far(), hider);
    expect(session.prices).toBeUndefined();
    expect("accounts" in session).toBe(false);
    expect("keys" in session).toBe(false);
  });
});
