/**
 * Customers, sites, products and groups → numbered columns, the same whatever order they come in.
 */
import type { Canonical } from "../../model/index.ts";
import type { Accounts, Codes, PriceBook, Products } from "./book.ts";
import { scaledOf } from "./scaled.ts";
import { numberOf } from "./terms.ts";
import type { Names } from "./terms.ts";
import { startOfDay } from "./calendar.ts";
import { compileVat, countryCode, evidenceOf, ruleOf } from "./vat.ts";
import type { VatRules } from "./vat.ts";

export type PriceFormula = Canonical<"price-formula">;

/** What the book needs to know of each record, and no more. */
export interface Masters {
  readonly customers: readonly (Partial<
    Pick<Canonical<"customer">, "buyingGroup" | "vatNumber" | "vatEvidence" | "country">
  > &
    Pick<
      Canonical<"customer">,
      | "account"
      | "headOffice"
      | "customerGroup"
      | "priceList"
      | "branch"
      | "currency"
      | "discountPercent"
      | "vatCode"
    >)[];
  readonly sites: readonly (Partial<Pick<Canonical<"site">, "country">> &
    Pick<Canonical<"site">, "account" | "site" | "vatCode" | "standard">)[];
  readonly branches: readonly Pick<Canonical<"branch">, "branch">[];
  readonly priceLists: readonly Pick<Canonical<"price-list">, "priceList" | "standard">[];
  readonly productGroups: readonly Pick<Canonical<"product-group">, "productGroup" | "parent">[];
  readonly products: readonly Pick<
    Canonical<"product">,
    | "product"
    | "productGroup"
    | "sellingUnit"
    | "pricingUnit"
    | "sellingUnitsPerPricingUnit"
    | "vatCode"
    | "standardCost"
  >[];
  /** The company's own currency: what costs and promotions are in. */
  readonly currency: string;
  /** IANA zone of its business dates. */
  readonly timeZone: string;
  readonly productUnits?: readonly Canonical<"product-unit">[];
  readonly customerPriceLists?: readonly Canonical<"customer-price-list">[];
  readonly priceFormulas?: readonly PriceFormula[];
  /** Currency → units of it for one of the company's own, decimal text: { EUR: "1.17" }. */
  readonly rates?: Readonly<Record<string, string>>;
  /** By VAT code, from the company's settings. */
  readonly vat: VatRules["codes"];
  /** ISO country of the company; absent: GB. */
  readonly country?: string;
  /** Country of delivery → VAT code; absent: none is by country. */
  readonly vatCountries?: VatRules["countries"];
}

export type NumberedMasters = Pick<
  PriceBook,
  | "accounts"
  | "products"
  | "sites"
  | "branches"
  | "groups"
  | "buyingGroups"
  | "customerGroups"
  | "priceLists"
  | "standardList"
  | "headOffices"
  | "vatCodes"
  | "vat"
  | "formulaOf"
  | "timeZone"
  | "rates"
>;

/** Units and currencies are shared with the rules, so they get their last numbers later. */
export function numberMasters(masters: Masters, units: Names, currencies: Names): NumberedMasters {
  const { customers, products, sites } = masters;
  const vatCodes = codesOf([
    ...Object.keys(masters.vat),
    ...Object.values(masters.vat).map((stated) => ruleOf(stated).instead),
    ...Object.values(masters.vatCountries ?? {}),
    ...[...customers, ...sites, ...products].map((record) => record.vatCode),
  ]);
  const groups = codesOf([
    ...masters.productGroups.flatMap((group) => [group.productGroup, group.parent]),
    ...products.map((product) => product.productGroup),
  ]);
  const named = {
    vatCodes,
    sites: codesOf(sites.map(siteCode)),
    groups,
    buyingGroups: codesOf(customers.map((customer) => customer.buyingGroup ?? null)),
    customerGroups: codesOf(customers.map((customer) => customer.customerGroup)),
    headOffices: codesOf(customers.map((customer) => customer.headOffice)),
    priceLists: codesOf([
      ...masters.priceLists.map((list) => list.priceList),
      ...(masters.customerPriceLists ?? []).map((row) => row.priceList),
      ...customers.map((customer) => customer.priceList),
    ]),
    branches: codesOf([
      ...masters.branches.map((branch) => branch.branch),
      ...customers.map((customer) => customer.branch),
    ]),
  };
  return {
    accounts: accountsOf(masters, named, currencies),
    products: productsOf(masters, named, units),
    sites: sitesOf(masters, named),
    branches: named.branches,
    groups: { ...groups, parent: parentsOf(masters, groups) },
    buyingGroups: named.buyingGroups,
    customerGroups: named.customerGroups,
    priceLists: named.priceLists,
    standardList: standardList(masters, named.priceLists),
    formulaOf: new Map(masters.priceFormulas?.map((row) => [row.formula, row])),
    timeZone: masters.timeZone,
    rates: ratesOf(masters),
    headOffices: named.headOffices,
    vatCodes: vatCodes.codes,
    vat: compileVat({ codes: masters.vat }, vatCodes.codes, (date) =>
      startOfDay(date, masters.timeZone),
    ),
  };
}

