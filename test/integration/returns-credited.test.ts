/**
 * What credit notes leave to come back, and which returns they end: one says the line, the invoice
 * or the order alone, and it may take off some of the price of goods that stay with the customer.
 */
import { expect, test } from "vitest";
import type { Canonical } from "../../src/model/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useOrderCompanies, type Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const kim = { who: "kim", why: "they rang" };

/** Of one line: bricks are 4.20 each. */
type Lines = readonly (Partial<Canonical<"sales-line">> & { readonly quantity: string })[];

let moment = Temporal.Instant.from("2026-03-31T09:00:00Z");

function later(one: Opened): string {
  moment = moment.add({ seconds: 60 });
  one.now = moment;
  return moment.toString();
}

async function paper(
  one: Opened,
  company: string,
  documentType: "invoice" | "credit",
  document: string,
  lines: Lines,
  more: Partial<Canonical<"sales-document">> = {},
): Promise<void> {
  const learned = later(one);
  const of = { documentType, document } as const;
  const rows = lines.map((line, index) => ({
    ...of,
    line: index + 1,
    product: "BRICK",
    unitPrice: "4.20",
    net: (4.2 * Number(line.quantity)).toFixed(2),
    vat: "0.00",
    ...line,
  }));
  const net = rows.reduce((sum, row) => sum + Number(row.net), 0).toFixed(2);
  const head = { account: "A1", documentOn: "2026-03-31", erpOrder: "SO1", net, gross: net };
  const whole = { ...of, ...head, vat: "0.00", ...more };
  await pull(companies.store, company, "sales-document", [whole], learned);
  await pull(companies.store, company, "sales-line", rows, learned);
  later(one);
  await one.orders.advance();
}

const ask = async (one: Opened, invoice: string, line: number, quantity: string) => {
  const body = { account: "A1", invoice, lines: [{ line, quantity }], reason: "x" };
  const idempotencyKey = `${later(one)} ${invoice}`;
  const request = { idempotencyKey, apiKey: "shop", test: false };
  const result = await one.orders.buyers.returns.ask({
    ...request,
    body: { ...body, wanted: "credit" },
  });
  if ("problem" in result) throw new Error(result.problem.detail);
  return result.answer.number;
};

/** Asked for, agreed to and entered in the ERP: only the credit note is still to come. */
async function entered(one: Opened, invoice: string, line: number, quantity: string) {
  const number = await ask(one, invoice, line, quantity);
  const { returns } = one.orders.buyers;
  await returns.agree(number, kim);
  await companies.jobs.drain();
  if ((await returns.show(number)).erp !== "placed")
    await returns.entered(number, { ...kim, erpReturn: `R-${number}` });
  return number;
}

const stateOf = async (one: Opened, number: string) =>
  (await one.orders.buyers.returns.show(number)).state;

const named = (line: number | null) => ({ creditsDocument: "INV1", creditsLine: line });

test("Some of the price credited leaves the goods to come back, until all of it is", async () => {
  const one = await companies.open("PRICE");
  await paper(one, "PRICE", "invoice", "INV1", [{ quantity: "2" }]);
  await paper(one, "PRICE", "credit", "CR1", [{ quantity: "2", net: "1.00", ...named(1) }]);
  await paper(one, "PRICE", "credit", "CR2", [{ quantity: "0", net: "0.40", ...named(null) }]);
  const one1 = await entered(one, "INV1", 1, "1");
  // What is left of the price of one, for one.
  await paper(one, "PRICE", "credit", "CR3", [{ quantity: "1", net: "3.50", ...named(1) }]);
  expect(await one.orders.buyers.returns.show(one1)).toMatchObject({
    state: "credited",
    creditNotes: ["CR3"],
  });
  await expect(ask(one, "INV1", 1, "2")).rejects.toThrow("2 were invoiced, 1 are credited and 0");
  await paper(one, "PRICE", "credit", "CR4", [{ quantity: "1", net: "3.50", ...named(1) }]);
  await expect(ask(one, "INV1", 1, "1")).rejects.toThrow("2 were invoiced, 2 are credited and 0");
});

test("A return that waits ends with most of its price, some kept back; a little of it ends none", async () => {
  const one = await companies.open("RESTOCK");
  await paper(one, "RESTOCK", "invoice", "INV1", [{ quantity: "3" }]);
  const number = await entered(one, "INV1", 1, "2");
  await paper(one, "RESTOCK", "credit", "CR1", [{ quantity: "2", net: "0.84", ...named(1) }]);
  expect(await stateOf(one, number)).toBe("agreed");
  await paper(one, "RESTOCK", "credit", "CR2", [{ quantity: "2", net: "6.00", ...named(1) }]);
  expect(await stateOf(one, number)).toBe("credited");
  await expect(ask(one, "INV1", 1, "2")).rejects.toThrow("3 were invoiced, 2 are credited and 0");
});

test("What a return waits for is credited first, though an older invoice has such goods, too", async () => {
  const one = await companies.open("WAITS");
  await paper(one, "WAITS", "invoice", "INV1", [{ quantity: "1" }]);
  await paper(one, "WAITS", "invoice", "INV2", [{ quantity: "1" }, { quantity: "1" }]);
  const number = await entered(one, "INV2", 2, "1");
  await paper(one, "WAITS", "credit", "CR1", [{ quantity: "1" }]);
  expect(await stateOf(one, number)).toBe("credited");
  // And stays so, now that nothing waits: the other bricks are with the customer.
  await expect(ask(one, "INV2", 2, "1")).rejects.toThrow("1 are credited");
  const second = await entered(one, "INV2", 1, "1");
  await paper(one, "WAITS", "credit", "CR2", [{ quantity: "1", creditsDocument: "INV2" }]);
  expect(await stateOf(one, second)).toBe("credited");
  const third = await ask(one, "INV1", 1, "1");
  await paper(one, "WAITS", "credit", "CR3", [{ quantity: "1" }]);
  expect(await stateOf(one, third)).toBe("credited");
});

