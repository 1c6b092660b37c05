import { describe, expect, it } from "vitest";
import { openAccess } from "../../src/access/index.ts";
import type { BookEntry, KeyRequest, Scope } from "../../src/access/index.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const company = "HARROW";
const request: KeyRequest = {
  company,
  name: "Web shop",
  scopes: ["orders", "prices"],
  test: false,
  createdBy: "ann",
};

/** A clock that the test moves. */
function clock(start = "2026-03-31T08:00:00Z") {
  let now = Temporal.Instant.from(start);
  return {
    now: () => now,
    pass: (seconds: number) => {
      now = now.add({ seconds });
    },
  };
}

function opened() {
  const time = clock();
  return { time, access: openAccess({ store: database.store, now: time.now }) };
}

describe("an API key", () => {
  it("lets its holder in, with its company and scopes", async () => {
    const { access } = opened();
    const { key, secret } = await access.createKey(request);
    expect(await access.verify(secret)).toEqual({
      company,
      keyId: key.id,
      name: "Web shop",
      scopes: new Set<Scope>(["prices", "orders"]),
      test: false,
    });
  });

  it("says by its first letters whether it is for tests", async () => {
    const { access } = opened();
    const live = await access.createKey(request);
    const test = await access.createKey({ ...request, test: true });
    expect(live.secret).toMatch(/^tp_live_[\w-]{43}$/);
    expect(test.secret).toMatch(/^tp_test_[\w-]{43}$/);
    expect((await access.verify(test.secret))?.test).toBe(true);
  });

  it("stands nowhere in the database: only its digest and first letters do", async () => {
    const { access } = opened();
    const { key, secret } = await access.createKey(request);
    const [row] = await database.store.query<{ kept: string }>(
      `SELECT (SELECT row_to_json(k) FROM api_key k WHERE id = $1)::text
           || (SELECT json_agg(a) FROM audit a)::text AS kept`,
      [key.id],
    );
    expect(row?.kept).toContain(key.hint);
    expect(row?.kept).not.toContain(secret.slice(key.hint.length));
  });

  it.each(["", "tp_live_", "tp_live_" + "a".repeat(43), "Bearer x", "tp_live_" + "é".repeat(43)])(
    "is not one when nobody made it: %s",
    async (secret) => {
      expect(await opened().access.verify(secret)).toBeNull();
    },
  );

  it("opens nothing from the moment it is revoked", async () => {
    const { access } = opened();
    const { key, secret } = await access.createKey(request);
    expect(await access.verify(secret)).not.toBeNull();
    await access.revokeKey({ company, id: key.id, revokedBy: "ann" });
    expect(await access.verify(secret)).toBeNull();
  });

  it("opens nothing in other instances a few seconds after it is revoked", async () => {
    const [here, there] = [opened(), opened()];
    const { key, secret } = await here.access.createKey(request);
    expect(await there.access.verify(secret)).not.toBeNull();
    await here.access.revokeKey({ company, id: key.id, revokedBy: "ann" });
    expect(await there.access.verify(secret)).not.toBeNull();
    there.time.pass(6);
    expect(await there.access.verify(secret)).toBeNull();
  });

  it("costs no query while it is in use", async () => {
    const { time } = opened();
    let queries = 0;
    const counted = new Proxy(database.store, {
      get(store, name) {
        if (name === "query") queries += 1;
        return Reflect.get(store, name) as unknown;
      },
    });
    const access = openAccess({ store: counted, now: time.now });
    const { secret } = await access.createKey(request);
    await access.verify(secret);
    const before = queries;
    for (let count = 0; count < 100; count += 1) await access.verify(secret);
    expect(queries).toBe(before);
  });
});

