/**
 * Whose answer it is: what the ERP says of a number counts for an order only where it can be of
 * that order, and two that cannot both be right are a person's.
 */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";

const companies = useOrderCompanies();
const KIM = { who: "kim", reason: "looked there" };
const CARRIAGE = { CARR: { about: "Carriage", vatCode: "STANDARD" } };
const AGREED = { net: "18.40", vat: "1.68", currency: "GBP" } as const;

const acknowledge = (company: string, webOrder: string, erpOrder: string, more: object = {}) =>
  pull(companies.store, company, "order-acknowledgement", [
    { webOrder, outcome: "accepted", erpOrder, answeredOn: "2026-03-31", ...more },
  ]);

const show = (company: string, erpOrder: string, webOrder: string | null, more: object = {}) =>
  pull(companies.store, company, "erp-order", [
    { ...AGREED, erpOrder, account: "A1", webOrder, orderedOn: "2026-03-31", ...more },
  ]);

const invoice = (company: string, document: string, webOrder: string, more: object = {}) =>
  pull(companies.store, company, "sales-document", [
    {
      ...AGREED,
      documentType: "invoice",
      document,
      account: "A1",
      documentOn: "2026-03-31",
      webOrder,
      gross: "20.08",
      ...more,
    },
  ]);

async function taken(one: Opened, webOrder: string): Promise<string> {
  // Of the same customer and contents, but for what tells them apart.
  orderIn(await send(one.orders, webOrder, { webOrder, customerReference: webOrder }));
  await companies.jobs.drain();
  return webOrder;
}

const stands = async ({ orders }: Opened, number: string) => {
  const { state, erpOrder, reasons } = await orders.show(number);
  return [state, erpOrder, reasons[0] ?? null];
};

const placings = ({ erp }: Opened, number: string) =>
  erp.asked.filter((asked) => asked === `place ${number}`).length;

test("an answer to a number that was not sent yet is another's: the order is held and told of", async () => {
  const one = await companies.open("EARLY");
  await acknowledge("EARLY", "G1", "SO-G1", { answeredOn: "2025-10-01" });
  await acknowledge("EARLY", "G3", "-", { outcome: "refused", reason: "unknown" });
  const old = { account: "A4", documentOn: "2023-05-01", net: "100.00", vat: "20.00" };
  await invoice("EARLY", "INV-OLD1", "OLD1", old);
  for (const number of ["G1", "G3", "OLD1"]) await taken(one, number);
  await one.orders.advance();
  const said = await Promise.all(["G1", "G3", "OLD1"].map((number) => stands(one, number)));
  expect(said.map(([state, erpOrder]) => [state, erpOrder])).toEqual([
    ["held", null],
    ["held", null],
    ["held", null],
  ]);
  expect(said.map(([, , reason]) => String(reason).split(": ")[1]?.split(". ")[0])).toEqual([
    "G1 was accepted as SO-G1 on 01/10/2025",
    "G3 was refused on 31/03/2026",
    "OLD1 was invoiced as INV-OLD1 on 01/05/2023",
  ]);
  // A person has looked: it goes, and what was said before says nothing of it either.
  await one.orders.release("G1", KIM);
  await companies.jobs.drain();
  await one.orders.advance();
  expect([await stands(one, "G1"), placings(one, "G1")]).toEqual([["handedOver", null, null], 1]);
  await acknowledge("EARLY", "G1", "SO-G9");
  await one.orders.advance();
  expect(await stands(one, "G1")).toEqual(["accepted", "SO-G9", null]);
});

