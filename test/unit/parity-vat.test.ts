/** VAT of documents against what a policy works out, by the rates of their day. */
import { expect, test } from "vitest";
import type { ChargedLine } from "../../src/parity/facts.ts";
import { vatFits } from "../../src/parity/vat-fit.ts";
import { loadPolicy } from "../../src/pricing/index.ts";

test("a rate that changed is that of the date that decides, on an old document as on a new one", async () => {
  const vatOn = (date: string) => ({ STANDARD: date < "2026-07-01" ? "20" : "21" });
  const line = (document: string, invoicedOn: string, vat: string, more: object = {}) =>
    ({
      documentType: "invoice",
      document,
      net: "10.00",
      vat,
      vatCode: "STANDARD",
      orderedOn: null,
      despatchedOn: null,
      invoicedOn,
      ...more,
    }) as ChargedLine;
  const lines = [
    line("OLD", "2026-06-30", "2.00"),
    line("NEW", "2026-07-01", "2.10"),
    line("ORDERED", "2026-07-02", "2.00", { orderedOn: "2026-06-29" }),
  ];
  const generic = await loadPolicy("generic");
  const fits = (date: "order" | "invoice") =>
    vatFits(vatOn, { lines } as never, { ...generic, decides: { date, quantity: "line" } });
  expect(fits("order")).toMatchObject({ documents: 3, fits: 3 });
  expect(fits("invoice")).toMatchObject({ documents: 3, fits: 2 });
});
