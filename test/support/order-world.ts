/** An order of two bricks and a bag of sand, and what the ERP shows of it as it is pulled. */
import { expect } from "vitest";
import { pull } from "./canonical-rows.ts";
import { orderIn, send, type Opened, type OrderCompanies } from "./order-companies.ts";
import { salesOf } from "./order-sales.ts";

export const KIM = { who: "kim", reason: "looked there" };
export const PAID = { payment: { provider: "card", reference: "pi_1", amount: "20.08" } };
const SUMS = { net: "18.40", vat: "1.68", currency: "GBP" };
export const BRICKS = {
  product: "BRICK",
  quantity: "2",
  unitPrice: "4.20",
  net: "8.40",
  vat: "1.68",
};
export const SANDS = {
  product: "SAND",
  quantity: "1",
  unitPrice: "10.00",
  net: "10.00",
  vat: "0.00",
};

/** A company with one order, W1. */
export function worldOf(companies: OrderCompanies, company: string, one: Opened) {
  const rows =
    (record: "erp-order" | "erp-order-line" | "sales-document" | "sales-line") =>
    async (...given: object[]) =>
      pull(companies.store, company, record, given as never, one.now.toString());
  return {
    one,
    show: (more: object = {}) =>
      rows("erp-order")({
        ...SUMS,
        erpOrder: "SO1",
        account: "A1",
        webOrder: "W1",
        orderedOn: "2026-03-31",
        state: "open",
        ...more,
      }),
    lines: (...lines: object[]) =>
      rows("erp-order-line")(
        ...lines.map((line, at) => ({ erpOrder: "SO1", line: at + 1, ...line })),
      ),
    invoice: async (document: string, sums: object, ...lines: object[]) => {
      const of = { documentType: "invoice", document, account: "A1", documentOn: "2026-03-31" };
      const head = { ...of, ...SUMS, gross: "20.08", webOrder: "W1", erpOrder: "SO1" };
      await rows("sales-document")({ ...head, ...sums });
      await rows("sales-line")(...lines.map((line, at) => ({ ...of, line: at + 1, ...line })));
      await salesOf(companies.store, company, () => one.now).post();
    },
    /** Minutes pass, and a look follows. */
    look: async () => {
      one.now = one.now.add({ minutes: 5 });
      await one.orders.advance();
    },
    stands: async () => {
      const { state, reasons } = await one.orders.show("W1");
      return [state, ...reasons];
    },
    /** The shop asks, and a person makes it there, or says so. */
    close: async () => {
      const tasks = await one.orders.tasks();
      for (const { id, about } of tasks)
        if (/^(cancellation|amendment)/.test(about))
          await one.orders.closeTask({ id, state: "done", ...KIM });
    },
  };
}

/** Paid by card, and read back as it was agreed. */
export async function confirmedWorld(companies: OrderCompanies, company: string) {
  const one = await companies.open(company);
  const world = worldOf(companies, company, one);
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  await world.show();
  await world.look();
  expect(await world.stands()).toEqual(["confirmed"]);
  return world;
}
