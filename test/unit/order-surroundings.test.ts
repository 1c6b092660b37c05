/** What lies around an order: assortments, likeness, settings, and the list of checks. */
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readSettings } from "../../src/config.ts";
import { orderChecks } from "../../src/config/order-checks.ts";
import { hiddenFrom } from "../../src/orders/assortment.ts";
import type { Assortment } from "../../src/orders/assortment.ts";
import { CHECKS } from "../../src/orders/checks/list.ts";
import { likenessOf } from "../../src/orders/likeness.ts";
import { onAccount, orderRequest } from "../../src/orders/request.ts";

const request = (more: object = {}) =>
  onAccount(
    orderRequest.parse({
      account: "A1",
      lines: [{ product: "P1", quantity: "2", unitPrice: "10.00" }],
      ...more,
    }),
  );

describe("the assortment", () => {
  const parents = new Map([["OAK", "TIMBER"]]);
  const oak = new Map([["P1", { product: "P1", productGroup: "OAK" }]]);
  const roofer = { account: "A1", customerGroup: "ROOFERS" };
  const shows = (...rows: readonly string[]) => {
    const said: Assortment["said"] = new Map(
      rows.map((row) => {
        const [visibility = "", ...key] = row.split(" ");
        return [JSON.stringify(key), visibility === "shown"] as const;
      }),
    );
    return !hiddenFrom(roofer, { said, parents }, oak).has("P1");
  };

  test.each<[string, boolean, readonly string[]]>([
    ["shows what nothing is said of", true, []],
    ["hides a product from all", false, ["hidden all * product P1"]],
    ["hides a group with all groups below it", false, ["hidden all * product-group TIMBER"]],
    [
      "asks the nearest group first",
      true,
      ["hidden all * product-group TIMBER", "shown all * product-group OAK"],
    ],
    [
      "asks of the product before its group",
      false,
      ["shown all * product-group OAK", "hidden all * product P1"],
    ],
    [
      "asks for the customer's group before all",
      false,
      ["shown all * product P1", "hidden customer-group ROOFERS all *"],
    ],
    [
      "asks for the account before its group",
      true,
      ["hidden customer-group ROOFERS product P1", "shown account A1 all *"],
    ],
    ["says nothing of other customers", true, ["hidden account A2 product P1"]],
  ])("%s", (_what, shown, rows) => {
    expect(shows(...rows)).toBe(shown);
  });
});

describe("two orders look alike", () => {
  const lines = [
    { product: "P1", quantity: "2", unitPrice: "10.00" },
    { product: "P2", quantity: "1", unitPrice: "1.00" },
  ];
  const like = (more: object = {}) => likenessOf(request({ lines, ...more }));

  test("whatever their prices, the order of their lines, and zeros behind a quantity", () => {
    const [first, second] = lines;
    const again = [second, { ...first, quantity: "2.000", unitPrice: "9.50" }];
    expect(like({ lines: again, webOrder: "WEB-2", placedByName: "kim" })).toBe(like());
  });

  test.each([
    ["quantity", { lines: [{ ...lines[0], quantity: "3" }, lines[1]] }],
    ["unit", { lines: [{ ...lines[0], unit: "BOX" }, lines[1]] }],
    ["reference", { customerReference: "PO 2" }],
    ["site", { site: "YARD" }],
    ["address", { deliverTo: { name: "Ashby", address1: "Unit 4", postcode: "LS9 8AB" } }],
    ["day wanted", { requestedOn: "2026-04-09" }],
    ["account", { account: "A2" }],
  ])("but not with another %s", (_what, more) => {
    expect(like(more)).not.toBe(like());
  });
});

describe("the settings of orders", () => {
  const settings = (orders: object) =>
    readSettings({
      file: "tradepost.yaml",
      text: `companies:
  HARROW:
    name: Harrow
    connections: { erp: { connector: csv, mappings: tradepost-csv, settings: { folder: /x } } }
    orders: ${JSON.stringify(orders)}
`,
    });

  test("are refused where a charge has no rate of VAT, or a penny line has one", () => {
    const charges = { CARR: { about: "Carriage", vatCode: "STANDRAD" } };
    expect(() => settings({ charges })).toThrow(
      /orders\.charges\.CARR\.vatCode: found the VAT code "STANDRAD".*nearest match "STANDARD"/,
    );
    expect(() => settings({ pennyLine: { charge: "ROUND", vatCode: "STANDARD" } })).toThrow(
      /orders\.pennyLine\.vatCode: found the VAT code "STANDARD" of 20%, expected .* with a rate of 0/,
    );
    expect(() => settings({ pennyLine: { charge: "ROUND", vatCode: "ZERO" } })).not.toThrow();
  });
});

describe("the list of checks", () => {
  test("has a policy in the settings for each, and no other", () => {
    expect(Object.keys(orderChecks.parse(undefined)).toSorted()).toEqual(
      Object.keys(CHECKS).toSorted(),
    );
  });

  test("names every code that a check can find, and none that no check finds", async () => {
    const files = globSync("src/orders/**/*.ts").filter((file) => !file.endsWith("list.ts"));
    const texts = await Promise.all(
      [...files, "src/pricing/token.ts"].map((file) => readFile(file, "utf8")),
    );
    const source = texts.join("\n");
    const listed = Object.values(CHECKS).flatMap((codes) => Object.keys(codes));
    const made = new Set(["net-differs", "vat-differs", "gross-differs", "account-differs"]);
    const agreed = new Set(["quotation-used-up", "contract-used-up"]);
    expect(
      listed.filter(
        (code) => !made.has(code) && !agreed.has(code) && !source.includes(`"${code}"`),
      ),
    ).toEqual([]);
    const found = [...source.matchAll(/check: "(?<check>[a-z]+)",[^}]*?code: "(?<code>[a-z-]+)"/g)];
    expect(found.length).toBeGreaterThan(20);
    expect(
      found.flatMap(({ groups: { check = "", code = "" } = {} }) =>
        code in (CHECKS[check as keyof typeof CHECKS] ?? {}) ? [] : [`${check}/${code}`],
      ),
    ).toEqual([]);
  });
});
