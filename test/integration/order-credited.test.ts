/** Credit notes beside what is charged: the end is the same whatever was pulled first. */
import { expect, test } from "vitest";
import { OPEN_LINES } from "../../src/orders/index.ts";
import { orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import { BRICKS, confirmedWorld, KIM, SANDS, worldOf } from "../support/order-world.ts";

const companies = useOrderCompanies();
type World = Awaited<ReturnType<typeof confirmedWorld>>;
type Paper = (world: World) => Promise<void>;

const invoice =
  (document: string, sums: object, ...lines: object[]): Paper =>
  (world) =>
    world.invoice(document, sums, ...lines);
const credit = (document: string, sums: object, ...lines: object[]): Paper => {
  const of = { documentType: "credit", document };
  return invoice(document, { ...of, ...sums }, ...lines.map((line) => ({ ...line, ...of })));
};

const BRICK = { ...BRICKS, quantity: "1", net: "4.20", vat: "0.84" };
const WHOLE = invoice("I1", {}, BRICKS, SANDS);
const DEAR_SAND = { ...SANDS, net: "20.00" };
const CHEAP = [
  { ...BRICKS, net: "0.84" },
  { ...SANDS, net: "1.00" },
];
const ALL_BACK = credit("C1", {}, BRICKS, SANDS);
const ONE_BACK = credit("C1", { net: "4.20", vat: "0.84" }, BRICK);
const DEAR = ["conflict", "Agreed net is 18.40, invoiced is 28.40: 10.00."];
const FINE = ["confirmed"];

/** Invoices and credit notes of one order, and how it ends. */
const ENDS: readonly (readonly [string, readonly Paper[], readonly string[]])[] = [
  ["credited and invoiced anew", [WHOLE, ALL_BACK, invoice("I2", {}, BRICKS, SANDS)], FINE],
  [
    "credited by lines that are below zero under sums that are not, and invoiced dearer",
    [
      WHOLE,
      credit(
        "C1",
        {},
        { ...BRICKS, quantity: "-2", net: "-8.40", vat: "-1.68" },
        { ...SANDS, quantity: "-1", net: "-10.00" },
      ),
      invoice("I2", { net: "28.40" }, BRICKS, DEAR_SAND),
    ],
    DEAR,
  ],
  [
    "credited and invoiced anew, and dearer",
    [WHOLE, ALL_BACK, invoice("I2", { net: "28.40" }, BRICKS, DEAR_SAND)],
    DEAR,
  ],
  [
    "credited and invoiced anew, with something off",
    [WHOLE, ALL_BACK, invoice("I2", { net: "18.00" }, BRICKS, { ...SANDS, net: "9.60" })],
    FINE,
  ],
  [
    "much too cheap, credited and invoiced anew",
    [
      invoice("I1", { net: "1.84" }, ...CHEAP),
      credit("C1", { net: "1.84" }, ...CHEAP),
      invoice("I2", {}, BRICKS, SANDS),
    ],
    FINE,
  ],
  [
    "dear, taken back by one line that names the invoice, and invoiced anew",
    [
      invoice("I1", { net: "28.40" }, BRICKS, DEAR_SAND),
      credit(
        "C1",
        { net: "28.40", webOrder: null, erpOrder: null },
        { ...SANDS, product: null, net: "28.40", vat: "1.68", creditsDocument: "I1" },
      ),
      invoice("I2", {}, BRICKS, SANDS),
    ],
    FINE,
  ],
  [
    "a brick comes back, and the sand is dear",
    [
      invoice("I1", { net: "8.40" }, BRICKS),
      ONE_BACK,
      invoice("I2", { net: "15.00", vat: "0.00" }, { ...SANDS, net: "15.00" }),
    ],
    ["conflict", "Agreed net is 18.40, invoiced is 23.40: 5.00."],
  ],
  [
    "dear sand, and a brick comes back",
    [invoice("I1", { net: "28.40" }, BRICKS, DEAR_SAND), ONE_BACK],
    DEAR,
  ],
  [
    "a surcharge on an invoice of its own, and a brick comes back",
    [
      WHOLE,
      invoice(
        "I2",
        { net: "5.00", vat: "0.00" },
        { lineClass: "charge", quantity: "1", unitPrice: "5.00", net: "5.00", vat: "0.00" },
      ),
      ONE_BACK,
    ],
    ["conflict", "Agreed net is 18.40, invoiced is 23.40: 5.00."],
  ],
  [
    "a brick comes back, and some is kept for restocking",
    [WHOLE, credit("C1", { net: "3.70", vat: "0.74" }, { ...BRICK, net: "3.70", vat: "0.74" })],
    FINE,
  ],
];

/** As they were written, the last one before the one that came before it, and backwards. */
function sequences<T>(of: readonly T[]): (readonly T[])[] {
  const early = [...of.slice(0, -2), ...of.slice(-2).toReversed()];
  return of.length === 2 ? [of, early] : [of, early, of.toReversed()];
}

test.each(ENDS.map(([what, papers, end], at) => ({ what, papers, end, at })))(
  "$what: one end, whatever was pulled first",
  async ({ papers, end, at }) => {
    for (const [index, sequence] of sequences(papers).entries()) {
      const world = await confirmedWorld(companies, `ENDS${at}-${index}`);
      for (const paper of sequence) {
        world.one.now = world.one.now.add({ minutes: 5 });
        await paper(world);
        await world.look();
      }
      await world.look();
      expect([index, ...(await world.stands())]).toEqual([index, ...end]);
    }
  },
);

test("more of a product that a person let stand is news neither when some comes back nor for the rest", async () => {
  const four = { ...BRICKS, quantity: "4", net: "16.80", vat: "3.36" };
  const letStand = async (company: string) => {
    const world = await confirmedWorld(companies, company);
    await world.invoice("I1", { net: "16.80", vat: "3.36" }, four);
    await world.look();
    expect(await world.stands()).toEqual(["conflict", "Agreed are 2 of BRICK, invoiced are 4."]);
    await world.one.orders.resolve("W1", KIM);
    world.one.now = world.one.now.add({ minutes: 5 });
    await world.look();
    expect(await world.stands()).toEqual(FINE);
    return world;
  };
  const back = await letStand("COMESBACK");
  await ONE_BACK(back);
  await back.look();
  expect(await back.stands()).toEqual(FINE);
  const dear = await letStand("RESTDEAR");
  await dear.invoice("I2", { net: "40.00", vat: "0.00" }, { ...SANDS, net: "40.00" });
  await dear.look();
  expect(await dear.stands()).toEqual([
    "conflict",
    "Agreed net of what is invoiced is 26.80, invoiced is 56.80: 30.00.",
  ]);
  const more = await letStand("STILLMORE");
  await more.invoice("I2", { net: "4.20", vat: "0.84" }, BRICK);
  await more.look();
  expect(await more.stands()).toEqual(["conflict", "Agreed are 2 of BRICK, invoiced are 5."]);
});

test("where all is invoiced the desk asks for a credit note, and for nothing to be cancelled", async () => {
  const world = await confirmedWorld(companies, "ADVICE");
  const next = async () => (await world.one.orders.desk()).entries.map((entry) => entry.next);
  await world.invoice("I1", { net: "9.40" }, { ...BRICKS, net: "9.40" });
  await world.look();
  expect((await next())[0]).toContain("put it right there, then resolve it; or cancel it there");
  await world.invoice("I2", { net: "10.00", vat: "0.00" }, SANDS);
  await world.look();
  expect((await next())[0]).toContain("Have what is too much credited there");
  expect((await next())[0]).not.toContain("cancel");
});

test("of two lines with one product, what is invoiced anew is one's, and what comes back the other's", async () => {
  const one = await companies.open("TWOLINES");
  const world = worldOf(companies, "TWOLINES", one);
  const bricks = { product: "BRICK", quantity: "2", unitPrice: "4.20" };
  orderIn(await send(one.orders, "W1", { webOrder: "W1", lines: [bricks, bricks] }));
  await companies.jobs.drain();
  await world.show({ net: "16.80", vat: "3.36" });
  await world.lines(
    { ...BRICKS, vat: undefined, webOrderLine: 1 },
    { ...BRICKS, vat: undefined, webOrderLine: 2 },
  );
  await world.look();
  expect(await world.stands()).toEqual(FINE);
  const paper = (document: string, documentOn: string, erpOrderLine: number) => {
    const documentType = document.startsWith("C") ? "credit" : "invoice";
    const of = { documentType, document, documentOn };
    const sums = { ...of, net: "8.40", vat: "1.68", gross: "10.08" };
    return world.invoice(document, sums, { ...BRICKS, ...of, erpOrder: "SO1", erpOrderLine });
  };
  await paper("I1", "2026-03-28", 1);
  await paper("I2", "2026-03-28", 2);
  await paper("C1", "2026-03-29", 1);
  await paper("I3", "2026-03-29", 1);
  await paper("C2", "2026-03-30", 2);
  await world.look();
  const { lines, acts } = await one.orders.show("W1");
  expect(acts).toEqual(["amend"]);
  expect(lines.map(({ creditedQuantity }) => creditedQuantity)).toEqual(["2.00000", "2.00000"]);
  const open = await companies.store.query(
    `select * from ${OPEN_LINES} l where company = 'TWOLINES' and quantity > 0`,
  );
  expect(open).toEqual([]);
});