describe("making and revoking keys", () => {
  it("lists a company's own keys only, newest first, without secrets", async () => {
    const { access, time } = opened();
    const other = { ...request, company: "OTHER" };
    await access.createKey({ ...other, name: "first" });
    time.pass(1);
    await access.createKey({ ...other, name: "second", scopes: ["sync"] });
    const keys = await access.listKeys("OTHER");
    expect(keys.map(({ name, scopes }) => ({ name, scopes }))).toEqual([
      { name: "second", scopes: ["sync"] },
      { name: "first", scopes: ["prices", "orders"] },
    ]);
    expect(Object.keys(keys[0] ?? {})).not.toContain("hash");
  });

  it("is written into the book together with what was done", async () => {
    const { access } = opened();
    const { key } = await access.createKey({ ...request, company: "BOOK" });
    await access.revokeKey({ company: "BOOK", id: key.id, revokedBy: "bob" });
    const book = await database.store.query(
      "SELECT at::text, who, action, subject, details FROM audit WHERE company = 'BOOK' ORDER BY action",
    );
    expect(book).toEqual([
      {
        at: "2026-03-31 08:00:00+00",
        who: "ann",
        action: "key-created",
        subject: key.id,
        details: { name: "Web shop", scopes: "prices orders", test: false },
      },
      {
        at: "2026-03-31 08:00:00+00",
        who: "bob",
        action: "key-revoked",
        subject: key.id,
        details: {},
      },
    ]);
  });

  it("can be read a page at a time, also what was done at one moment", async () => {
    const { access } = opened();
    const subjects = ["W-1", "W-2", "W-3", "W-4", "W-5"];
    for (const subject of subjects)
      await access.audit({ company: "PAGES", who: "ann", action: "order-released", subject });
    const read: string[] = [];
    for (let after: BookEntry | null = null; ;) {
      const bounds = { from: null, until: null, who: null, subject: null };
      const page = await access.book({ company: "PAGES", ...bounds, limit: 2, after });
      read.push(...page.map(({ subject }) => subject));
      after = page.at(-1) ?? null;
      if (after === null) break;
    }
    expect(read.toSorted()).toEqual(subjects);
  });

  it("leaves no trace in the book of a thing that was rolled back", async () => {
    const { access } = opened();
    const entry = { company: "UNDONE", who: "ann", action: "order-released", subject: "W-1" };
    const undone = database.store.transaction(async (tx) => {
      await access.audit(entry, tx);
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    const rows = await database.store.query("SELECT 1 FROM audit WHERE company = 'UNDONE'");
    expect(rows).toEqual([]);
  });

  it("says what is wrong with what was asked", async () => {
    const { access } = opened();
    const misspelt = "price" as Scope;
    const asked: readonly (() => Promise<unknown>)[] = [
      () => access.createKey({ ...request, name: " " }),
      () => access.createKey({ ...request, scopes: [] }),
      () => access.createKey({ ...request, scopes: [misspelt] }),
      () => access.revokeKey({ company, id: "no-such-key", revokedBy: "ann" }),
    ];
    const said = await Promise.all(
      asked.map((ask) =>
        ask().then(
          () => "nothing",
          (error: unknown) => String(error),
        ),
      ),
    );
    expect(said).toMatchInlineSnapshot(`
      [
        "AccessError: Making an API key for HARROW: it needs a name, such as "Web shop".",
        "AccessError: Making an API key for HARROW: it opens nothing. Give one or more of: prices, shop, orders, desk, webhooks, sales, pay, sync, keys.",
        "AccessError: Making an API key for HARROW: there is no scope "price". The scopes are: prices, shop, orders, desk, webhooks, sales, pay, sync, keys.",
        "AccessError: Revoking API key no-such-key of HARROW: there is no such key. \`tradepost keys\` shows them.",
      ]
    `);
  });

  it("does not revoke another company's key", async () => {
    const { access } = opened();
    const { key, secret } = await access.createKey(request);
    await expect(
      access.revokeKey({ company: "OTHER", id: key.id, revokedBy: "eve" }),
    ).rejects.toThrow("there is no such key");
    expect(await access.verify(secret)).not.toBeNull();
  });
});
