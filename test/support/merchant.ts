/** A small merchant as a pull would leave it, for tests of what the API answers about it. */
import type { Canonical } from "../../src/model/index.ts";
import type { Queryable } from "../../src/store/index.ts";
import { pull } from "./canonical-rows.ts";

const customers: readonly Partial<Canonical<"customer">>[] = [
  { account: "A001", name: "Ashdown Builders", priceList: "TRADE", branch: "B1", rep: "R01" },
  { account: "A002", name: "Brook & Sons", onStop: true, stopReason: "overdue" },
  { account: "A003", name: "Cole Roofing", creditLimit: "10.00", balance: "9.00" },
];

const products: readonly Partial<Canonical<"product">>[] = [
  { product: "BRK001", name: "Red brick", pricingUnit: "1000", sellingUnitsPerPricingUnit: "1000" },
  { product: "CEM001", name: "Cement 25 kg", vatCode: "STANDARD", leastQuantity: "2" },
  { product: "OLD001", name: "Old tile", state: "discontinued" },
];

const rules: readonly Partial<Canonical<"price-rule">>[] = [
  price("STD-BRK001", "everyone", null, "BRK001", "450.000000"),
  price("STD-CEM001", "everyone", null, "CEM001", "5.200000"),
  price("TRD-CEM001", "price-list", "TRADE", "CEM001", "4.800000"),
];

function price(
  rule: string,
  customerScope: Canonical<"price-rule">["customerScope"],
  customerCode: string | null,
  productCode: string,
  value: string,
): Partial<Canonical<"price-rule">> {
  return {
    rule,
    customerScope,
    customerCode,
    productScope: "product",
    productCode,
    kind: "fixed",
    value,
  };
}

/** Everything above, and one invoice and its credit of March 2026 with the ERP's control totals. */
export async function pullMerchant(on: Queryable, company: string): Promise<void> {
  await pull(on, company, "branch", [{ branch: "B1", name: "Leeds", defaultChannel: "counter" }]);
  await pull(on, company, "customer", customers);
  await pull(on, company, "site", [{ account: "A001", site: "S1", name: "Mill Lane" }]);
  await pull(on, company, "rep", [{ rep: "R01", name: "Ann Archer" }]);
  await pull(on, company, "assignment", [{ account: "A001", rep: "R01", validFrom: "2020-01-01" }]);
  await pull(on, company, "product", products);
  await pull(on, company, "price-list", [{ priceList: "TRADE", name: "Trade" }]);
  await pull(on, company, "price-rule", rules);
  await pull(on, company, "sales-document", [
    sale("invoice", "1001", "120.00", "24.00", "144.00"),
    sale("credit", "2001", "20.00", "4.00", "24.00"),
  ]);
  await pull(on, company, "sales-line", [
    { ...soldLine("invoice", "1001", "120.00", "24.00"), quantity: "25" },
    { ...soldLine("credit", "2001", "20.00", "4.00"), creditsDocument: "1001", creditsLine: 1 },
  ]);
  await pull(on, company, "control-total", [
    { period: "2026-03", documentType: "invoice", documents: 1, net: "120.00", vat: "24.00" },
    { period: "2026-03", documentType: "credit", documents: 1, net: "20.00", vat: "4.00" },
  ]);
}

type DocumentType = Canonical<"sales-document">["documentType"];

function sale(
  documentType: DocumentType,
  document: string,
  net: string,
  vat: string,
  gross: string,
): Partial<Canonical<"sales-document">> {
  return {
    documentType,
    document,
    account: "A001",
    documentOn: "2026-03-16",
    branch: "B1",
    net,
    vat,
    gross,
  };
}

function soldLine(
  documentType: DocumentType,
  document: string,
  net: string,
  vat: string,
): Partial<Canonical<"sales-line">> {
  return {
    documentType,
    document,
    line: 1,
    product: "CEM001",
    quantity: "5",
    unitPrice: "4.80",
    net,
    vat,
  };
}