test("one ERP number for two web orders is a conflict, unless its row says whose it is", async () => {
  const one = await companies.open("SHARED");
  for (const number of ["D1", "D2", "D3", "D4"]) await taken(one, number);
  for (const number of ["D1", "D2"]) await acknowledge("SHARED", number, "SO-D");
  for (const number of ["D3", "D4"]) await acknowledge("SHARED", number, "SO-E");
  await one.orders.advance();
  await show("SHARED", "SO-E", "D3");
  await one.orders.advance();
  const both = (other: string, erpOrder: string) =>
    `ERP order ${erpOrder} is web order ${other}'s as well: one of the two is not there. Look ` +
    "which one it is, and resolve that one; cancel the other, and have it ordered anew.";
  expect(await stands(one, "D1")).toEqual(["conflict", "SO-D", both("D2", "SO-D")]);
  expect(await stands(one, "D2")).toEqual(["conflict", "SO-D", both("D1", "SO-D")]);
  expect(await stands(one, "D3")).toEqual(["confirmed", "SO-E", null]);
  expect(await stands(one, "D4")).toEqual(["conflict", "SO-E", both("D3", "SO-E")]);
});

test("two answers with two numbers are two, also on one day and in one pull", async () => {
  const one = await companies.open("TWICE");
  await taken(one, "J1");
  await acknowledge("TWICE", "J1", "SO-J1a");
  await acknowledge("TWICE", "J1", "SO-J1b");
  await one.orders.advance();
  expect((await stands(one, "J1"))[2]).toMatch(
    /^Duplicate in the ERP: J1 is there as SO-J1a and SO-J1b\./,
  );
  expect([...one.alarms.keys()]).toContain("orders/duplicate/J1");
});

test("an answer without a number is no acceptance", async () => {
  const one = await companies.open("BLANK");
  await taken(one, "H3");
  await acknowledge("BLANK", "H3", "-");
  await one.orders.advance();
  expect(await stands(one, "H3")).toEqual(["handedOver", null, null]);
});

test("a conflict over what differed ends by itself once both say the same", async () => {
  const one = await companies.open("MENDED");
  await taken(one, "M4");
  await acknowledge("MENDED", "M4", "SO-M4", { net: "20.40", vat: "2.08" });
  await one.orders.advance();
  expect(await stands(one, "M4")).toEqual([
    "conflict",
    "SO-M4",
    "Agreed net is 18.40, the ERP holds 20.40: 2.00.",
  ]);
  await show("MENDED", "SO-M4", "M4", { net: "20.40", vat: "2.08" });
  await one.orders.advance();
  expect((await stands(one, "M4"))[0]).toBe("conflict");
  await companies.store.affect(
    "delete from order_acknowledgement where company = 'MENDED' and web_order = 'M4'",
  );
  await show("MENDED", "SO-M4", "M4");
  await one.orders.advance();
  expect(await stands(one, "M4")).toEqual(["confirmed", "SO-M4", null]);
});

test("a conflict ends where the answer that came early is as was agreed since", async () => {
  const one = await companies.open("EARLYSUM");
  await taken(one, "Y1");
  await askLess(one, "Y1");
  // Staff have made the change before they answered, and close its task after that.
  await acknowledge("EARLYSUM", "Y1", "SO-Y1", { net: "10.00", vat: "0.00" });
  await one.orders.advance();
  expect((await stands(one, "Y1"))[0]).toBe("conflict");
  const [task] = await one.orders.tasks();
  await one.orders.closeTask({ id: task?.id ?? "", state: "done", who: "kim", reason: "keyed" });
  await one.orders.advance();
  expect(await stands(one, "Y1")).toEqual(["accepted", "SO-Y1", null]);
});

/** As a pull of this moment would have learned them. */
const learnedNow = async ({ now }: Opened, table: string, which: string) =>
  companies.store.affect(`update ${table} set learned_at = $1 where ${which}`, [now]);

/** The shop wants its sand alone; the ERP has to be told by a person. */
async function askLess(one: Opened, number: string): Promise<void> {
  const lines = [{ product: "SAND", quantity: "1", unitPrice: "10.00" }];
  const who = { who: "key shop", why: null, apiKey: "shop", decides: false };
  const changed = body({ webOrder: number, customerReference: number, lines });
  await one.orders.amend(number, { ...who, idempotencyKey: `less ${number}`, body: changed });
  await companies.jobs.drain();
}

