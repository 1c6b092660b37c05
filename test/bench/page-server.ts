/** A far side that gives numbered pages of price rules as JSON, made beforehand. */
import { createServer } from "node:http";
import { asked, tell } from "./process.ts";

export interface PageServer {
  readonly port: number;
  readonly pages: number;
  readonly rows: number;
}

for await (const line of asked()) {
  const { port, pages, rows } = line as PageServer;
  const bodies = Array.from({ length: pages }, (_, page) => pageOf(page, rows));
  createServer((request, response) => {
    const page = Number(/[?&]page=(\d+)/.exec(request.url ?? "")?.[1] ?? NaN);
    const body = bodies[page] ?? pageOf(page, 0);
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": body.length,
    });
    response.end(body);
  }).listen(port, "127.0.0.1", () => {
    tell({ listening: true });
  });
}
process.exit(0);

function pageOf(page: number, count: number): Buffer {
  const rows = Array.from({ length: count }, (_, at) => ({
    reference: `SKU${page * count + at}`,
    priceList: "PL001",
    description: "Copper elbow 15mm",
    minQty: 1,
    currency: "GBP",
    unitPrice: "12.3400",
    discount: "0.00",
    validFrom: "2026-01-01",
    validTo: null,
    uom: "EACH",
  }));
  return Buffer.from(JSON.stringify({ page, rows }));
}