test("What was credited before a return was asked for ends it not, whatever it waits for", async () => {
  const one = await companies.open("BEFORE");
  await paper(one, "BEFORE", "invoice", "INV1", [{ quantity: "2" }]);
  await paper(one, "BEFORE", "invoice", "INV2", [{ quantity: "3" }]);
  await paper(one, "BEFORE", "credit", "CR0", [{ quantity: "1" }]);
  const first = await entered(one, "INV2", 1, "1");
  expect(await stateOf(one, first)).toBe("agreed");
  const of = { creditsDocument: "INV2", creditsLine: 1 };
  await paper(one, "BEFORE", "credit", "CR1", [{ quantity: "1", ...of }]);
  expect(await stateOf(one, first)).toBe("credited");
  // Staff credited one more without a word: it is no credit of what is asked for after it.
  await paper(one, "BEFORE", "credit", "CR2", [{ quantity: "1", ...of }]);
  const second = await entered(one, "INV2", 1, "1");
  later(one);
  await one.orders.advance();
  expect(await stateOf(one, second)).toBe("agreed");
});

test("Of two returns that nobody agreed to, a credit note of the order alone ends none", async () => {
  const one = await companies.open("EITHER");
  await paper(one, "EITHER", "invoice", "INV1", [{ quantity: "1" }]);
  await paper(one, "EITHER", "invoice", "INV2", [{ quantity: "1" }]);
  const [first, second] = [await ask(one, "INV1", 1, "1"), await ask(one, "INV2", 1, "1")];
  await paper(one, "EITHER", "credit", "CR1", [{ quantity: "1" }]);
  expect([await stateOf(one, first), await stateOf(one, second)]).toEqual(["asked", "asked"]);
  // The one that a person agrees to is what it was for.
  await one.orders.buyers.returns.agree(second, kim);
  later(one);
  await one.orders.advance();
  expect([await stateOf(one, first), await stateOf(one, second)]).toEqual(["asked", "credited"]);
});

test("A whole invoice that is credited and charged anew ends no return of a part of it", async () => {
  const one = await companies.open("ANEW");
  const goods = [{ quantity: "2" }, { quantity: "1", product: "SAND" }];
  const whole = [
    { quantity: "2", ...named(1) },
    { quantity: "1", product: "SAND", ...named(2) },
  ];
  await paper(one, "ANEW", "invoice", "INV1", goods);
  const [asked, agreed] = [await ask(one, "INV1", 2, "1"), await entered(one, "INV1", 1, "1")];
  await paper(one, "ANEW", "credit", "CR1", whole);
  expect([await stateOf(one, asked), await stateOf(one, agreed)]).toEqual(["asked", "agreed"]);
  await paper(one, "ANEW", "invoice", "INV2", goods);
  // What is on the new invoice comes back from there, with a word of its return.
  await paper(one, "ANEW", "credit", "CR2", [{ quantity: "1" }], { customerReference: agreed });
  expect([await stateOf(one, asked), await stateOf(one, agreed)]).toEqual(["asked", "credited"]);
});

test("All of an invoice that comes back ends its return, unless it was charged again", async () => {
  const one = await companies.open("ALL");
  await paper(one, "ALL", "invoice", "INV1", [{ quantity: "1" }]);
  const again = await entered(one, "INV1", 1, "1");
  later(one);
  // Both are read before anybody looks.
  const of = { account: "A1", documentOn: "2026-03-31", erpOrder: "SO1", net: "4.20" } as const;
  const papers = [
    { ...of, documentType: "credit", document: "CR1", vat: "0.00", gross: "4.20" },
    { ...of, documentType: "invoice", document: "INV2", vat: "0.00", gross: "4.20" },
  ] as const;
  const line = { line: 1, product: "BRICK", quantity: "1", unitPrice: "4.20", net: "4.20" };
  const lines = papers.map(({ documentType, document }) => ({
    documentType,
    document,
    vat: "0.00",
    ...line,
    ...(documentType === "credit" ? named(1) : {}),
  }));
  await pull(companies.store, "ALL", "sales-document", [...papers], moment.toString());
  await pull(companies.store, "ALL", "sales-line", lines, moment.toString());
  later(one);
  await one.orders.advance();
  expect(await stateOf(one, again)).toBe("agreed");
  const second = await entered(one, "INV2", 1, "1");
  const second1 = { creditsDocument: "INV2", creditsLine: 1 };
  await paper(one, "ALL", "credit", "CR2", [{ quantity: "1", ...second1 }]);
  expect(await stateOf(one, second)).toBe("credited");
});

test("A return that nobody agreed to is not ended by a credit note of more than its lines", async () => {
  const one = await companies.open("MORE");
  const goods = [
    { quantity: "1" },
    { quantity: "1", product: "SAND" },
    { quantity: "1", product: "GLUE" },
  ];
  await paper(one, "MORE", "invoice", "INV1", goods);
  const number = await ask(one, "INV1", 1, "1");
  await paper(one, "MORE", "credit", "CR1", [
    { quantity: "1", ...named(1) },
    { quantity: "1", product: "SAND", ...named(2) },
  ]);
  expect(await stateOf(one, number)).toBe("asked");
});
