/** The source's totals of a list that was read in two goes. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Connection } from "../../src/connections/index.ts";
import { ConnectorFault } from "../../src/connector/index.ts";
import type { ReadEvent, Session } from "../../src/connector/index.ts";
import type { RunResult } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { kitHost } from "../support/kit-host.ts";
import { connectionOf, openPulling, type Pulling } from "../support/pulling.ts";
import { connector as stockroom } from "../support/stockroom/index.ts";
import { customer, start } from "../support/stockroom/simulator/index.ts";

const database = useDatabase();

const one = ([first]: readonly RunResult[]): RunResult => {
  if (first === undefined) throw new Error("there is no run");
  return first;
};

/** Breaks behind its first mark. */
function cutShort(session: Session): Pick<Session, "read"> {
  return {
    async *read(stream, cursor, options) {
      for await (const event of session.read(stream, cursor, options)) {
        yield event;
        if (event.kind === "mark")
          throw new ConnectorFault("transient", "The line broke.", "The next run tries again.");
      }
    },
  };
}

describe("the totals of a list that is gone on with behind a mark", () => {
  test("are compared with all that came of it, whatever the number of goes", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const far = await start();
    onTestFinished(() => far.close());
    const accounts = Array.from({ length: 8 }, (_, index) => `C00${index + 1}`);
    far.books.customers = accounts.map(customer);
    const settings = stockroom.settings.parse(far.settings);
    await using session = await stockroom.open(settings, kitHost(far.secrets));
    const [stream] = stockroom.streams(settings);
    if (stream === undefined) throw new Error("there is no stream");
    // Three rows a page: it breaks behind the first page, and then behind the second.
    for (const page of [1, 2]) {
      const connection = connectionOf(stream, cutShort(session));
      const cut = one(await pulling.sync({}, { connection }));
      expect([cut.state, page, cut.notes[0]]).toEqual([
        "failed",
        page,
        "The line broke. The next run tries again.",
      ]);
    }
    const result = one(await pulling.sync({}, { connection: connectionOf(stream, session) }));
    expect(result).toMatchObject({
      state: "published",
      rows: { read: 8, mapped: 8 },
      notes: ["It goes on from a run that was cut short: 6 rows were read before."],
    });
    expect(await pulling.rows("customer", "account")).toEqual(accounts);
  });

  const amounts = (...given: readonly number[]): ReadEvent => ({
    kind: "rows",
    rows: given.map((amount) => {
      const values = { account: `A${amount}`, name: "A", amount };
      return { line: amount, raw: JSON.stringify(values), values };
    }),
  });
  const origin = (name: string): ReadEvent => ({ kind: "origin", origin: { name } });
  const totals = (rows: number, amount?: string): ReadEvent => ({
    kind: "totals",
    rows,
    ...(amount === undefined ? {} : { sums: { amount } }),
  });
  const mark: ReadEvent = { kind: "mark", cursor: { page: 1 } };
  const whole: ReadEvent = { kind: "checkpoint", cursor: "whole", more: false };

  /** Gives the first half, breaks, and gives the second to the run that goes on. */
  function halves(
    first: readonly ReadEvent[],
    second: readonly ReadEvent[],
    promised: boolean,
  ): Connection {
    const definition = { name: "customers", reading: "snapshot" } as const;
    return connectionOf(promised ? { ...definition, totals: true } : definition, {
      async *read(_stream, cursor) {
        if (cursor !== null) return yield* second;
        yield* [...first, mark];
        throw new ConnectorFault("transient", "The line broke.", "The next run tries again.");
      },
    });
  }
  const told = async (
    first: readonly ReadEvent[],
    second: readonly ReadEvent[],
    promised = true,
    pulling?: Pulling,
  ) => {
    const at = pulling ?? (await openPulling(database.store, ["customer"]));
    const connection = halves(first, [...second, whole], promised);
    expect(one(await at.sync({}, { connection })).state).toBe("failed");
    const { state, notes } = one(await at.sync({}, { connection }));
    return `${state} ${notes.join(" ")}`;
  };
  const LIST = origin("list");

  test("agree in rows and in sums, stated before the rows or behind them", async () => {
    const [a, b] = [amounts(1, 2), amounts(3)];
    const goesOn = "published It goes on from a run that was cut short: 2 rows were read before.";
    expect(await told([LIST, a], [LIST, b, totals(3, "6")])).toBe(goesOn);
    expect(await told([LIST, totals(3, "6"), a], [LIST, totals(3, "6"), b], false)).toBe(goesOn);
    expect(await told([LIST, totals(3, "6"), a], [LIST, b])).toBe(goesOn);
    // Nothing was left but the end of it.
    expect(await told([LIST, a], [LIST, totals(2, "3")])).toBe(goesOn);
  });

  test("that disagree stop the run, and the next one reads the list from its start", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const [a, b] = [amounts(1, 2), amounts(3)];
    expect(await told([LIST, a], [LIST, b, totals(1, "3")], true, pulling)).toBe(
      "stopped Reading list: the source says it holds 1 rows, and 3 were read. Nothing of it was " +
        "published. The next run reads it from its start. If this stays, tell who runs the source. " +
        "It goes on from a run that was cut short: 2 rows were read before.",
    );
    expect(await pulling.rows("customer", "account")).toEqual([]);
    const asked: unknown[] = [];
    const { session } = halves([], [], true);
    const connection = connectionOf(
      { name: "customers", reading: "snapshot" },
      {
        read: (stream, cursor) => {
          asked.push(cursor);
          return session.read(stream, cursor);
        },
      },
    );
    await pulling.sync({}, { connection });
    expect(asked).toEqual([null]);
    expect(await told([LIST, a], [LIST, b, totals(3, "3")])).toContain("read add up to 6");
  });

  test("are asked of the first list too when the next one has another name", async () => {
    expect(await told([LIST, amounts(1, 2)], [origin("more"), amounts(3), totals(1)])).toContain(
      "stopped Reading list: it came without the totals that the stream promises with each.",
    );
  });

  test("are not those of a second list of that name", async () => {
    const list = [LIST, amounts(1, 2), totals(2)];
    expect(await told([LIST, amounts(3)], [LIST, amounts(4), totals(2), ...list])).toContain(
      "published",
    );
  });
});

test("where every row lacks a column of its key counts over a mark as well", async () => {
  const keyless = (lines: readonly number[], column: string): ReadEvent => ({
    kind: "rows",
    rows: lines.map((line) => ({ line, raw: "{}", values: { [column]: "A", name: "A" } })),
  });
  const told = async (first: string) => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = connectionOf(
      { name: "customers", reading: "snapshot", key: ["account"] },
      {
        async *read(_stream, cursor) {
          yield { kind: "origin", origin: { name: "list" } };
          if (cursor === null) {
            yield keyless([1], first);
            yield { kind: "mark", cursor: { page: 1 } };
            throw new ConnectorFault("transient", "The line broke.", "");
          }
          yield keyless([2, 3, 4, 5, 6], "code");
          yield { kind: "checkpoint", cursor: "whole", more: false };
        },
      },
    );
    await pulling.sync({}, { connection });
    return one(await pulling.sync({}, { connection })).state;
  };
  expect([await told("code"), await told("account")]).toEqual(["stopped", "published"]);
});
