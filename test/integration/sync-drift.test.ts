/** Schema drift: a new, missing or retyped column follows the stream's policy. */
import { describe, expect, test } from "vitest";
import { acceptShape, streamShapes, type RunResult, type Source } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { openPulling, scripted, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

type Policy = ReturnType<NonNullable<Source["drift"]>>;

const USUAL: Policy = { added: "tell", missing: "stop", retyped: "quarantine" };
const always = (reaction: Policy["added"]): Policy => {
  return { added: reaction, missing: reaction, retyped: reaction };
};

const CUSTOMERS = "account,name,creditLimit,balance";
const customers = (limit: (index: number) => string, count = 10): string[] =>
  Array.from({ length: count }, (_, index) => `A${index + 1},Name ${index},${limit(index)},1.00`);

async function sync(
  pulling: Pulling,
  policy: Policy,
  over: Partial<Source> = {},
): Promise<RunResult> {
  const [result, more] = await pulling.sync({}, { drift: () => policy, ...over });
  if (result === undefined || more !== undefined) throw new Error("expected one run");
  return result;
}

/** Customers with these four columns are held. */
async function known(policy = USUAL): Promise<Pulling> {
  const pulling = await openPulling(database.store, ["customer"]);
  await pulling.write("customers-1.csv", CUSTOMERS, ...customers(() => "100.00"));
  expect(await sync(pulling, policy)).toMatchObject({ state: "published", notes: [] });
  return pulling;
}

const ADDED = [`${CUSTOMERS},phone`, ...customers(() => "100.00").map((line) => `${line},0113`)];
const MISSING = [
  "account,name,creditLimit",
  ...customers(() => "100.00").map((line) => line.slice(0, -5)),
];
const RETYPED = [CUSTOMERS, ...customers(() => "n/a")];

const accept = ({ context }: Pulling, stream: string) =>
  acceptShape(context, { connection: "erp", stream }, { who: "Ann", why: "a new export" });

describe("a changed shape follows the stream's policy", () => {
  test("tell: the run goes on, says so once, and the shape is the stream's from then on", async () => {
    for (const file of [ADDED, MISSING, RETYPED.map((line) => line.replace("n/a", "31/03/2026"))]) {
      const pulling = await known();
      await pulling.write("customers-2.csv", ...file);
      const told = await sync(pulling, always("tell"));
      expect(told.state).toBe("published");
      expect(told.notes.join()).toContain("customers-2.csv: its columns are not what they were");
      await pulling.write("customers-3.csv", ...file, "A99,Late,,");
      expect((await sync(pulling, always("tell"))).notes).toEqual([]);
    }
  });

  test("quarantine: the file waits as one item, the next one is read", async () => {
    const pulling = await known();
    await pulling.write("customers-2.csv", ...ADDED);
    await pulling.write("customers-3.csv", CUSTOMERS, ...customers(() => "7.00"));
    const results = await pulling.sync({}, { drift: () => always("quarantine") });
    expect(results.map(({ state }) => state)).toEqual(["refused", "published"]);
    expect(await pulling.rows("customer", "account", "credit_limit")).toContain("A1 7.00");
    expect(await pulling.files()).toContain("refused/customers/customers-2.csv");
  });

  test("quarantine: a file of a delta waits by itself, those around it are read", async () => {
    const pulling = await openPulling(database.store, ["despatch"]);
    const header = "despatch,account,despatchedOn,state";
    const despatch = (name: string) => `${name},A001,2026-03-01,despatched`;
    await pulling.write("despatches-1.csv", header, despatch("D1"));
    await pulling.write("despatches-2.csv", `${header},carrier`, `${despatch("D2")},DPD`);
    await pulling.write("despatches-3.csv", header, despatch("D3"));
    const result = await sync(pulling, always("quarantine"));
    expect(result).toMatchObject({ state: "published", rows: { read: 2, mapped: 2 } });
    expect(await pulling.rows("despatch", "despatch")).toEqual(["D1", "D3"]);
    expect(await pulling.waiting()).toEqual([
      expect.stringContaining(
        'despatches-2.csv:0 : Its columns are not what they were: "carrier" is new',
      ),
    ]);
    await accept(pulling, "despatches");
    await pulling.write("despatches-2.csv", `${header},carrier`, `${despatch("D2")},DPD`);
    expect(await sync(pulling, always("quarantine"))).toMatchObject({ rows: { mapped: 1 } });
  });

  test("stop: nothing of it is published, until a person accepts the new shape", async () => {
    const pulling = await known();
    await pulling.write("customers-2.csv", ...MISSING, "A11,New Ltd,5.00");
    const stopped = await sync(pulling, USUAL);
    expect(stopped).toMatchObject({ state: "stopped" });
    expect(stopped.notes.join()).toContain('"balance" is missing');
    expect(stopped.notes.join()).toContain("drift accept customers");
    expect(await pulling.rows("customer", "account")).toHaveLength(10);
    const [waiting] = await streamShapes(database.store, pulling.company);
    expect(waiting?.pending).toMatchObject({ origin: "customers-2.csv" });
    expect((await sync(pulling, USUAL)).state).toBe("stopped");
    expect((await accept(pulling, "customers"))?.changes).toMatchObject([{ column: "balance" }]);
    expect((await sync(pulling, USUAL)).state).toBe("published");
    expect(await accept(pulling, "customers")).toBeNull();
  });

  test("a shape that waited is answered when the old one comes back", async () => {
    const pulling = await known();
    await pulling.write("customers-2.csv", ...RETYPED);
    expect((await sync(pulling, USUAL)).state).toBe("refused");
    await pulling.write("customers-3.csv", CUSTOMERS, ...customers(() => "3.00"));
    expect((await sync(pulling, USUAL)).state).toBe("published");
    const [shape] = await streamShapes(database.store, pulling.company);
    expect(shape?.pending).toBeNull();
    expect(shape?.columns?.["creditLimit"]).toMatchObject({ kind: "number" });
  });

  test("a page cannot wait while its cursor goes past it, so quarantine stops the run", async () => {
    const pulling = await openPulling(database.store, ["despatch"]);
    const row = (despatch: string, more: object) => {
      const values = { despatch, account: "A001", despatchedOn: "2026-03-01", state: "despatched" };
      return { line: 1, raw: despatch, values: { ...values, ...more } };
    };
    const page = (name: string, more: object) =>
      scripted("delta", "despatches", [
        { kind: "origin", origin: { name } },
        { kind: "rows", rows: [row(name, more)] },
        { kind: "checkpoint", cursor: name, more: false },
      ]);
    await sync(pulling, always("quarantine"), { connection: page("p1", {}) });
    const result = await sync(pulling, always("quarantine"), {
      connection: page("p2", { carrier: "DPD" }),
    });
    expect(result.state).toBe("stopped");
    expect(await pulling.rows("despatch", "despatch")).toEqual(["p1"]);
  });
});

describe("what is no drift", () => {
  test("blank columns never retype", async () => {
    const pulling = await known();
    await pulling.write("customers-2.csv", CUSTOMERS, ...customers(() => ""));
    expect(await sync(pulling, always("stop"))).toMatchObject({ state: "published", notes: [] });
    await pulling.write("customers-3.csv", CUSTOMERS, ...customers(() => "12.50"));
    expect(await sync(pulling, always("stop"))).toMatchObject({ state: "published", notes: [] });
  });

  test("a few bad cells are bad rows, not another shape", async () => {
    const pulling = await known();
    const limits = customers((index) => (index < 4 ? "n/a" : "5.00"));
    await pulling.write("customers-2.csv", CUSTOMERS, ...limits);
    const result = await sync(pulling, always("stop"));
    expect(result).toMatchObject({ state: "published", rows: { mapped: 6, quarantined: 4 } });
  });

  test("codes that were all digits may become text one by one, and text may hold anything", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const rows = (codes: readonly string[]) => codes.map((code) => `${code},Name ${code}`);
    const digits = Array.from({ length: 10 }, (_, index) => `100${index}`);
    await pulling.write("customers-1.csv", "account,name", ...rows(digits));
    await sync(pulling, always("stop"));
    await pulling.write("customers-2.csv", "account,name", ...rows([...digits, "A11", "A12"]));
    expect((await sync(pulling, always("stop"))).state).toBe("published");
    await pulling.write(
      "customers-3.csv",
      "account,name",
      ...digits.map((code) => `${code},${code}`),
    );
    expect((await sync(pulling, always("stop"))).state).toBe("published");
  });

  test("a column that rows may leave out is not missing where a page has none of it", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const page = (...notes: (string | null)[]) =>
      scripted("snapshot", "customers", [
        { kind: "origin", origin: { name: "customers" } },
        {
          kind: "rows",
          rows: notes.map((email, index) => {
            const values = {
              account: `A${index}`,
              name: "N",
              ...(email === null ? {} : { email }),
            };
            return { line: index + 1, raw: JSON.stringify(values), values };
          }),
        },
        { kind: "checkpoint", cursor: crypto.randomUUID(), more: false },
      ]);
    const none = [null, null, null, null, null, null];
    await sync(pulling, always("stop"), { connection: page("a@b.c", ...none) });
    expect((await sync(pulling, always("stop"), { connection: page(null, ...none) })).state).toBe(
      "published",
    );
  });
});