test("where lines are pulled an order is confirmed with its lines, however late they come", async () => {
  const one = await companies.open("LINES");
  const line = { line: 1, product: "SAND", quantity: "1", unitPrice: "10.00", net: "18.40" };
  await pull(companies.store, "LINES", "erp-order-line", [{ ...line, erpOrder: "SO0" }]);
  for (const number of ["L1", "L2", "L3"]) {
    await taken(one, number);
    await show("LINES", `SO-${number}`, number);
  }
  await one.orders.advance();
  expect((await stands(one, "L1"))[0]).toBe("accepted");
  await pull(companies.store, "LINES", "erp-order-line", [{ ...line, erpOrder: "SO-L1" }]);
  await one.orders.advance();
  expect((await stands(one, "L1"))[2]).toBe("Agreed are 2 of BRICK, the ERP holds 0.");
  for (const number of ["L2", "L3"]) expect((await stands(one, number))[0]).toBe("accepted");
  one.now = one.now.add({ hours: 13 });
  await one.orders.advance();
  for (const number of ["L2", "L3"]) expect((await stands(one, number))[0]).toBe("accepted");
  const grit = { product: "GRIT", quantity: "84", unitPrice: "0.10", net: "8.40" };
  await keyed("LINES", "SO-L2", {}, SANDS);
  await keyed("LINES", "SO-L3", grit, SANDS);
  await one.orders.advance();
  expect(await stands(one, "L2")).toEqual(["confirmed", "SO-L2", null]);
  expect(await stands(one, "L3")).toEqual([
    "conflict",
    "SO-L3",
    "Agreed are 2 of BRICK, the ERP holds 0.",
  ]);
});

test("what staff cancel and key anew is known by its new number", async () => {
  const one = await companies.open("ANEW");
  await taken(one, "RK2");
  await acknowledge("ANEW", "RK2", "SO-RK2");
  await show("ANEW", "SO-RK2", "RK2");
  await one.orders.advance();
  await show("ANEW", "SO-RK2", "RK2", { state: "cancelled" });
  await show("ANEW", "SO-RK2b", "RK2");
  await one.orders.advance();
  expect(await stands(one, "RK2")).toEqual(["confirmed", "SO-RK2b", null]);
  const { events } = await one.orders.show("RK2");
  expect(events.at(-1)?.about).toBe(
    "ERP order SO-RK2 is cancelled there and keyed anew as SO-RK2b.",
  );
});

test("an invoice made out to another account is a conflict; to the head office it is not", async () => {
  const one = await companies.open("BILLED", {}, { headOffice: "HQ" });
  for (const number of ["AC1", "AC2"]) await taken(one, number);
  await invoice("BILLED", "INV-AC1", "AC1", { account: "A4", erpOrder: "SO-AC1" });
  await invoice("BILLED", "INV-AC2", "AC2", { account: "HQ", erpOrder: "SO-AC2" });
  await one.orders.advance();
  expect(await stands(one, "AC1")).toEqual([
    "conflict",
    "SO-AC1",
    "The ERP invoiced it to account A4, it was ordered by A1.",
  ]);
  expect((await stands(one, "AC2"))[0]).toBe("accepted");
});

