import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CHECKS, checkConnector } from "../../src/connector/conformance/index.ts";
import type { Card } from "../../src/connector/conformance/index.ts";
import { ConnectorFault } from "../../src/connector/index.ts";
import { BROKEN_ACCOUNTS } from "../support/broken-connectors/accounts.ts";
import { healthy, opening, rigOf, type Broken } from "../support/broken-connectors/breaking.ts";
import {
  BROKEN_ENDINGS,
  BROKEN_WHEN_DISTURBED,
  closeWhatIsLeft,
} from "../support/broken-connectors/disturbed.ts";
import { BROKEN_ORDERS } from "../support/broken-connectors/orders.ts";
import { BROKEN_READINGS } from "../support/broken-connectors/reading.ts";
import { BROKEN_RETURNS } from "../support/broken-connectors/returns.ts";
import { BROKEN_STATICS } from "../support/broken-connectors/statics.ts";
import { BROKEN_TILLS, tillOf, tillRig } from "../support/broken-connectors/till.ts";

// A check that nobody has seen fail is not a check.
const BROKEN: readonly Broken[] = [
  ...BROKEN_STATICS,
  ...BROKEN_READINGS,
  ...BROKEN_WHEN_DISTURBED,
  ...BROKEN_ENDINGS,
  ...BROKEN_ORDERS,
  ...BROKEN_ACCOUNTS,
  ...BROKEN_RETURNS,
  ...BROKEN_TILLS,
];

afterAll(closeWhatIsLeft);

function failed({ checks }: Card): string[] {
  return checks
    .filter(({ state }) => state === "failed")
    .map(
      ({ id, findings }) =>
        `${id}: ${findings.join("; ").replaceAll(/(?<=127\.0\.0\.1:)\d+|\d+(?= new tokens)/g, "…")}`,
    );
}

test("each check has a connector that is broken for it", () => {
  const without = CHECKS.filter(({ id }) => !BROKEN.some(({ breaks }) => breaks === id));
  expect(without.map(({ id }) => id)).toEqual([]);
});

test("a healthy stream by the wall clock, in no order, read by days, fails nothing", async () => {
  const card = await checkConnector({ connector: tillOf(), file: null }, { rig: tillRig });
  expect(failed(card)).toEqual([]);
  expect(card.fine).toBe(true);
});

test("keys() is asked of streams alone whose removed rows show by it", async () => {
  const { connector, rig } = opening("", "", (session) => ({
    ...session,
    keys: (stream) => {
      throw new ConnectorFault("config", `${stream} has no keys.`, "Ask for those of others.");
    },
  }));
  const card = await checkConnector({ connector, file: null }, { rig, manyRows: 0 });
  expect(failed(card)).toEqual([]);
});

describe.each(BROKEN)("broken: $how", ({ breaks, connector, rig, file }) => {
  test(`fails ${breaks}, and nothing else`, async () => {
    // Memory is looked at where it is the point: that alone takes as long as all others.
    const many = breaks === "flat-memory" ? {} : { manyRows: 0 };
    const card = await checkConnector({ connector, file: file ?? null }, { rig, ...many });
    const found = failed(card);
    expect(found.map((line) => line.split(":")[0])).toEqual([breaks]);
    expect(found).toMatchSnapshot();
  });
});

describe("waivers", () => {
  const file = join(import.meta.dirname, "../support/stockroom/index.ts");
  // Without streams: the checks of reading are not for it, and those of orders are.
  const check = (waivers: Readonly<Record<string, string>>, connector = healthy) =>
    checkConnector({ connector, file }, { rig: { ...rigOf([]), waivers } });

  test("with a reason set a check that fails aside, and the card shows both", async () => {
    const [broken] = BROKEN_ORDERS;
    if (broken === undefined) throw new Error("no broken order");
    const card = await check({ "order-found": "it has no search" }, broken.connector as never);
    const waived = card.checks.find(({ id }) => id === "order-found");
    expect(waived).toMatchObject({ state: "waived", why: "it has no search" });
    expect(waived?.findings).not.toEqual([]);
    expect(card.fine).toBe(true);
  });

  test.for([
    [{ "order-found": "" }, "order-found: it is waived without a reason"],
    [
      { "order-found": "never" },
      "order-found: it is waived (never), and the check passes: take the waiver away",
    ],
    [
      { ties: "old" },
      "ties: it is waived (old), and the check is not for it (there is no stream): take the waiver away",
    ],
    [{ "ties-that-bind": "x" }, 'ties-that-bind: there is no check "ties-that-bind"'],
  ] as const)("that are not needed or say nothing are findings: %j", async ([waivers, says]) => {
    const card = await check(waivers);
    expect(failed(card)).toEqual([says]);
    expect(card.fine).toBe(false);
  });

  test("a rig that cannot start leaves every check of it untried, and says why", async () => {
    const rig = {
      ...rigOf([]),
      start: () => Promise.reject(new Error("no port is free")),
    };
    const card = await checkConnector({ connector: healthy, file }, { rig });
    expect(card.fine).toBe(false);
    expect(card.checks.find(({ id }) => id === "whole-read")).toMatchObject({
      state: "untried",
      why: "the rig does not start: Error: no port is free",
    });
  });
});