/** Distinct codes in order; nulls are no code. */
function codesOf(found: readonly (string | null)[]): Codes {
  const codes = [...new Set(found.filter((code) => code !== null))].sort();
  return { codes, numbers: new Map(codes.map((code, number) => [code, number])) };
}

function column(codes: Codes, of: readonly (string | null)[]): Int32Array {
  return Int32Array.from(of, (code) => (code === null ? -1 : (codes.numbers.get(code) ?? -1)));
}

function accountsOf(
  masters: Masters,
  named: Readonly<
    Record<
      | "vatCodes"
      | "buyingGroups"
      | "customerGroups"
      | "headOffices"
      | "priceLists"
      | "branches"
      | "sites",
      Codes
    >
  >,
  currencies: Names,
): Accounts {
  const codes = codesOf(masters.customers.map((customer) => customer.account));
  const inOrder = ordered(codes, masters.customers, (customer) => customer.account);
  const usual = usualSites(masters);
  return {
    ...codes,
    // The head office itself is under its own rules too.
    headOffice: column(
      named.headOffices,
      inOrder.map((row) => row.headOffice ?? row.account),
    ),
    buyingGroup: column(
      named.buyingGroups,
      inOrder.map((row) => row.buyingGroup ?? null),
    ),
    group: column(
      named.customerGroups,
      inOrder.map((row) => row.customerGroup),
    ),
    ...listsOf(masters, named.priceLists, inOrder),
    branch: column(
      named.branches,
      inOrder.map((row) => row.branch),
    ),
    currency: Int32Array.from(inOrder, (row) => numberOf(currencies, row.currency)),
    site: column(
      named.sites,
      inOrder.map((row) => usual.get(row.account) ?? null),
    ),
    discount: Int32Array.from(inOrder, (row) => scaledOf(row.discountPercent ?? "0", 4) ?? 0),
    vatCode: column(
      named.vatCodes,
      inOrder.map((row) => row.vatCode),
    ),
    countryVat: countryCodes(masters, named.vatCodes, inOrder),
    evidence: Int32Array.from(inOrder, (row) => evidenceOf(row, isAbroad(masters, row))),
  };
}

interface Placed {
  readonly country?: string | null;
}

function countryCodes(masters: Masters, vatCodes: Codes, placed: readonly Placed[]): Int32Array {
  const rules = { country: ownCountry(masters), countries: masters.vatCountries ?? {} };
  return column(
    vatCodes,
    placed.map(({ country = null }) => countryCode(rules, country)),
  );
}

function ownCountry({ country = "GB" }: Masters): string {
  return country;
}

function isAbroad(masters: Masters, { country = null }: Placed): boolean {
  return country !== null && country !== ownCountry(masters);
}

function productsOf(
  masters: Masters,
  named: Readonly<Record<"vatCodes" | "groups", Codes>>,
  units: Names,
): Products {
  const codes = codesOf(masters.products.map((product) => product.product));
  const inOrder = ordered(codes, masters.products, (product) => product.product);
  return {
    ...codes,
    group: column(
      named.groups,
      inOrder.map((row) => row.productGroup),
    ),
    vatCode: column(
      named.vatCodes,
      inOrder.map((row) => row.vatCode),
    ),
    sellingUnit: Int32Array.from(inOrder, (row) => numberOf(units, row.sellingUnit)),
    pricingUnit: Int32Array.from(inOrder, (row) => numberOf(units, row.pricingUnit)),
    perPricingUnit: Float64Array.from(inOrder, (row) => {
      const units = scaledOf(row.sellingUnitsPerPricingUnit, 5);
      return units !== undefined && units > 0 ? units : NaN;
    }),
    cost: Float64Array.from(inOrder, (row) => scaledOf(row.standardCost ?? "", 6) ?? NaN),
    ...unitsOf(masters, inOrder, units),
  };
}

