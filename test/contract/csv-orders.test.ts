import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { openDiskFolder } from "../../src/connector/files/disk.ts";
import { openDropBox } from "../../src/connector/files/index.ts";
import type { DropStep } from "../../src/connector/files/index.ts";
import type { OrdersCapability, RenderedOrder } from "../../src/connector/index.ts";
import { openCsv, temporaryFolder, testHost } from "../support/csv-folder.ts";
import type { Folder } from "../support/csv-folder.ts";

const ORDER: RenderedOrder = {
  key: "WEB-1001",
  tables: [
    {
      name: "lines",
      columns: ["webOrder", "line", "product", "description"],
      rows: [
        ["WEB-1001", "1", "P1", '3/4" BSP, brass'],
        ["WEB-1001", "2", "=1+1", "two\nlines"],
      ],
    },
    { name: "header", columns: ["webOrder", "account"], rows: [["WEB-1001", "A1"]] },
  ],
};

const OTHER: RenderedOrder = {
  ...ORDER,
  tables: [
    { name: "lines", columns: ["webOrder", "line"], rows: [["WEB-1001", "1"]] },
    { name: "header", columns: ["webOrder", "account"], rows: [["WEB-1001", "A2"]] },
  ],
};

const DROPPED = ["WEB-1001-lines.csv", "WEB-1001.csv", "WEB-1001.manifest.json"];

function dropBox(folder: Folder, probe?: (step: DropStep) => void): OrdersCapability {
  const options = { folder: folder.path, delimiter: "," as const };
  return openDropBox(probe === undefined ? options : { ...options, probe }, testHost());
}

