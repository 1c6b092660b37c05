/**
 * A hostile ERP on 127.0.0.1, or behind a folder, that can be each class of connector. It commits
 * after its caller has gone, hides what it has, and answers with drafts, errors and halves; its
 * books say what really came of each order. It lives in the process that started it, so that
 * Tradepost can be killed beside it.
 *
 *     await using erp = await startHostileErp({ class: "searchable", seed: 7, folder });
 *     erp.settings;            // of the connection that takes the orders
 *     erp.books().documents;   // by which Tradepost is judged
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pounds, type ErpBooks, type HeldDocument } from "./books.ts";
import { openExports, today, type Exports } from "./exports.ts";
import { drawsOf, type Draws, type PlacingFault } from "./faults.ts";
import { takeFromFolder } from "./folder.ts";
import { openLedger, type ErpClass, type Ledger } from "./ledger.ts";
import { ACCOUNTS, openRequests, RETURNS, type HeldRequest } from "./requests.ts";
import { serveErp } from "./server.ts";

export { pounds, type ErpBooks, type HeldDocument, type HeldOrderLine } from "./books.ts";
export { FAULT_SHARE } from "./faults.ts";
export type { ErpClass } from "./ledger.ts";
export type { HeldRequest } from "./requests.ts";

/** For the setting `connectorFolders`. */
export const CONNECTORS = join(import.meta.dirname, "connectors");

/**
 * From giving up a call until the ERP certainly shows what it made of it: its longest commit, its
 * index and its drafts together, with something to spare.
 */
export const QUIET_SECONDS = 4;

export interface HostileErp extends AsyncDisposable {
  /** Connector and settings of the connection that takes the orders. */
  readonly connection: { readonly connector: string; readonly settings: Record<string, unknown> };
  /** Null: it has a folder only. */
  readonly url: string | null;
  books(): ErpBooks;
  /** In the order in which they came to be. */
  returns(): readonly HeldRequest[];
  accounts(): readonly HeldRequest[];
  /** The next thing that it is asked to make by HTTP meets this fault, whatever was drawn. */
  next(fault: PlacingFault): void;
  /** Orders of which it saw a part. */
  halfSeen(): readonly string[];
  /** Writes what is new since the last time into the folder's `out/`. */
  export(): Promise<void>;
  /** Staff key so many orders a second time; answers our numbers of them. */
  keyByHand(count: number): readonly string[];
  /** Despatches and invoices most orders, credits some of it, and exports that. */
  invoice(): Promise<Invoiced>;
}

/** In pence. */
export interface Invoiced {
  readonly invoices: number;
  readonly credits: number;
  readonly documents: number;
}

export interface HostileOptions {
  readonly class: ErpClass;
  readonly seed: number;
  /** Shared with the csv connector: exports go to its `out/`. */
  readonly folder: string;
  /** Of all calls. */
  readonly faultShare?: number;
}

export async function startHostileErp(options: HostileOptions): Promise<HostileErp> {
  const { folder } = options;
  await mkdir(join(folder, "out"), { recursive: true });
  await mkdir(join(folder, "orders"), { recursive: true });
  const draws = drawsOf(options.seed, options.faultShare);
  const ledger = openLedger(options.class, draws);
  const exports = openExports(folder);
  let exported = 0;
  const exportNow = async () => {
    const fresh = ledger.books().documents.slice(exported);
    exported += fresh.length;
    exportOrders(exports, fresh, { despatched: false });
    await exports.write();
  };
  const dropped = options.class === "file-drop";
  const taking = dropped ? takeFromFolder({ folder, ledger, draws, exports }) : null;
  const returns = openRequests(RETURNS, options.class, draws);
  const accounts = openRequests(ACCOUNTS, options.class, draws);
  const server = dropped ? null : await serveErp({ ledger, draws, returns, accounts });
  return {
    connection:
      server === null
        ? { connector: "csv", settings: { folder, stableForMs: 0 } }
        : { connector: "hostile", settings: { baseUrl: server.url, class: options.class } },
    url: server?.url ?? null,
    books: () => ledger.books(),
    returns: () => returns.all(),
    accounts: () => accounts.all(),
    next: (fault) => server?.next(fault),
    halfSeen: () => taking?.halfSeen ?? [],
    export: exportNow,
    keyByHand: (count) => {
      const chosen = ledger.books().documents.slice(0, count);
      for (const document of chosen) ledger.keyByHand(document);
      return chosen.map(({ key }) => key);
    },
    invoice: () => invoice(ledger, draws, exports),
    async [Symbol.asyncDispose]() {
      await taking?.[Symbol.asyncDispose]();
      await server?.[Symbol.asyncDispose]();
    },
  };
}

function exportOrders(
  exports: Exports,
  documents: readonly HeldDocument[],
  { despatched }: { readonly despatched: boolean },
): void {
  exports.add(
    "erp-orders",
    documents.map(({ number, account, key, net, vat }) => ({
      erpOrder: number,
      account,
      orderedOn: today(),
      state: despatched ? "complete" : "open",
      webOrder: key,
      takenBy: "WEB",
      net: pounds(net),
      vat: pounds(vat),
    })),
  );
  exports.add(
    "erp-order-lines",
    documents.flatMap(({ number, lines }) =>
      lines.map((line) => ({
        erpOrder: number,
        line: String(line.line),
        product: line.kind === "product" ? line.code : "",
        quantity: line.quantity,
        despatchedQuantity: despatched ? line.quantity : "0",
        invoicedQuantity: despatched ? line.quantity : "0",
        unitPrice: line.unitPrice,
        net: pounds(line.net),
        webOrderLine: String(line.line),
      })),
    ),
  );
}

/** Shares of the documents that are invoiced, and of those that are credited again. */
const INVOICED = 0.7;
const CREDITED = 0.1;

async function invoice(ledger: Ledger, draws: Draws, exports: Exports): Promise<Invoiced> {
  const done = ledger
    .books()
    .documents.filter(({ number }) => draws.of("invoice", number) < INVOICED);
  exportOrders(exports, done, { despatched: true });
  const credited = done.filter(({ number }) => draws.of("credit", number) < CREDITED);
  post(exports, "invoice", done);
  post(exports, "credit", credited);
  await exports.write();
  const sum = (all: readonly HeldDocument[]) => all.reduce((one, { net }) => one + net, 0);
  return {
    invoices: sum(done),
    credits: sum(credited),
    documents: done.length + credited.length,
  };
}

function post(exports: Exports, type: "invoice" | "credit", all: readonly HeldDocument[]): void {
  const named = (number: string) => `${type === "invoice" ? "INV" : "CRN"}-${number.slice(3)}`;
  exports.add(
    "sales-documents",
    all.map(({ number, account, key, net, vat }) => ({
      documentType: type,
      document: named(number),
      account,
      documentOn: today(),
      erpOrder: number,
      webOrder: key,
      net: pounds(net),
      vat: pounds(vat),
      gross: pounds(net + vat),
    })),
  );
  exports.add(
    "sales-lines",
    all.flatMap(({ number, lines }) =>
      lines.map((line) => ({
        documentType: type,
        document: named(number),
        line: String(line.line),
        lineClass: line.kind === "product" ? "goods" : "carriage",
        product: line.kind === "product" ? line.code : "",
        quantity: line.quantity,
        unitPrice: line.unitPrice,
        net: pounds(line.net),
        vat: pounds(line.vat),
        erpOrder: number,
        erpOrderLine: String(line.line),
      })),
    ),
  );
}