test("an invoice to another account is a conflict, whatever came before it", async () => {
  const one = await companies.open("BILLED2");
  for (const number of ["IA1", "IA2"]) await taken(one, number);
  await acknowledge("BILLED2", "IA1", "SO-IA1");
  await acknowledge("BILLED2", "IA2", "SO-IA2");
  await show("BILLED2", "SO-IA2", "IA2");
  await one.orders.advance();
  expect([(await stands(one, "IA1"))[0], (await stands(one, "IA2"))[0]]).toEqual([
    "accepted",
    "confirmed",
  ]);
  for (const number of ["IA1", "IA2"])
    await invoice("BILLED2", `INV-${number}`, number, { account: "A4", erpOrder: `SO-${number}` });
  await one.orders.advance();
  for (const number of ["IA1", "IA2"])
    expect(await stands(one, number)).toEqual([
      "conflict",
      `SO-${number}`,
      "The ERP invoiced it to account A4, it was ordered by A1.",
    ]);
  // Once a person has looked it is settled.
  await one.orders.resolve("IA1", { ...KIM, erpOrder: "SO-IA1" });
  await one.orders.resolve("IA2", { ...KIM, erpOrder: "SO-IA2" });
  await one.orders.advance();
  expect((await stands(one, "IA1"))[0]).toBe("confirmed");
  expect((await stands(one, "IA2"))[0]).toBe("confirmed");
});

test("what the ERP charges is compared where an answer came first, too", async () => {
  const one = await companies.open("CHARGED");
  for (const number of ["IV1", "IV2", "IV3"]) await taken(one, number);
  await acknowledge("CHARGED", "IV1", "SO-IV1");
  await acknowledge("CHARGED", "IV2", "SO-IV2", { net: "18.40", vat: "1.68" });
  await acknowledge("CHARGED", "IV3", "SO-IV3", { net: "18.40", vat: "1.68" });
  await one.orders.advance();
  const dear = { net: "28.40", vat: "3.68", gross: "32.08" };
  await billWhole("CHARGED", "IV1", dear);
  await billWhole("CHARGED", "IV2", dear);
  await billWhole("CHARGED", "IV3", {});
  await salesOf(companies.store, "CHARGED").post();
  await one.orders.advance();
  for (const number of ["IV1", "IV2"])
    expect(await stands(one, number)).toEqual([
      "conflict",
      `SO-${number}`,
      "Agreed net is 18.40, invoiced is 28.40: 10.00.",
    ]);
  expect(await stands(one, "IV3")).toEqual(["accepted", "SO-IV3", null]);
});

/** One invoice for both lines of the order. */
async function billWhole(
  company: string,
  number: string,
  sums: { readonly net?: string; readonly vat?: string; readonly gross?: string },
): Promise<void> {
  const on = { documentType: "invoice", document: `INV-${number}`, account: "A1" } as const;
  const line = { ...on, documentOn: "2026-03-31", webOrder: number, erpOrder: `SO-${number}` };
  await pull(companies.store, company, "sales-line", [
    {
      ...line,
      line: 1,
      erpOrderLine: 1,
      product: "BRICK",
      quantity: "2",
      unitPrice: "4.20",
      net: "8.40",
      vat: "1.68",
    },
    {
      ...line,
      line: 2,
      erpOrderLine: 2,
      product: "SAND",
      quantity: "1",
      unitPrice: "10.00",
      net: (Number(sums.net ?? "18.40") - 8.4).toFixed(2),
      vat: (Number(sums.vat ?? "1.68") - 1.68).toFixed(2),
    },
  ]);
  await invoice(company, `INV-${number}`, number, { erpOrder: `SO-${number}`, ...sums });
}

test("a confirmed order whose ERP order is another's by now is a conflict of both", async () => {
  const one = await companies.open("MOVED");
  for (const number of ["K1", "K2", "K4"]) {
    await taken(one, number);
    await show("MOVED", `SO-${number}`, number);
  }
  await one.orders.advance();
  await taken(one, "K3");
  expect((await stands(one, "K2"))[0]).toBe("confirmed");
  await show("MOVED", "SO-K1", "K1", { account: "A4" });
  await show("MOVED", "SO-K2", "K3");
  await show("MOVED", "SO-K4", null, { account: "A3" });
  await one.orders.advance();
  for (const [number, other] of [
    ["K2", "K3"],
    ["K3", "K2"],
  ] as const) {
    const [state, erpOrder, reason] = await stands(one, number);
    expect([state, erpOrder]).toEqual(["conflict", "SO-K2"]);
    expect(reason).toContain(`SO-K2 is web order ${other}'s as well`);
  }
  expect(await stands(one, "K1")).toEqual([
    "conflict",
    "SO-K1",
    "The ERP holds it for account A4, it was ordered by A1.",
  ]);
  expect(await stands(one, "K4")).toEqual([
    "conflict",
    "SO-K4",
    "The ERP holds it for account A3, it was ordered by A1.",
  ]);
});

