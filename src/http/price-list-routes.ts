/** A customer's whole price list, written as it is worked out. */
import { hash } from "node:crypto";
import { stringify } from "csv-stringify/sync";
import type { PriceList, PriceListRow } from "../pricing/index.ts";
import { accepted, Streamed, Written } from "./answering.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { known, state } from "./price-answers.ts";
import { NOT_FOUND, refuseAsker, whenReady } from "./price-asker.ts";
import { cachedFor, IF_NONE_MATCH, isHeld } from "./price-caching.ts";
import { asOfText, codeOf, currencyText, whenText } from "./price-request.ts";
import { Problem } from "./problem.ts";
import { amount, text } from "./words.ts";

const NDJSON = "application/x-ndjson";
const CSV = "text/csv";
const TYPES = { ndjson: NDJSON, csv: CSV } as const;

const row = z
  .strictObject({
    product: text("Product code."),
    fromQuantity: amount("The break: from this many selling units."),
    sellingUnit: text("Unit that quantities count."),
    state,
    stateReason: known.stateReason,
    unitPrice: known.unitPrice,
    pricingUnit: known.pricingUnit,
    currency: known.currency,
    vatCode: known.vatCode,
    validUntil: known.validUntil,
    because: known.because,
  })
  .openapi("PriceListRow");

const COLUMNS = Object.keys(row.shape) as (keyof PriceListRow)[];

export const streamPriceList: Endpoint = endpoint({
  method: "get",
  address: "/v1/customers/{account}/prices",
  scope: "prices",
  tag: "prices",
  summary: "A customer's whole price list, with its breaks",
  description:
    "A line of JSON for each break of each product (NDJSON), or a CSV file with a header line, in " +
    "the order of the product codes, all of one price book, whose version is in the `ETag`. Written " +
    "as it is worked out: a connection that broke goes on with `after` the last whole product, and " +
    "with `If-Match` of the first answer's ETag, so that both parts are of one book. A product that " +
    "no rule prices is not on the list.",
  path: z.strictObject({ account: codeOf("Account of the customer.") }),
  query: z.strictObject({
    format: z
      .enum(Object.keys(TYPES) as (keyof typeof TYPES)[])
      .optional()
      .describe("In the place of the Accept header; NDJSON when neither says."),
    after: z.string().min(1).max(60).optional().describe("Begin after this product."),
    site: codeOf("Delivery site of the account.").optional(),
    branch: codeOf("Branch that fulfils.").optional(),
    asOf: asOfText.optional(),
    currency: currencyText.optional(),
    when: whenText.optional(),
  }),
  headers: [
    IF_NONE_MATCH,
    { name: "If-Match", required: false, about: "The ETag of a list that is gone on with." },
  ],
  produces: [NDJSON, CSV],
  answers: { 200: "The list.", 304: "It is as it was." },
  answer: row,
  problems: [...NOT_FOUND, "price-list-changed", "prices-not-ready"],
  async handle({ path: { account }, query, header, services: { pricing } }) {
    const { format, when, ...asker } = query;
    const asked = {
      account,
      site: asker.site ?? null,
      branch: asker.branch ?? null,
      asOf: asker.asOf ?? null,
      currency: asker.currency ?? null,
      conditions: when ?? {},
      after: asker.after ?? null,
    };
    const list = await whenReady(() => pricing.priceList(asked));
    if ("detail" in list) throw refused(list, asked);
    const type = format === undefined ? typeOf(header("accept")) : TYPES[format];
    const etag = etagOf(list, { ...asked, type, after: "" });
    const headers = { ...cachedFor(pricing, list.until), etag };
    if (isHeld(header("if-none-match"), etag))
      return { status: 304, body: new Written("", type), headers };
    const match = header("if-match");
    if (match !== undefined && !isHeld(match, etag)) throw changed();
    return { body: new Streamed(streamOf(list, type), type), headers };
  },
});

type Asked = Parameters<typeof refuseAsker>[1] & object;

function refused(problem: Parameters<typeof refuseAsker>[0], asked: Asked): Problem {
  refuseAsker(problem, asked, problem?.code === "unknown-account" ? "path" : "query");
  return new Problem("request-invalid", `Pricing: ${problem?.detail ?? "it is refused"}.`);
}

function changed(): Problem {
  return new Problem(
    "price-list-changed",
    "Going on with a price list: the prices have changed since its first part. Begin anew, without " +
      "`after` and If-Match.",
  );
}

/** Nothing stated, or anything taken: lines of JSON. */
function typeOf(accept: string | undefined): string {
  return accept === undefined ? NDJSON : (accepted(accept, [NDJSON, CSV]) ?? NDJSON);
}

function etagOf({ content }: PriceList, asked: object): string {
  return `"${hash("sha256", JSON.stringify([content, asked]), "base64url").slice(0, 22)}"`;
}

/** Read as fast as it is taken, and no faster. */
function streamOf(list: PriceList, type: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const slices = list.rows();
  const write = type === CSV ? csvOf : ndjsonOf;
  let head = type === CSV ? `${COLUMNS.join(",")}\r\n` : "";
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await slices.next();
      if (done !== true || head !== "")
        controller.enqueue(encoder.encode(head + (done === true ? "" : write(value))));
      head = "";
      if (done === true) controller.close();
    },
    async cancel() {
      await slices.return(undefined);
    },
  });
}

function ndjsonOf(rows: readonly PriceListRow[]): string {
  return rows.map((each) => `${JSON.stringify(each)}\n`).join("");
}

function csvOf(rows: readonly PriceListRow[]): string {
  return stringify(
    rows.map((each) => COLUMNS.map((column) => each[column])),
    {
      record_delimiter: "windows",
    },
  );
}