/** What the other system sees in orders/. */
async function seen(folder: Folder): Promise<readonly string[]> {
  const entries = await readdir(join(folder.path, "orders"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** The other system takes an order when its header is there; it gives the header's accounts. */
async function take(folder: Folder): Promise<readonly string[]> {
  const names = await seen(folder).catch(() => []);
  const headers = names.filter((name) => /^WEB-\d+\.csv$/.test(name));
  const accounts: string[] = [];
  for (const header of headers) {
    const key = header.slice(0, -4);
    expect(names).toEqual(expect.arrayContaining([`${key}-lines.csv`, `${key}.manifest.json`]));
    await mkdir(join(folder.path, "taken"), { recursive: true });
    const [order] = parse<{ account: string }>(await folder.read(`orders/${header}`), {
      columns: true,
    });
    accounts.push(order?.account ?? "");
    for (const name of [header, `${key}-lines.csv`, `${key}.manifest.json`]) {
      await rename(join(folder.path, "orders", name), join(folder.path, "taken", name));
    }
  }
  return accounts;
}

class Killed extends Error {}

/** A probe that stops the work after so many steps. */
function killAfter(steps: number): (step: DropStep) => void {
  let count = 0;
  return () => {
    if (++count === steps) throw new Killed();
  };
}

async function stepsOf(folder: Folder, order: RenderedOrder): Promise<readonly string[]> {
  const steps: string[] = [];
  await dropBox(folder, (step) => steps.push(Object.values(step).join(" "))).place(order);
  return steps;
}

test("an order is staged, journalled, and dropped: lines, manifest, and the header last", async () => {
  const folder = await temporaryFolder();
  expect(await dropBox(folder).find("WEB-1001")).toEqual({ kind: "absent" });
  expect(await stepsOf(folder, ORDER)).toMatchInlineSnapshot(`
    [
      "staged WEB-1001-lines.csv",
      "staged WEB-1001.manifest.json",
      "staged WEB-1001.csv",
      "journalled",
      "moved WEB-1001-lines.csv",
      "moved WEB-1001.manifest.json",
      "moved WEB-1001.csv",
    ]
  `);
  expect(await seen(folder)).toEqual(DROPPED);
  expect(await folder.read("orders/WEB-1001-lines.csv")).toMatchInlineSnapshot(`
    "webOrder,line,product,description
    WEB-1001,1,P1,"3/4"" BSP, brass"
    WEB-1001,2,=1+1,"two
    lines"
    "
  `);
  expect(await folder.read("orders/WEB-1001.csv")).toBe("webOrder,account\r\nWEB-1001,A1\r\n");
  expect(await folder.read("orders/WEB-1001.manifest.json")).toMatchInlineSnapshot(`
    "{
      "key": "WEB-1001",
      "files": [
        {
          "name": "WEB-1001-lines.csv",
          "rows": 2,
          "bytes": 98,
          "sha256": "97233f5c6a3c96f72a9c887e904b267d5217c7ed0f7baa6c9b7c65a30748110c"
        },
        {
          "name": "WEB-1001.csv",
          "rows": 1,
          "bytes": 31,
          "sha256": "32b8ef4c4f254bc3e1632ddbad4e8f1b1c67f3054428b182f59e0649c041ed44"
        }
      ]
    }
    "
  `);
  expect(await readdir(join(folder.path, "orders/.staged"))).toEqual([]);
});

test("the values of an order arrive as they were, whatever they look like", async () => {
  const folder = await temporaryFolder();
  const values = ["=1+1", "+44", "-5", "@x", '"', '3/4"', " x ", "a,b", "a\nb", "a\rb", "½ €", ""];
  const columns = values.map((_, i) => `c${i}`);
  await dropBox(folder).place({ key: "W", tables: [{ name: "header", columns, rows: [values] }] });
  expect(parse(await folder.read("orders/W.csv"))).toEqual([columns, values]);
});

test("an order that was dropped is found, waiting or taken, and never dropped again", async () => {
  const folder = await temporaryFolder();
  const first = await dropBox(folder).place(ORDER);
  expect(first).toMatchInlineSnapshot(`
    {
      "evidence": "WEB-1001.csv with SHA-256 32b8ef4c4f254bc3e1632ddbad4e8f1b1c67f3054428b182f59e0649c041ed44, journalled at 2026-03-31T01:30:00Z: it waits in orders/ to be taken.",
      "kind": "handedOver",
      "waits": true,
    }
  `);
  expect(await dropBox(folder).find("WEB-1001")).toEqual({ kind: "present", outcome: first });
  await take(folder);
  expect(await dropBox(folder).find("WEB-1001")).toMatchInlineSnapshot(`
    {
      "kind": "present",
      "outcome": {
        "evidence": "WEB-1001.csv with SHA-256 32b8ef4c4f254bc3e1632ddbad4e8f1b1c67f3054428b182f59e0649c041ed44, journalled at 2026-03-31T01:30:00Z: it was taken from orders/.",
        "kind": "handedOver",
        "waits": false,
      },
    }
  `);
  expect(await dropBox(folder).place(ORDER)).toMatchObject({ kind: "handedOver" });
  expect(await seen(folder)).toEqual([]);
});

test("another content under a number that was dropped is not taken for it, and both are told", async () => {
  const folder = await temporaryFolder();
  await dropBox(folder).place(ORDER);
  const find = (order: RenderedOrder) =>
    dropBox(folder).find("WEB-1001", { signal: new AbortController().signal, order });
  expect((await find(ORDER)).kind).toBe("present");
  expect(await find(OTHER)).toMatchInlineSnapshot(`
    {
      "kind": "another",
      "reason": "Another content was dropped as WEB-1001 at 2026-03-31T01:30:00Z: WEB-1001-lines.csv (rows: 2, SHA-256 97233f5c6a3c96f72a9c887e904b267d5217c7ed0f7baa6c9b7c65a30748110c), WEB-1001.csv (rows: 1, SHA-256 32b8ef4c4f254bc3e1632ddbad4e8f1b1c67f3054428b182f59e0649c041ed44). It waits there still. To be dropped is WEB-1001-lines.csv (rows: 1, SHA-256 ad5aa14c2c238ccc87852ebe70a5ba2d03c24f1664d143457812598cde840f74), WEB-1001.csv (rows: 1, SHA-256 05f378cf1ffbf26b484b18f64164e82b22ed4d6dc79eef6c901a14ece3f095c2), and nothing of that was dropped",
    }
  `);
  await take(folder);
  // It came there between the search and the dropping.
  const placed = await dropBox(folder).place(OTHER);
  expect(placed).toMatchObject({
    kind: "notNow",
    reason: expect.stringContaining("It was taken."),
  });
  expect(await find(OTHER)).toMatchObject({ kind: "another" });
  expect((await find(ORDER)).kind).toBe("present");
  expect(await seen(folder)).toEqual([]);
  await dropBox(folder).again?.("WEB-1001", { who: "kim", why: "a trial" });
  expect(await find(OTHER)).toEqual({ kind: "absent" });
  expect(await dropBox(folder).place(OTHER)).toMatchObject({ kind: "handedOver" });
  expect(await take(folder)).toEqual(["A2"]);
});

// Seven steps (staged three times, journalled, moved three times), and an eighth that is never
// reached.
test.for([1, 2, 3, 4, 5, 6, 7, 8])(
  "killed after step %i, the order is dropped exactly once",
  async (step) => {
    const folder = await temporaryFolder();
    const killed = dropBox(folder, killAfter(step)).place(ORDER);
    if (step === 8) await killed;
    else await expect(killed).rejects.toMatchObject({ cause: expect.any(Killed) });
    const accounts = [...(await take(folder))];
    const found = await dropBox(folder).find("WEB-1001");
    expect(found.kind).toBe(step < 7 ? "absent" : "present");
    expect(accounts).toEqual(step < 7 ? [] : ["A1"]);
    if (found.kind === "absent") await dropBox(folder).place(ORDER);
    accounts.push(...(await take(folder)));
    expect(accounts).toEqual(["A1"]);
    expect(await seen(folder)).toEqual([]);
    expect(await readdir(join(folder.path, "taken"))).toEqual(DROPPED);
    expect(await readdir(join(folder.path, "orders/.staged"))).toEqual([]);
  },
);

test("rendered anew after a kill, and killed again, the order is dropped exactly once", async () => {
  for (const first of [2, 4, 5, 6, 7]) {
    for (let second = 1; second <= 10; second++) {
      const folder = await temporaryFolder();
      await dropBox(folder, killAfter(first))
        .place(ORDER)
        .catch(() => null);
      const accounts = [...(await take(folder))];
      for (const [order, kill] of [
        [OTHER, second],
        [OTHER, 99],
        [ORDER, 99],
      ] as const) {
        const found = await dropBox(folder).find("WEB-1001");
        if (found.kind === "absent") {
          await dropBox(folder, killAfter(kill))
            .place(order)
            .catch(() => null);
        }
        accounts.push(...(await take(folder)));
      }
      expect(accounts).toEqual([first === 7 ? "A1" : "A2"]);
      expect(await seen(folder)).toEqual([]);
    }
  }
});

test("a file of the same name that is not ours is never overwritten", async () => {
  const folder = await temporaryFolder();
  await folder.write("orders/WEB-1001.csv", "theirs");
  const answer = await dropBox(folder).place(ORDER);
  expect(JSON.stringify(answer).replace(folder.path, "/srv")).toMatchInlineSnapshot(
    `"{"kind":"notNow","reason":"Dropping order WEB-1001: /srv/orders/WEB-1001.csv is there already and is not ours. Nothing was overwritten and the order is not handed over. Move that file away; the next try goes on."}"`,
  );
  expect(await dropBox(folder).find("WEB-1001")).toEqual({ kind: "absent" });
  expect(await folder.read("orders/WEB-1001.csv")).toBe("theirs");
  await rm(join(folder.path, "orders/WEB-1001.csv"));
  await dropBox(folder).place(ORDER);
  expect(await take(folder)).toEqual(["A1"]);
});

test.for([
  ["../../etc/passwd", "it has a path separator"],
  ["/etc/passwd", "it has a path separator"],
  ["a\\b", "it has a path separator"],
  ["..", "it begins with a dot"],
  ["W\u0000", "it has a control character"],
  ["W\n1", "it has a control character"],
  ["", "it is empty"],
  ["W:1", 'it has one of the characters < > : " | ? *'],
  ["x".repeat(151), "it is longer than 150 characters"],
] as const)("the order number %j is no file name", async ([key, why]) => {
  const folder = await temporaryFolder();
  const expected = { kind: "refused", message: expect.stringContaining(why) };
  await expect(dropBox(folder).find(key)).rejects.toMatchObject(expected);
  await expect(dropBox(folder).place({ ...ORDER, key })).rejects.toMatchObject(expected);
  const table = { name: key, columns: ["c"], rows: [["1"]] };
  const tables = [table, ...ORDER.tables];
  await expect(dropBox(folder).place({ key: "W", tables })).rejects.toMatchObject({
    kind: "config",
    message: expect.stringContaining(why),
  });
  expect(await folder.files()).toEqual([]);
});

test("an order cannot be told absent when the share is not there", async () => {
  const folder = await temporaryFolder();
  await dropBox(folder).place(ORDER);
  await rm(folder.path, { recursive: true });
  const found = await dropBox(folder).find("WEB-1001");
  expect(found.kind).toBe("cannotTell");
  expect(
    found.kind === "cannotTell" && found.reason.replaceAll(folder.path, "/srv"),
  ).toMatchInlineSnapshot(
    `"Looking for order WEB-1001 in /srv/orders failed: /srv/out is not there. Correct \`folder\` in the connection's settings, or mount the share that it is on."`,
  );
});

test("a damaged journal entry, or that of an order in other capitals, cannot tell", async () => {
  const folder = await temporaryFolder();
  await dropBox(folder).place(ORDER);
  const entry = await folder.read("orders/.journal/WEB-1001.json");
  await folder.write("orders/.journal/web-1001.json", entry);
  await folder.write("orders/.journal/WEB-1001.json", entry.slice(0, 40));
  for (const key of ["web-1001", "WEB-1001"]) {
    expect((await dropBox(folder).find(key)).kind).toBe("cannotTell");
    await expect(dropBox(folder).place({ ...ORDER, key })).rejects.toMatchObject({
      kind: "defect",
    });
  }
  expect(await take(folder)).toEqual(["A1"]);
});

test("a file for a shop lies there whole or not at all, and one of its name is replaced", async () => {
  const folder = await temporaryFolder();
  await using session = await openCsv(folder, testHost());
  await session.layFile?.("product-1.csv", "product\nBRK\n");
  await session.layFile?.("product-1.csv", "product\nBRK\nNAIL\n");
  expect(await folder.files()).toEqual(["shop/product-1.csv"]);
  expect(await folder.read("shop/product-1.csv")).toBe("product\nBRK\nNAIL\n");
  await expect(session.layFile?.("../out/x.csv", "x")).rejects.toThrow(/Laying a file/);
});

/** A disk on which the first call of a kind hangs until it is let go. */
function slowDisk(path: string, hangs: "makeFolder" | "write" | "rename") {
  const disk = openDiskFolder(path);
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let isFirst = true;
  const hang = async (): Promise<void> => {
    if (!isFirst) return;
    isFirst = false;
    begun.resolve();
    await go.promise;
  };
  const call: (...given: readonly [string, string]) => Promise<void> = disk[hangs];
  const slow = {
    ...disk,
    [hangs]: async (...given: readonly [string, string]) => {
      await hang();
      await call(...given);
    },
  };
  return { slow, begun: begun.promise, go: go.resolve };
}

test.for(["makeFolder", "write", "rename"] as const)(
  "a call that hung in %s, and comes back when another has dropped the order, drops nothing",
  async (hangs) => {
    const folder = await temporaryFolder();
    const { slow, begun, go } = slowDisk(folder.path, hangs);
    const gaveUp = new AbortController();
    const late = openDropBox({ folder: slow, delimiter: "," }, testHost());
    const placing = late.place(ORDER, { signal: gaveUp.signal });
    await begun;
    // The clock of a process that is stopped has not told it so: only the files can.
    if (hangs !== "rename") gaveUp.abort(new Error("given up"));
    expect(await dropBox(folder).find("WEB-1001")).toEqual({ kind: "absent" });
    await dropBox(folder).place(ORDER);
    const accounts = [...(await take(folder))];
    go();
    await placing.catch(() => null);
    accounts.push(...(await take(folder)));
    expect(accounts).toEqual(["A1"]);
    expect((await dropBox(folder).find("WEB-1001")).kind).toBe("present");
  },
);

test("what a person says is not there is dropped once more, and the journal knows who decided", async () => {
  const folder = await temporaryFolder();
  const box = dropBox(folder);
  const decided = { who: "kim", why: "the import crashed" };
  expect(await box.again?.("WEB-1001", decided)).toBeNull();
  await box.place(ORDER);
  await expect(box.again?.("WEB-1001", decided)).rejects.toThrow("waits in");
  // The import took the header only.
  await rm(join(folder.path, "orders/WEB-1001.csv"));
  expect(await box.again?.("WEB-1001", decided)).toContain("before/WEB-1001.json");
  expect(await box.find("WEB-1001")).toEqual({ kind: "absent" });
  await box.place(ORDER);
  expect(await take(folder)).toEqual(["A1"]);
  const first: unknown = JSON.parse(await folder.read("orders/.journal/before/WEB-1001.json"));
  expect(first).toMatchObject({ key: "WEB-1001", again: decided });
});

test("what nobody has taken is taken back: the header first, and the journal keeps why", async () => {
  const folder = await temporaryFolder();
  await dropBox(folder).place(ORDER);
  const steps: string[] = [];
  const box = dropBox(folder, (step) => steps.push(Object.values(step).join(" ")));
  const said = await box.takeBack?.("WEB-1001", "It was cancelled.");
  expect(said).toMatchInlineSnapshot(
    `"What was dropped as WEB-1001.csv at 2026-03-31T01:30:00Z was taken back before it was taken from orders/."`,
  );
  expect(steps).toMatchInlineSnapshot(`
    [
      "taken back",
      "unjournalled",
      "withdrawn WEB-1001-lines.csv",
      "withdrawn WEB-1001.manifest.json",
    ]
  `);
  expect(await seen(folder)).toEqual([]);
  expect(await box.find("WEB-1001")).toEqual({ kind: "absent" });
  // A host that has not heard it asks again.
  expect(await box.takeBack?.("WEB-1001", "It was cancelled.")).toBe(said);
  expect(JSON.parse(await folder.read("orders/.journal/before/WEB-1001.json"))).toMatchObject({
    key: "WEB-1001",
    takenBack: { why: "It was cancelled.", at: "2026-03-31T01:30:00Z" },
  });
  await box.place(OTHER);
  expect(await take(folder)).toEqual(["A2"]);
});

test("what was taken back and its host has forgotten is told, never dropped again as if it were new", async () => {
  const folder = await temporaryFolder();
  const box = dropBox(folder);
  await box.place(ORDER);
  const said = await box.takeBack?.("WEB-1001", "The customer asked for it.");
  const call = { signal: new AbortController().signal, order: ORDER };
  const forgotten = await box.find("WEB-1001", { ...call, known: ["Handed over."] });
  expect(forgotten).toMatchInlineSnapshot(`
    {
      "kind": "another",
      "reason": "What was dropped as WEB-1001.csv at 2026-03-31T01:30:00Z was taken back before it was taken from orders/. Why, says its journal: "The customer asked for it." Nothing here knows of that, and nothing of it lies there",
    }
  `);
  expect(await box.find("WEB-1001", { ...call, known: [said ?? ""] })).toEqual({ kind: "absent" });
  // A person has looked: what they are told is known from then on.
  const again = await box.again?.("WEB-1001", { who: "kim", why: "it is wanted" });
  expect(again).toBe(said);
  expect(await box.find("WEB-1001", { ...call, known: [`Again (${again})`] })).toEqual({
    kind: "absent",
  });
  // Nothing new was taken back, so that nothing is said to have been.
  expect(
    await box.takeBack?.("WEB-1001", "It was cancelled.", { ...call, known: [said ?? ""] }),
  ).toBe(null);
});

test("what another one dropped under its number is not taken back for it", async () => {
  const folder = await temporaryFolder();
  const box = dropBox(folder);
  await box.place(OTHER);
  const call = { signal: new AbortController().signal, order: ORDER };
  expect(await box.takeBack?.("WEB-1001", "It was cancelled.", call)).toBeNull();
  expect(await take(folder)).toEqual(["A2"]);
});

test("what was taken, whole or in part, is not taken back", async () => {
  const folder = await temporaryFolder();
  const box = dropBox(folder);
  expect(await box.takeBack?.("WEB-1001", "It was cancelled.")).toBeNull();
  await box.place(ORDER);
  // It moves the lines first: the header must be there still when it comes to it.
  const lines = join(folder.path, "orders/WEB-1001-lines.csv");
  await rename(lines, join(folder.path, "lines.csv"));
  expect(await box.takeBack?.("WEB-1001", "It was cancelled.")).toBeNull();
  expect(await seen(folder)).toEqual(["WEB-1001.csv", "WEB-1001.manifest.json"]);
  expect((await box.find("WEB-1001")).kind).toBe("present");
  await rename(join(folder.path, "lines.csv"), lines);
  expect(await take(folder)).toEqual(["A1"]);
  expect(await box.takeBack?.("WEB-1001", "It was cancelled.")).toBeNull();
  expect((await box.find("WEB-1001")).kind).toBe("present");
  // An empty share is no folder from which it was taken back.
  await rm(folder.path, { recursive: true });
  await expect(box.takeBack?.("WEB-1001", "It was cancelled.")).rejects.toThrow("out is not there");
});

test("the other system takes it while it is looked for: one of the two has it", async () => {
  const folder = await temporaryFolder();
  await dropBox(folder).place(ORDER);
  const { slow, begun, go } = slowDisk(folder.path, "rename");
  const late = openDropBox({ folder: slow, delimiter: "," }, testHost());
  const back = late.takeBack?.("WEB-1001", "It was cancelled.");
  await begun;
  expect(await take(folder)).toEqual(["A1"]);
  go();
  expect(await back).toBeNull();
  expect((await dropBox(folder).find("WEB-1001")).kind).toBe("present");
  expect(await dropBox(folder).place(ORDER)).toMatchObject({ kind: "handedOver" });
  expect(await seen(folder)).toEqual([]);
});

// Taken back, unjournalled, and two files withdrawn.
test.for([1, 2, 3, 4])(
  "killed after step %i of taking it back, nobody takes it, and the next call ends it",
  async (step) => {
    const folder = await temporaryFolder();
    await dropBox(folder).place(ORDER);
    const killed = dropBox(folder, killAfter(step)).takeBack?.("WEB-1001", "It was cancelled.");
    await expect(killed).rejects.toMatchObject({ cause: expect.any(Killed) });
    expect(await take(folder)).toEqual([]);
    expect(await dropBox(folder).takeBack?.("WEB-1001", "It was cancelled.")).toContain(
      "taken back",
    );
    expect(await seen(folder)).toEqual([]);
    await dropBox(folder).place(OTHER);
    expect(await take(folder)).toEqual(["A2"]);
    expect(await readdir(join(folder.path, "orders/.staged"))).toEqual([]);
  },
);
