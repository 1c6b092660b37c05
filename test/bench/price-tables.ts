/** The measured merchant in the canonical tables of a database, by COPY. */
import type { Store } from "../../src/store/index.ts";
import { batches, mastersOf, rulesOf } from "./price-data.ts";
import type { PricingSizes } from "./price-data.ts";

const PROVENANCE = [
  "bench",
  "00000000-0000-0000-0000-000000000000",
  "01960000-0000-7000-8000-000000000001",
  "1",
  "01960000-0000-7000-8000-000000000002",
  "2026-06-01T08:00:00Z",
];
const PROVENANCE_COLUMNS = "feed, row_hash, origin_id, origin_line, run_id, learned_at";

export async function fillTables(
  store: Store,
  company: string,
  sizes: PricingSizes,
): Promise<void> {
  const copy = (
    table: string,
    columns: string,
    rows: Iterable<readonly (string | boolean | null)[]>,
  ) =>
    store.copyIn(
      `COPY ${table} (company, ${columns}, ${PROVENANCE_COLUMNS}) FROM STDIN`,
      copyText(company, rows),
    );
  const { customers, priceLists, productGroups, products } = mastersOf(sizes);
  await copy(
    "customer",
    "account, name, customer_group, price_list, currency, on_stop, cash_account, state, reference_required",
    customers.map((row) => [
      row.account,
      row.account,
      row.customerGroup,
      row.priceList,
      row.currency,
      "f",
      "f",
      "active",
      "f",
    ]),
  );
  await copy(
    "price_list",
    "price_list, name, currency, standard",
    priceLists.map((row) => [row.priceList, row.priceList, "GBP", row.standard ? "t" : "f"]),
  );
  await copy(
    "product_group",
    "product_group, name",
    productGroups.map((row) => [row.productGroup, row.productGroup]),
  );
  await copy(
    "product",
    "product, name, product_group, selling_unit, pricing_unit, selling_units_per_pricing_unit, " +
      "pack_quantity, vat_code, state, sold_on_web",
    products.map((row) => [
      row.product,
      row.product,
      row.productGroup,
      row.sellingUnit,
      row.pricingUnit,
      row.sellingUnitsPerPricingUnit,
      "1",
      row.vatCode,
      "active",
      "t",
    ]),
  );
  await copy(
    "price_rule",
    "rule, customer_scope, customer_code, product_scope, product_code, kind, value, currency, " +
      "from_quantity, valid_from, valid_to, net, contract",
    ruleColumns(sizes),
  );
  // As the first load of each leaves it: what comes later is told by its changes.
  await store.query(
    `INSERT INTO record_change (company, record, number, run_id, at, whole)
     SELECT $1, record, 1, $2::uuid, $3::timestamptz, true FROM unnest($4::text[]) AS record`,
    [
      company,
      PROVENANCE[4],
      PROVENANCE[5],
      ["customer", "price-list", "product-group", "product", "price-rule"],
    ],
  );
}

function* ruleColumns(sizes: PricingSizes): Generator<(string | null)[]> {
  for (const row of rulesOf(sizes))
    yield [
      row.rule,
      row.customerScope,
      row.customerCode,
      row.productScope,
      row.productCode,
      row.kind,
      row.value,
      row.currency,
      row.fromQuantity,
      row.validFrom,
      row.validTo,
      "f",
      row.contract,
    ];
}

function* copyText(
  company: string,
  rows: Iterable<readonly (string | boolean | null)[]>,
): Generator<string> {
  for (const batch of batches(rows, 2000))
    yield batch
      .map((row) => `${[company, ...row, ...PROVENANCE].map((cell) => cell ?? "\\N").join("\t")}\n`)
      .join("");
}
