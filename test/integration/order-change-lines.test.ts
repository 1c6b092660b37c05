/** Several lines of one product: which one is cancelled, and what came of the others. */
import { expect, test } from "vitest";
import type { Accepted } from "../../src/connector/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import type { Opened } from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";

const companies = useOrderCompanies();

const brick = (quantity: string) => ({ product: "BRICK", quantity, unitPrice: "4.20" });
const shop = { who: "key shop", why: null, apiKey: "shop", decides: false };
const ACCEPTED: Accepted = {
  kind: "accepted",
  erpOrder: "SO1",
  net: null,
  vat: null,
  evidence: "it says so",
};
const CARD = { provider: "card", reference: "pi_1", amount: "60.48" };

/** 2 bricks and 10 bricks, paid, at the ERP as SO1, which has invoiced the 10. */
async function invoiced(company: string): Promise<Opened> {
  const one = await companies.open(company);
  one.erp.next = async () => ACCEPTED;
  one.erp.amend = async (order) => {
    one.erp.orders.set(order.key, order);
    return ACCEPTED;
  };
  const lines = [brick("2"), brick("10")];
  orderIn(await send(one.orders, "k1", { webOrder: "W1", lines, payment: CARD }));
  await companies.jobs.drain();
  await heldThere(company, { invoiced: "0" });
  await followed(company, one);
  const { store } = companies;
  const head = { documentType: "invoice", document: "INV1", erpOrder: "SO1" } as const;
  await pull(store, company, "sales-document", [
    { ...head, account: "A1", documentOn: "2026-03-31", net: "42.00", vat: "8.40", gross: "50.40" },
  ]);
  const goods = { lineClass: "goods", product: "BRICK", unitPrice: "4.20" } as const;
  await pull(store, company, "sales-line", [
    { ...head, line: 1, ...goods, quantity: "10", net: "42.00", vat: "8.40", erpOrderLine: 2 },
  ]);
  await heldThere(company, { invoiced: "10" });
  await followed(company, one);
  return one;
}

/** The ERP's order: its first line is gone once nothing of it is `left`. */
async function heldThere(
  company: string,
  {
    invoiced: invoicedQuantity,
    left = "2",
    state = "open",
  }: { readonly invoiced: string; readonly left?: string; readonly state?: "open" | "complete" },
): Promise<void> {
  const { store } = companies;
  await pull(store, company, "erp-order", [
    { erpOrder: "SO1", account: "A1", orderedOn: "2026-03-31", webOrder: "W1", state },
  ]);
  await store.affect("delete from erp_order_line where company = $1", [company]);
  const line = { erpOrder: "SO1", product: "BRICK", unitPrice: "4.20" };
  await pull(store, company, "erp-order-line", [
    ...(left === "0" ? [] : [{ ...line, line: 1, webOrderLine: 1, quantity: left, net: "8.40" }]),
    { ...line, line: 2, webOrderLine: 2, quantity: "10", net: "42.00", invoicedQuantity },
  ]);
  for (const table of ["erp_order", "erp_order_line"])
    await store.affect(`update ${table} set learned_at = clock_timestamp() where company = $1`, [
      company,
    ]);
}

async function followed(company: string, { orders }: Opened): Promise<void> {
  await salesOf(companies.store, company).post();
  await orders.advance();
  await companies.jobs.drain();
}

const linesOf = async ({ orders }: Opened) =>
  (await orders.show("W1")).lines.map(({ line, quantity, invoicedQuantity, cancelledQuantity }) => [
    line,
    ...[quantity, invoicedQuantity, cancelledQuantity].map(Number),
  ]);

test("of two lines of one product the one that was asked for is cancelled, and the invoiced one stays", async () => {
  const one = await invoiced("FIRSTOF2");
  expect(await linesOf(one)).toEqual([
    [1, 2, 0, 0],
    [2, 10, 10, 0],
  ]);
  const lines = [{ line: 1, quantity: null }];
  await one.orders.cancelPart("W1", { ...shop, idempotencyKey: "c1", lines });
  await companies.jobs.drain();
  const gone = [
    [1, 2, 0, 2],
    [2, 10, 10, 0],
  ];
  expect(await linesOf(one)).toEqual(gone);
  // The ERP is told of its own second line.
  expect(one.erp.orders.get("W1")?.tables[0]?.rows.map((row) => row.slice(1, 5))).toEqual([
    ["2", "product", "BRICK", "10"],
  ]);
  await heldThere("FIRSTOF2", { invoiced: "10", left: "0", state: "complete" });
  await followed("FIRSTOF2", one);
  await one.orders.advance();
  expect(await one.orders.show("W1")).toMatchObject({ fulfilment: "invoiced", changedInErp: [] });
  expect(await linesOf(one)).toEqual(gone);
  const refunds = await one.orders.tasks({ kind: "refund" });
  expect(refunds.map(({ amount }) => amount)).toEqual(["10.08"]);
});

test("an amendment leaves out the line of which nothing came, and never one of which something did", async () => {
  const one = await invoiced("AMENDOF2");
  const amend = (quantities: readonly string[]) =>
    one.orders.amend("W1", {
      ...shop,
      idempotencyKey: `a ${quantities.join()}`,
      body: body({ lines: quantities.map(brick) }),
    });
  expect(await amend(["4", "8"])).toMatchObject({
    status: 422,
    problem: { problems: [{ code: "below-delivered", found: "8", expected: "at least 10" }] },
  });
  expect(await amend(["11"])).toMatchObject({ status: 202 });
  await companies.jobs.drain();
  expect(await linesOf(one)).toEqual([[2, 11, 10, 0]]);
  expect(await amend(["11", "3"])).toMatchObject({ status: 202 });
  await companies.jobs.drain();
  // A number that it had before is not another line's.
  expect(await linesOf(one)).toEqual([
    [2, 11, 10, 0],
    [3, 3, 0, 0],
  ]);
});

test("what comes of a line while a change waits that takes it out is not forgotten", async () => {
  const out = async (company: string, makes: boolean) => {
    const one = await companies.open(company);
    one.erp.next = async () => ACCEPTED;
    const comes = () =>
      companies.store.affect(
        "update web_order_line set despatched_quantity = 2 where company = $1 and line = 1",
        [company],
      );
    if (makes)
      one.erp.amend = async () => {
        await comes();
        return ACCEPTED;
      };
    const lines = [brick("2"), brick("10")];
    orderIn(await send(one.orders, "k1", { webOrder: "W1", lines, payment: CARD }));
    await companies.jobs.drain();
    const asked = { ...shop, idempotencyKey: "a1", body: body({ lines: [brick("10")] }) };
    expect(await one.orders.amend("W1", asked)).toMatchObject({ answer: { state: "asked" } });
    await companies.jobs.drain();
    if (!makes) await comes();
    return one;
  };
  const came = "Of BRICK 2 are despatched or invoiced already on line 1 of the order";
  const byPerson = await out("CAMETASK", false);
  const [task] = await byPerson.orders.tasks({ kind: "amend" });
  const end = { id: task?.id ?? "", state: "done", who: "kim", reason: "made" } as const;
  await expect(byPerson.orders.closeTask(end)).rejects.toThrow(came);
  expect(await byPerson.orders.tasks({ kind: "amend" })).toHaveLength(1);
  const byErp = await out("CAMEERP", true);
  expect(await byErp.orders.show("W1")).toMatchObject({
    state: "conflict",
    reasons: [expect.stringContaining(came)],
    changes: [{ state: "refused" }],
  });
  expect(await byErp.orders.tasks({ kind: "refund" })).toEqual([]);
});