test("an account that the ERP has renamed makes no conflict of what was confirmed", async () => {
  const one = await companies.open("RENAMED");
  await taken(one, "N1");
  await show("RENAMED", "SO-N1", "N1");
  await one.orders.advance();
  await companies.store.affect(
    "update customer set account = 'A1X' where company = 'RENAMED' and account = 'A1'",
  );
  await show("RENAMED", "SO-N1", "N1", { account: "A1X" });
  await invoice("RENAMED", "INV-N1", "N1", { account: "A1X", erpOrder: "SO-N1" });
  await one.orders.advance();
  expect(await stands(one, "N1")).toEqual(["confirmed", "SO-N1", null]);
});

test("what the journal shows as handed over before this database knew of it takes its answers", async () => {
  const one = await companies.open("RESTORED");
  one.erp.finding = "file-drop";
  const dropped = new Set(["B1", "B3", "B4"]);
  one.erp.finds = (key) =>
    dropped.has(key)
      ? { kind: "present", outcome: { kind: "handedOver", evidence: "in the journal" } }
      : { kind: "absent" };
  const earlier = { answeredOn: "2026-03-30" };
  await acknowledge("RESTORED", "B1", "SO-B1", earlier);
  await acknowledge("RESTORED", "B2", "SO-B2", earlier);
  await acknowledge("RESTORED", "B3", "-", { outcome: "refused", reason: "on stop", ...earlier });
  for (const number of ["B1", "B2", "B3", "B4"]) await taken(one, number);
  await one.orders.advance();
  expect(await stands(one, "B1")).toEqual(["accepted", "SO-B1", null]);
  expect((await stands(one, "B3"))[0]).toBe("refused");
  expect(await stands(one, "B4")).toEqual(["handedOver", null, null]);
  // What neither the journal nor the ERP shows is not sent without a person.
  expect((await stands(one, "B2"))[0]).toBe("held");
  await acknowledge("RESTORED", "B4", "SO-B4");
  await one.orders.advance();
  expect(await stands(one, "B4")).toEqual(["accepted", "SO-B4", null]);
  expect(one.erp.asked.filter((asked) => asked.startsWith("place"))).toEqual([]);
});

test("an invoice of a confirmed order that is neither as agreed nor as the ERP has it is a conflict", async () => {
  const one = await companies.open("DEAR");
  for (const number of ["PP1", "PP2"]) {
    await taken(one, number);
    await show("DEAR", `SO-${number}`, number);
  }
  await one.orders.advance();
  // Of the second staff changed the order itself, and charge what it says.
  await show("DEAR", "SO-PP2", "PP2", { net: "28.40", vat: "3.68" });
  for (const number of ["PP1", "PP2"])
    await billWhole("DEAR", number, { net: "28.40", vat: "3.68", gross: "32.08" });
  await salesOf(companies.store, "DEAR").post();
  await one.orders.advance();
  expect(await stands(one, "PP1")).toEqual([
    "conflict",
    "SO-PP1",
    "Agreed net is 18.40, invoiced is 28.40: 10.00.",
  ]);
  expect((await stands(one, "PP2"))[0]).toBe("confirmed");
});

const LINE = { line: 1, quantity: "2", unitPrice: "4.20", net: "8.40" };
const keyed = (company: string, erpOrder: string, ...lines: object[]) =>
  pull(
    companies.store,
    company,
    "erp-order-line",
    lines.map((line, at) => ({ ...LINE, product: "BRICK", ...line, erpOrder, line: at + 1 })),
  );
