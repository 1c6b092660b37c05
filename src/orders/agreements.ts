/**
 * What was agreed beforehand and can be used up: a quotation is ordered on the web by its number,
 * once, and at most its quantity; a contract covers so much, with the web orders that the ERP has
 * not invoiced yet. Read under a lock, so that two orders at once cannot both use what is left.
 */
import { decimal } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { Note } from "./checks.ts";
import type { OrderRequest } from "./request.ts";

export interface Agreements {
  /** Null: the order takes up none; "unknown": there is none of that number for the account. */
  readonly quotation: TakenUp | "unknown" | null;
  readonly contracts: readonly ContractLeft[];
}

interface TakenUp {
  readonly state: string;
  readonly expiresOn: string | null;
  /** Web order that took it up before; null: none did. */
  readonly orderedBy: string | null;
  readonly lines: readonly { readonly product: string; readonly left: string }[];
}

/** Of one contract and product, what no order has used up. */
interface ContractLeft {
  readonly contract: string;
  readonly product: string;
  readonly left: string;
}

/** How a price says that a contract gives it. */
const CONTRACT = "Contract ";

export async function gatherAgreements(
  tx: Queryable,
  company: string,
  request: OrderRequest,
  becauses: readonly string[],
): Promise<Agreements> {
  const { quotation } = request;
  const contracts = becauses.map((because) =>
    because.startsWith(CONTRACT) ? nameIn(because) : null,
  );
  return {
    quotation: quotation === null ? null : await takenUp(tx, company, request, quotation),
    contracts: await contractsLeft(tx, company, request, contracts),
  };
}

/** "Contract C-17, from 500; promotion X may apply in the basket" → "C-17". */
function nameIn(because: string): string {
  return because.slice(CONTRACT.length).replace(/[,;:] .*$/, "");
}

/** The order takes the quotation up, for good as long as the order stands. */
export async function takeUp(
  tx: Queryable,
  company: string,
  quotation: string,
  orderId: string,
): Promise<void> {
  await tx.affect(
    "insert into web_order_quotation (company, quotation, order_id) values ($1, $2, $3)",
    [company, quotation, orderId],
  );
}

async function lock(tx: Queryable, company: string, what: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext($1), hashtext($2))", [company, what]);
}

async function takenUp(
  tx: Queryable,
  company: string,
  { account }: OrderRequest,
  quotation: string,
): Promise<TakenUp | "unknown"> {
  await lock(tx, company, `quotation ${quotation}`);
  const [found] = await tx.query<Omit<TakenUp, "lines">>(
    `select q.state, q.expires_on as "expiresOn",
            (select o.number from web_order_quotation u
               join web_order o on o.company = u.company and o.id = u.order_id
              where u.company = q.company and u.quotation = q.quotation
                and o.state not in ('refused', 'cancelled') limit 1) as "orderedBy"
       from quotation q where q.company = $1 and q.quotation = $2 and q.account = $3`,
    [company, quotation, account],
  );
  if (found === undefined) return "unknown";
  const lines = await tx.query<TakenUp["lines"][number]>(
    `select product, trim_scale(greatest(0, sum(quantity - coalesce(ordered_quantity, 0))))::text as left
       from quotation_line where company = $1 and quotation = $2 group by product`,
    [company, quotation],
  );
  return { ...found, lines };
}

async function contractsLeft(
  tx: Queryable,
  company: string,
  { lines }: OrderRequest,
  contracts: readonly (string | null)[],
): Promise<readonly ContractLeft[]> {
  const named = lines.flatMap(({ product }, index) => {
    const contract = contracts[index] ?? null;
    return contract === null ? [] : [{ contract, product }];
  });
  const left: ContractLeft[] = [];
  const seen = new Set<string>();
  for (const { contract, product } of named) {
    if (seen.has(`${contract}\n${product}`)) continue;
    seen.add(`${contract}\n${product}`);
    await lock(tx, company, `contract ${contract}`);
    const [row] = await tx.query<{ left: string | null }>(CONTRACT_LEFT, [
      company,
      contract,
      product,
      `${CONTRACT}${contract}`,
    ]);
    if (row !== undefined && row.left !== null) left.push({ contract, product, left: row.left });
  }
  return left;
}

