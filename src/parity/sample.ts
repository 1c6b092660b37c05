/** What a policy is tried on: documents drawn by a seed, or the ERP's answers about their lines. */
import { STANDING_LINES } from "../sales/index.ts";
import { today } from "./context.ts";
import type { ParityContext } from "./context.ts";
import { CHARGED } from "./facts.ts";
import type { ChargedLine } from "./facts.ts";

export interface Sample {
  readonly lines: readonly ChargedLine[];
  readonly documents: number;
}

/** Net unit prices as decimal text, in the order asked; null: the ERP names none. */
export type Enquire = (
  questions: readonly {
    readonly account: string;
    readonly product: string;
    readonly quantity: string;
    readonly on: string;
  }[],
) => Promise<readonly (string | null)[]>;

export interface Drawing {
  readonly lines: number;
  readonly seed: number;
  readonly from: string;
  readonly to: string;
  readonly enquire?: Enquire;
}

/** Whole documents, since quantities may count over all lines of one. */
export async function drawSample(
  context: ParityContext,
  { lines, seed, from, to, enquire }: Drawing,
): Promise<Sample> {
  const { store, company } = context;
  const drawn = await store.query<{ documentType: string; document: string }>(DRAW, [
    company,
    from,
    to,
    String(seed),
    lines,
  ]);
  const charged = await store.query<ChargedLine>(CHARGED, [
    company,
    drawn.map(({ documentType }) => documentType),
    drawn.map(({ document }) => document),
  ]);
  if (enquire === undefined) return { lines: charged, documents: drawn.length };
  const goods = charged.filter((line) => line.lineClass === "goods" && line.product !== null);
  return { lines: await answered(goods, today(context), enquire), documents: drawn.length };
}

const DRAW = `
  with documents as (
    select document_type, document, count(*) filter (where line_class = 'goods') as goods,
           md5($4 || '/' || document_type || '/' || document) as place
      from ${STANDING_LINES} standing
     where company = $1 and document_on between $2::date and $3::date
     group by 1, 2),
  drawn as (
    select *, sum(goods) over (order by place) - goods as before from documents where goods > 0)
  select document_type as "documentType", document from drawn where before < $5::int
   order by place`;

/** The ERP's own price of today takes the place of what was charged. */
async function answered(
  lines: readonly ChargedLine[],
  on: string,
  enquire: Enquire,
): Promise<ChargedLine[]> {
  const prices = await enquire(
    lines.map(({ account, product, quantity }) => ({
      account,
      product: product ?? "",
      quantity,
      on,
    })),
  );
  return lines.flatMap((line, at) => {
    const unitPrice = prices[at] ?? null;
    if (unitPrice === null) return [];
    return {
      ...line,
      documentType: "invoice",
      documentOn: on,
      invoicedOn: on,
      orderedOn: null,
      despatchedOn: null,
      orderedQuantity: null,
      parts: 0,
      partsQuantity: null,
      partsNet: null,
      credited: null,
      creditedQuantity: null,
      unitPrice: withPlaces(unitPrice, 6),
      discountPercent: "0",
      net: null,
    } satisfies ChargedLine;
  });
}

/** "4.25" with 6 places: "4.250000". */
function withPlaces(text: string, places: number): string {
  const [whole = "0", fraction = ""] = text.split(".");
  return `${whole}.${fraction.slice(0, places).padEnd(places, "0")}`;
}