const SANDS = { product: "SAND", quantity: "1", unitPrice: "10.00", net: "10.00" };

test("lines are compared where the header has the carriage, and where it states no net", async () => {
  const one = await companies.open("CARRIED", { charges: CARRIAGE });
  const carried = async (number: string) => {
    const charges = [{ charge: "CARR", net: "7.50" }];
    orderIn(
      await send(one.orders, number, { webOrder: number, customerReference: number, charges }),
    );
    await companies.jobs.drain();
  };
  for (const number of ["NB1", "NB2"]) await carried(number);
  for (const number of ["NB3", "NB4"]) await taken(one, number);
  for (const number of ["NB1", "NB2"])
    await show("CARRIED", `SO-${number}`, number, { net: "25.90", vat: "3.18" });
  for (const number of ["NB3", "NB4"])
    await show("CARRIED", `SO-${number}`, number, { net: null, vat: null });
  await keyed("CARRIED", "SO-NB1", {}, SANDS);
  await keyed("CARRIED", "SO-NB2", { product: "PEN" }, SANDS);
  await keyed("CARRIED", "SO-NB3", { quantity: "200" }, SANDS);
  await keyed("CARRIED", "SO-NB4", {}, SANDS);
  await one.orders.advance();
  expect(await stands(one, "NB1")).toEqual(["confirmed", "SO-NB1", null]);
  expect(await stands(one, "NB2")).toEqual([
    "conflict",
    "SO-NB2",
    "Agreed are 2 of BRICK, the ERP holds 0.",
  ]);
  // Whether they are all there nothing tells, so that they have their hour.
  expect((await stands(one, "NB3"))[0]).toBe("accepted");
  one.now = one.now.add({ minutes: 61 });
  await one.orders.advance();
  expect((await stands(one, "NB3"))[2]).toBe("Agreed are 2 of BRICK, the ERP holds 200.");
  expect((await stands(one, "NB4"))[0]).toBe("confirmed");
});

test("lines that do not add up are a person's once they are due no more", async () => {
  const one = await companies.open("SHORT");
  for (const number of ["S1", "S2"]) {
    await taken(one, number);
    await show("SHORT", `SO-${number}`, number);
  }
  await keyed("SHORT", "SO-S1", { product: "PEN", net: "1.00" });
  // An ERP whose lines are before a discount that its header has.
  await keyed("SHORT", "SO-S2", { net: "9.40" }, SANDS);
  await one.orders.advance();
  expect((await stands(one, "S1"))[0]).toBe("accepted");
  one.now = one.now.add({ minutes: 61 });
  await one.orders.advance();
  expect((await stands(one, "S1"))[2]).toBe("Agreed are 2 of BRICK, the ERP holds 0.");
  expect(await stands(one, "S2")).toEqual(["confirmed", "SO-S2", null]);
});

test("an answer that bears a day of last week is the order's, once it was sent", async () => {
  const one = await companies.open("LASTWEEK");
  for (const number of ["WK1", "WK2"]) await taken(one, number);
  const lastWeek = { answeredOn: "2026-03-26" };
  await acknowledge("LASTWEEK", "WK1", "SO-WK1", lastWeek);
  const refused = { outcome: "refused", reason: "on stop", ...lastWeek };
  await acknowledge("LASTWEEK", "WK2", "-", refused);
  await one.orders.advance();
  expect(await stands(one, "WK1")).toEqual(["accepted", "SO-WK1", null]);
  expect((await stands(one, "WK2"))[0]).toBe("refused");
});

