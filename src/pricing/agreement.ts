/**
 * What was agreed beforehand and can be used up: of a quotation or a contract so much is left. What
 * other lines and open web orders took of it is counted here, so that it is given once.
 */
import type { Queryable } from "../store/index.ts";
import { QUANTITY_PLACES } from "./ask.ts";
import type { Problem } from "./ask.ts";
import { limitedOf, scaled } from "./engine/index.ts";
import type { Enquiry } from "./engine/index.ts";

/** The agreement that would give a line its price if enough of it were left. */
export interface Agreement {
  readonly kind: "quotation" | "contract";
  /** Names it for as long as the ERP has it: kept with order lines. */
  readonly key: string;
  /** "Contract C-17", "Quotation Q-1", "Customer price". */
  readonly name: string;
  /** Its price, decimal text. */
  readonly unitPrice: string;
  /** Selling units that neither earlier lines nor open web orders took, decimal text. */
  readonly left: string;
  /** The line takes no more than that, and has its price by it. */
  readonly fits: boolean;
}

/** Selling units with 5 places, by key. */
export type Taken = ReadonlyMap<string, number>;

export const NOTHING_TAKEN: Taken = new Map();

/** The limited agreement that gave the line found last; null: none did. */
export function agreementOf(enquiry: Enquiry, taken: Taken): Agreement | null {
  const found = limitedOf(enquiry);
  if (found === null) return null;
  const { limit, ...limited } = found;
  const left = Math.max(0, limit - (taken.get(limited.key) ?? 0));
  const fits = enquiry.line.quantity <= left;
  return { ...limited, left: scaled.shortTextOf(left, QUANTITY_PLACES), fits };
}

/**
 * What open web orders took that the ERP has not invoiced, and so not counted itself. Final: each
 * key is locked until the transaction ends.
 */
export async function takenByOrders(
  on: Queryable,
  company: string,
  keys: readonly string[],
  isFinal: boolean,
): Promise<Taken> {
  if (isFinal)
    for (const key of [...keys].sort())
      await on.query("select pg_advisory_xact_lock(hashtext($1), hashtext($2))", [company, key]);
  const rows = await on.query<{ key: string; units: string }>(
    `select l.price ->> 'agreement' as key,
            trim_scale(sum(greatest(0, l.quantity - l.invoiced_quantity - l.cancelled_quantity)))::text
              as units
       from web_order o
       join web_order_line l on l.company = o.company and l.order_id = o.id
      where o.company = $1 and o.open_account is not null and l.price ->> 'agreement' = any($2)
        and not o.test and o.state not in ('refused', 'cancelled')
      group by 1`,
    [company, keys],
  );
  return new Map(rows.map(({ key, units }) => [key, scaled.scaledOf(units, QUANTITY_PLACES) ?? 0]));
}

export interface QuotationAsked {
  readonly account: string;
  readonly quotation: string;
}

/** Why nobody of the account orders by the quotation now; null: it is the account's, and open. */
export async function quotationProblem(
  on: Queryable,
  company: string,
  { account, quotation }: QuotationAsked,
): Promise<Problem | null> {
  const [found] = await on.query<{ account: string; orderedBy: string | null }>(
    `select q.account,
            (select o.number from web_order_quotation u
               join web_order o on o.company = u.company and o.id = u.order_id
              where u.company = q.company and u.quotation = q.quotation
                and o.state not in ('refused', 'cancelled') limit 1) as "orderedBy"
       from quotation q where q.company = $1 and q.quotation = $2`,
    [company, quotation],
  );
  const code = "unknown-quotation";
  // One that nobody has the price book does not know either.
  if (found === undefined) return null;
  if (found.account !== account)
    return { code, detail: `account ${account} has no open quotation "${quotation}"` };
  if (found.orderedBy === null) return null;
  const detail = `quotation ${quotation} was taken up by web order ${found.orderedBy}; it is ordered once`;
  return { code, detail };
}