/** Null: the contract has no limit. What is invoiced the ERP has counted itself. */
const CONTRACT_LEFT = `
  select trim_scale(greatest(0, max(p.contract_quantity - coalesce(p.contract_used_quantity, 0))
           - coalesce((
               select sum(greatest(0, l.quantity - l.invoiced_quantity - l.cancelled_quantity))
                 from web_order_line l
                 join web_order o on o.company = l.company and o.id = l.order_id
                where l.company = $1 and l.product = $3 and not o.test
                  and o.state not in ('refused', 'cancelled')
                  and regexp_replace(l.price ->> 'because', '[,;:] .*$', '') = $4), 0)
         ))::text as left
    from price_rule p
   where p.company = $1 and p.contract = $2 and p.contract_quantity is not null
     and (p.product_scope <> 'product' or p.product_code = $3)
  having count(*) > 0`;

/** Findings of an order against what is left of its agreements. Pure. */
export function checkAgreements(
  request: OrderRequest,
  { quotation, contracts }: Agreements,
  today: string,
  note: (found: Note) => void,
): void {
  if (quotation !== null) checkQuotation(request, quotation, today, note);
  for (const { contract, product, left } of contracts) {
    const wanted = wantedOf(request, product);
    if (decimal.compare(decimal.parse(wanted), decimal.parse(left)) > 0)
      note({
        check: "agreement",
        code: "contract-used-up",
        line: lineOf(request, product),
        found: wanted,
        expected: `at most ${left}`,
        about: `Contract ${contract} has ${left} of ${product} left, with the web orders that are not invoiced yet; the order wants ${wanted}.`,
        instruction: `Order ${left} at the contract's price, and the rest on a line of its own.`,
      });
  }
}

function checkQuotation(
  request: OrderRequest,
  quotation: TakenUp | "unknown",
  today: string,
  note: (found: Note) => void,
): void {
  const number = request.quotation ?? "";
  const say = (code: string, found: string, expected: string, about: string): void => {
    const instruction = "Ask the merchant for a new quotation, or order without it.";
    note({ check: "agreement", code, found, expected, about, instruction });
  };
  const name = `Quotation ${number}`;
  if (quotation === "unknown")
    return say("quotation-unknown", number, "a quotation of the account", `${name} is not known.`);
  const { state, expiresOn, orderedBy, lines } = quotation;
  if (state !== "open" || (expiresOn !== null && expiresOn < today))
    return say(
      "quotation-not-open",
      state === "open" ? `open until ${expiresOn ?? ""}` : state,
      "a quotation that is open",
      `${name} is ${state === "open" ? "out of date" : state}.`,
    );
  if (orderedBy !== null)
    return say(
      "quotation-ordered",
      `ordered as ${orderedBy}`,
      "a quotation that no web order took up",
      `${name} was taken up by web order ${orderedBy}; it is ordered once.`,
    );
  for (const { product, left } of lines) {
    const wanted = wantedOf(request, product);
    if (decimal.compare(decimal.parse(wanted), decimal.parse(left)) > 0)
      note({
        check: "agreement",
        code: "quotation-used-up",
        line: lineOf(request, product),
        found: wanted,
        expected: `at most ${left}`,
        about: `${name} has ${left} of ${product} left; the order wants ${wanted}.`,
        instruction: `Order at most ${left} by the quotation, and the rest without it.`,
      });
  }
}

/** Of all the order's lines of the product together. */
function wantedOf({ lines }: OrderRequest, product: string): string {
  const quantities = lines.filter((line) => line.product === product).map((line) => line.quantity);
  if (quantities.length === 0) return "0";
  return decimal.canonical(decimal.sum(quantities.map((text) => decimal.parse<"money">(text))));
}

function lineOf({ lines }: OrderRequest, product: string): number {
  return lines.findIndex((line) => line.product === product) + 1;
}