test("a change that staff made otherwise, and pulled before its task was closed, is a conflict", async () => {
  const one = await companies.open("OTHERWISE");
  for (const number of ["ZA1", "ZA2", "ZA3"]) {
    await taken(one, number);
    await show("OTHERWISE", `SO-${number}`, number);
  }
  await one.orders.advance();
  for (const number of ["ZA1", "ZA2", "ZA3"]) await askLess(one, number);
  one.now = one.now.add({ minutes: 5 });
  await show("OTHERWISE", "SO-ZA1", "ZA1", { net: "14.20", vat: "0.84" });
  await show("OTHERWISE", "SO-ZA2", "ZA2", { net: "10.00", vat: "0.00" });
  await learnedNow(one, "erp_order", "erp_order in ('SO-ZA1', 'SO-ZA2')");
  one.now = one.now.add({ minutes: 5 });
  for (const { id } of await one.orders.tasks())
    await one.orders.closeTask({ id, state: "done", who: "kim", reason: "keyed" });
  await one.orders.advance();
  expect(await stands(one, "ZA1")).toEqual([
    "conflict",
    "SO-ZA1",
    "Agreed net is 10.00, the ERP holds 14.20: 4.20.",
  ]);
  expect((await stands(one, "ZA2"))[0]).toBe("confirmed");
  // It shows the order as it was before: the change may come with the next pull.
  expect((await stands(one, "ZA3"))[0]).toBe("confirmed");
  await show("OTHERWISE", "SO-ZA1", "ZA1", { net: "10.00", vat: "0.00" });
  await one.orders.advance();
  expect(await stands(one, "ZA1")).toEqual(["confirmed", "SO-ZA1", null]);
});

test("a cancelled order that is invoiced or despatched after all is a conflict, and nothing is paid back meanwhile", async () => {
  const one = await companies.open("TOOLATE");
  const payment = { provider: "card", amount: "20.08" };
  for (const number of ["CI1", "CJ1"]) {
    const paid = { payment: { ...payment, reference: number } };
    orderIn(
      await send(one.orders, number, { webOrder: number, customerReference: number, ...paid }),
    );
    await companies.jobs.drain();
    await acknowledge("TOOLATE", number, `SO-${number}`);
  }
  await one.orders.advance();
  for (const number of ["CI1", "CJ1"]) await one.orders.cancel(number, KIM);
  await companies.jobs.drain();
  for (const { id } of await one.orders.tasks())
    await one.orders.closeTask({ id, state: "done", ...KIM });
  await one.orders.advance();
  expect((await stands(one, "CI1"))[0]).toBe("cancelled");
  const refunds = async () =>
    (await one.orders.tasks({ state: "open" })).filter(({ kind }) => kind === "refund").length;
  expect(await refunds()).toBe(2);
  one.now = one.now.add({ minutes: 5 });
  await billWhole("TOOLATE", "CI1", {});
  await pull(companies.store, "TOOLATE", "despatch", [
    { despatch: "DNCJ", account: "A1", despatchedOn: "2026-03-31" },
  ]);
  await pull(companies.store, "TOOLATE", "despatch-line", [
    { despatch: "DNCJ", line: 1, erpOrder: "SO-CJ1", product: "SAND", quantity: "1" },
  ]);
  for (const table of ["sales_document", "sales_line", "despatch", "despatch_line"])
    await learnedNow(one, table, "company = 'TOOLATE'");
  await salesOf(companies.store, "TOOLATE").post();
  await one.orders.advance();
  for (const [number, what] of [
    ["CI1", "invoiced it as INV-CI1"],
    ["CJ1", "despatched it as DNCJ"],
  ] as const) {
    const [state, erpOrder, reason] = await stands(one, number);
    expect([state, erpOrder]).toEqual(["conflict", `SO-${number}`]);
    expect(reason).toContain(`${number} is cancelled here, and the ERP ${what} since.`);
  }
  expect(await refunds()).toBe(0);
  // What was sent came back: cancelled once more, it is owed back.
  await one.orders.cancel("CJ1", KIM);
  expect(await refunds()).toBe(1);
});