/** Units in order of their names; of two records for one unit the last given stands. */
function unitsOf(
  { productUnits = [] }: Masters,
  products: readonly { readonly product: string }[],
  units: Names,
): Pick<Products, "unitStart" | "units" | "unitHolds"> {
  const byProduct = Map.groupBy(productUnits, (row) => row.product);
  const rows = products.map(({ product }) => {
    const named = new Map(byProduct.get(product)?.map((row) => [row.unit, row.sellingUnits]));
    return [...named].sort(([left], [right]) => (left < right ? -1 : 1));
  });
  return {
    unitStart: startsOf(rows),
    units: Int32Array.from(rows.flat(), ([unit]) => numberOf(units, unit)),
    unitHolds: Float64Array.from(rows.flat(), ([, holds]) => {
      const known = scaledOf(holds, 5);
      return known !== undefined && known > 0 ? known : NaN;
    }),
  };
}

/** Where each one's rows start when all stand behind each other, and where the last ones end. */
function startsOf(rows: readonly (readonly unknown[])[]): Int32Array {
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((own, at) => {
    starts[at + 1] = starts[at]! + own.length;
  });
  return starts;
}

function sitesOf(
  masters: Masters,
  named: Readonly<Record<"vatCodes" | "sites", Codes>>,
): PriceBook["sites"] {
  const inOrder = ordered(named.sites, masters.sites, siteCode);
  return {
    ...named.sites,
    vatCode: column(
      named.vatCodes,
      inOrder.map((row) => row.vatCode),
    ),
    countryVat: countryCodes(masters, named.vatCodes, inOrder),
    abroad: Uint8Array.from(inOrder, (row) => (isAbroad(masters, row) ? 1 : 0)),
  };
}

type ListOf = Pick<Canonical<"customer-price-list">, "priceList" | "closes">;

/** Further lists by position, then the account's own; each once, where it comes first. */
function listsOf(
  { customerPriceLists = [] }: Masters,
  priceLists: Codes,
  customers: readonly { readonly account: string; readonly priceList: string | null }[],
): Pick<Accounts, "listStart" | "lists" | "listCloses"> {
  const byAccount = Map.groupBy(customerPriceLists, (row) => row.account);
  const rows = customers.map(({ account, priceList }) => {
    const further: ListOf[] = (byAccount.get(account) ?? []).toSorted(
      (left, right) =>
        left.position - right.position || (left.priceList < right.priceList ? -1 : 1),
    );
    if (priceList !== null) further.push({ priceList, closes: false });
    return further.filter(
      (row, at) => further.findIndex((other) => other.priceList === row.priceList) === at,
    );
  });
  return {
    listStart: startsOf(rows),
    lists: column(
      priceLists,
      rows.flat().map((row) => row.priceList),
    ),
    listCloses: Uint8Array.from(rows.flat(), (row) => (row.closes ? 1 : 0)),
  };
}

/** Of two standard lists the first by code. */
function standardList({ priceLists }: Masters, { numbers }: Codes): number {
  const standard = priceLists.filter((list) => list.standard).map((list) => list.priceList);
  return numbers.get(standard.sort()[0] ?? "") ?? -1;
}

function ratesOf({ rates = {}, currency }: Masters): ReadonlyMap<string, number> {
  const known = Object.entries({ ...rates, [currency]: "1" }).flatMap(([code, text]) => {
    const rate = scaledOf(text, 8);
    return rate !== undefined && rate > 0 ? [[code, rate] as const] : [];
  });
  return new Map(known);
}

/** Each account's usual delivery site; of two, the first by code. */
function usualSites(masters: Masters): ReadonlyMap<string, string> {
  const usual = new Map<string, string>();
  for (const site of masters.sites) {
    const code = siteCode(site);
    if (site.standard && code < (usual.get(site.account) ?? "\uffff"))
      usual.set(site.account, code);
  }
  return usual;
}

/** A site's code in rules and in the book. */
export function siteCode(of: { readonly account: string; readonly site: string }): string {
  return `${of.account}/${of.site}`;
}

/** One record for each code, in the codes' order; of two with one code the last given stands. */
function ordered<Row>(codes: Codes, rows: readonly Row[], codeOf: (row: Row) => string): Row[] {
  const found = new Map(rows.map((row) => [codeOf(row), row]));
  return codes.codes.flatMap((code) => found.get(code) ?? []);
}

/** Parent of each group; a chain that bites its own tail is cut where it closes. */
function parentsOf(masters: Masters, groups: Codes): Int32Array {
  const parent = new Int32Array(groups.codes.length).fill(-1);
  for (const row of masters.productGroups) {
    const group = groups.numbers.get(row.productGroup) ?? -1;
    if (group >= 0 && row.parent !== null) parent[group] = groups.numbers.get(row.parent) ?? -1;
  }
  for (let group = 0; group < parent.length; group += 1) {
    const seen = new Set([group]);
    let at = group;
    while (parent[at]! >= 0 && !seen.has(parent[at]!)) seen.add((at = parent[at]!));
    if (parent[at]! >= 0) parent[at] = -1;
  }
  return parent;
}
