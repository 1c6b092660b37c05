/**
 * Everything that this ERP holds while it runs; each part is kept by the file it is named after.
 */
import {
  calendar,
  randomOf,
  type Customer,
  type Merchant,
  type Product,
  type Random,
} from "../../../deploy/demo/merchant/index.ts";
import { agendaOf, type Agenda } from "./agenda.ts";
import type { Credit } from "./crediting.ts";
import { exporterOf, type Exporter } from "./exporter.ts";
import { badRowsOf, faultsOf, type FaultPlan, type Faults } from "./faults.ts";
import type { Row, Stream } from "./layout.ts";
import { ledgerOf, type Ledger } from "./ledger.ts";
import type { ErpOrder } from "./orders.ts";
import { pricingOf, type Pricing } from "./pricing.ts";
import type { Delivery } from "./shipping.ts";
import { tallyOf, type Tally } from "./tally.ts";
import type { TakenOrder } from "./intake.ts";

export type Event =
  | { readonly kind: "deliver"; readonly delivery: Delivery }
  | { readonly kind: "credit"; readonly credit: Credit };

const SERIES = {
  order: ["SO", 100_001],
  despatch: ["DN", 300_001],
  invoice: ["INV", 500_001],
  credit: ["CN", 700_001],
  receipt: ["RC", 800_001],
  settlement: ["AL", 900_001],
} as const;
type Series = keyof typeof SERIES;

export interface Erp {
  readonly merchant: Merchant;
  readonly folder: string;
  readonly seed: number;
  /** The day that it is, as a number and as text. */
  day: number;
  today(): string;
  /**
   * Decides small things of the day; web orders do not
   * touch it, so that they change no other figure.
   */
  random: Random;
  readonly pricing: Pricing;
  readonly agenda: Agenda<Event>;
  readonly out: Exporter;
  readonly ledger: Ledger;
  readonly tally: Tally;
  readonly faults: Faults;
  /** Orders that the next export must show. */
  readonly changedOrders: Set<ErpOrder>;
  readonly webOrders: TakenOrder[];
  /** Snapshots that the next export must write. */
  readonly dirty: Set<Stream>;
  /** The invoice line that a fault broke, until the export after it brings it well. */
  brokenLine: {
    readonly row: Row<"sales-lines">;
    readonly line: number;
    readonly file?: string;
  } | null;
  breaksALine(): boolean;
  /** Orders and despatches older than a year are archived: no export shows them. */
  keepsOrders(): boolean;
  number(series: Series): string;
  customer(account: string): Customer;
  product(code: string): Product;
  findCustomer(account: string): Customer | undefined;
  findProduct(code: string): Product | undefined;
}

const ARCHIVED_AFTER_DAYS = 365;
/** A broken invoice line should be a recent one. */
const BROKEN_WITHIN_DAYS = 20;

export function erpOf(
  merchant: Merchant,
  { folder, faults: plan, seed }: { folder: string; faults: FaultPlan; seed: number },
): Erp {
  const faults = faultsOf(plan);
  const aProduct = merchant.products[0]?.product ?? "";
  const out = exporterOf(`${folder}/out`, (stream) =>
    faults.due("bad-rows") ? badRowsOf(stream, aProduct) : [],
  );
  const next = new Map<Series, number>();
  const number = (series: Series) => {
    const [letters, first] = SERIES[series];
    const value = next.get(series) ?? first;
    next.set(series, value + 1);
    return `${letters}${value}`;
  };
  const customers = new Map(merchant.customers.map((one) => [one.account, one]));
  const products = new Map(merchant.products.map((one) => [one.product, one]));
  const merchantsToday = calendar.dayOf(merchant.today);
  const erp: Erp = {
    merchant,
    folder,
    seed,
    day: calendar.dayOf(merchant.opensOn) - 1,
    today: () => calendar.isoOf(erp.day),
    random: randomOf(seed, "erp"),
    pricing: pricingOf(merchant),
    agenda: agendaOf(),
    out,
    ledger: ledgerOf(merchant, out, number),
    tally: tallyOf(),
    faults,
    changedOrders: new Set(),
    webOrders: [],
    dirty: new Set(),
    brokenLine: null,
    breaksALine: () =>
      erp.brokenLine === null &&
      erp.day > merchantsToday - BROKEN_WITHIN_DAYS &&
      faults.due("broken-invoice-line"),
    keepsOrders: () => erp.day > merchantsToday - ARCHIVED_AFTER_DAYS,
    number,
    customer: (account) => known(customers.get(account), "account", account),
    product: (code) => known(products.get(code), "product", code),
    findCustomer: (account) => customers.get(account),
    findProduct: (code) => products.get(code),
  };
  return erp;
}

function known<T>(found: T | undefined, what: string, code: string): T {
  if (found === undefined) throw new Error(`the simulated ERP has no ${what} "${code}"`);
  return found;
}
