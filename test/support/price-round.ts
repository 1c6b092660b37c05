/**
 * A merchant whose ERP is files: a small ERP with prices of its own that exports them when the test
 * says so, and Tradepost beside it on a real database, at the hour that the test sets.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { stringify } from "yaml";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../../src/main.ts";
import type { OrderRequest } from "../../src/orders/index.ts";
import { orderRequest } from "../../src/orders/index.ts";
import type { PriceAnswer } from "../../src/pricing/index.ts";
import type { Store } from "../../src/store/index.ts";
import { goLive } from "./live.ts";

export interface OrderedLine {
  readonly product: string;
  readonly unitPrice: string;
  readonly quantity?: string;
  readonly priceToken?: string | undefined;
}

export interface Trade {
  readonly tradepost: Tradepost;
  readonly code: string;
  /** The account that `price` and `order` are for. */
  readonly customer: string;
  readonly company: CompanyServices;
  /** What the ERP would charge now: pounds by product. */
  readonly erp: Map<string, string>;
  /** What was logged as a warning or an error. */
  readonly told: string[];
  /** Local time in London, "2027-01-01T00:00:30". */
  at(local: string): void;
  /** The ERP exports its prices, and Tradepost pulls them and does what follows. */
  pull(): Promise<void>;
  /** The price of one product for the trade account, now. */
  price(
    product: string,
    asker?: { readonly account?: string; readonly tokens?: boolean },
  ): PriceAnswer;
  /** The new prices as a file in the ERP's layout. */
  file(prices: ReadonlyMap<string, string>): Uint8Array;
  order(
    line: OrderedLine,
    more?: { readonly quotation?: string },
  ): ReturnType<CompanyServices["orders"]["accept"]>;
  /** A further export of the ERP, written before the next pull. */
  export(stream: string, lines: readonly string[]): void;
  /** Another instance of Tradepost on the same database. */
  second(): Promise<{ readonly company: CompanyServices; close(): Promise<void> }>;
}

export interface TradeOptions {
  /** The company; a test file has one database. */
  readonly code?: string;
  readonly products: number;
  readonly pricing?: object;
  readonly customers?: readonly string[];
  /** Further price rules, as rows of the ERP's layout. */
  readonly rules?: () => readonly string[];
}

/** Name of the secret that price tokens are signed with. */
export const TOKEN_KEY = "price_key";
const HEAD =
  "rule,customerScope,customerCode,productScope,productCode,kind,value,contract,contractQuantity,contractUsedQuantity";

export const productOf = (at: number): string => `P${String(at).padStart(5, "0")}`;

export async function openTrade(store: Store, options: TradeOptions): Promise<Trade> {
  const { code = "ROUND" } = options;
  const folder = mkdtempSync(join(tmpdir(), "tradepost-round-"));
  mkdirSync(join(folder, "erp", "out"), { recursive: true });
  let now = moment("2026-12-15T09:00:00");
  const erp = new Map(
    Array.from({ length: options.products }, (_, at) => [
      productOf(at),
      (10 + (at % 90)).toFixed(2),
    ]),
  );
  const told: string[] = [];
  const settings = settingsIn(folder, store.url, code, options.pricing ?? {});
  const open = () =>
    openTradepost(settings, {
      now: () => now,
      log: (level, message) => {
        if (level !== "info") told.push(message);
      },
    });
  const tradepost = await open();
  onTestFinished(async () => {
    await tradepost[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  const company = await tradepost.company(code);
  await goLive(store, code);
  let minute = 0;
  const write = (stream: string, lines: readonly string[]) => {
    minute += 1;
    const name = `${stream}-20261215-${String(minute).padStart(4, "0")}.csv`;
    writeFileSync(join(folder, "half"), `${lines.join("\r\n")}\r\n`);
    renameSync(join(folder, "half"), join(folder, "erp", "out", name));
  };
  const customers = options.customers ?? ["TRADE01"];
  let orders = 0;
  return {
    tradepost,
    code,
    customer: customers[0] ?? "",
    company,
    erp,
    told,
    at: (local) => {
      now = moment(local);
    },
    pull: async () => {
      write("customers", [
        "account,name",
        ...customers.map((account) => `${account},Customer ${account}`),
      ]);
      write("products", [
        "product,name,soldOnWeb",
        ...[...erp.keys()].map((product) => `${product},Product ${product},true`),
      ]);
      write("price-rules", [HEAD, ...[...erp].map(ruleRow), ...(options.rules?.() ?? [])]);
      const results = await company.sync("erp", {});
      const failed = results.filter(({ state }) => state === "failed" || state === "stopped");
      if (failed.length > 0) throw new Error(JSON.stringify(failed));
      await tradepost.drain();
      // The service looks every second.
      await company.pricing.refresh();
    },
    price: (product, { account = customers[0] ?? "", tokens = false } = {}) => {
      const lines = [{ product, quantity: "1" }];
      const [line] = company.pricing.price({ account, lines, tokens });
      if (line === undefined || line.state === "problem")
        throw new Error(`no answer: ${JSON.stringify(line)}`);
      return line;
    },
    file: (prices) => Buffer.from([HEAD, ...[...prices].map(ruleRow), ""].join("\r\n")),
    export: write,
    order: (line, more = {}) => {
      orders += 1;
      const body: OrderRequest = orderRequest.parse({
        account: customers[0],
        // Alike ones would be held as one that was sent twice.
        customerReference: `PO ${orders}`,
        lines: [{ quantity: "1", ...line }],
        ...more,
      });
      const idempotencyKey = `key-${orders}`;
      return company.orders.accept({ idempotencyKey, body, apiKey: "test", test: false });
    },
    second: async () => {
      const other = await open();
      const services = await other.company(code);
      await services.pricing.refresh();
      return { company: services, close: async () => other[Symbol.asyncDispose]() };
    },
  };
}

function ruleRow([product, price]: readonly [string, string]): string {
  return `STD ${product},everyone,,product,${product},fixed,${price},,,`;
}

export function moment(local: string): Temporal.Instant {
  return Temporal.PlainDateTime.from(local).toZonedDateTime("Europe/London").toInstant();
}

function settingsIn(folder: string, databaseUrl: string, code: string, pricing: object) {
  const erp = {
    connector: "csv",
    mode: "live",
    mappings: "tradepost-csv",
    dropBrakePercent: 100,
    settings: { folder: join(folder, "erp"), stableForMs: 0 },
  };
  const file = join(folder, "tradepost.yaml");
  // The same is ordered again and again here.
  const orders = { repeatedWithinMinutes: 0 };
  const companies = { [code]: { name: "Round", pricing, orders, connections: { erp } } };
  writeFileSync(file, stringify({ http: { port: 0 }, companies }));
  const secret = (name: string) =>
    name === TOKEN_KEY ? "a key of prices that is long enough" : null;
  return { ...readSettings({ file }), databaseUrl, secret };
}
