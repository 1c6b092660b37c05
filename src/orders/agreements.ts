/**
 * What was agreed beforehand and can be used up: a quotation is ordered on the web by its number,
 * once, and at most its quantity; a contract covers so much, with the web orders that the ERP has
 * not invoiced yet. Read under a lock, so that two orders at once cannot both use what is left.
 */
import type { Queryable } from "../store/index.ts";
import type { Note, OrderFacts } from "./checks.ts";
import type { AccountedOrder } from "./request.ts";

export interface TakenUp {
  readonly state: string;
  readonly expiresOn: string | null;
  /** Web order that took it up before; null: none did. */
  readonly orderedBy: string | null;
}

/** The quotation that the order takes up, locked; "unknown": the account has none of it. */
export async function gatherQuotation(
  tx: Queryable,
  company: string,
  { account, quotation }: AccountedOrder,
): Promise<TakenUp | "unknown" | null> {
  if (quotation === null) return null;
  const name = `quotation ${quotation}`;
  await tx.query("select pg_advisory_xact_lock(hashtext($1), hashtext($2))", [company, name]);
  const [found] = await tx.query<TakenUp>(
    `select q.state, q.expires_on as "expiresOn",
            (select o.number from web_order_quotation u
               join web_order o on o.company = u.company and o.id = u.order_id
              where u.company = q.company and u.quotation = q.quotation
                and o.state not in ('refused', 'cancelled') limit 1) as "orderedBy"
       from quotation q where q.company = $1 and q.quotation = $2 and q.account = $3`,
    [company, quotation, account],
  );
  return found ?? "unknown";
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

/** Findings of an order against what is left of its agreements. Pure. */
export function checkAgreements(
  request: AccountedOrder,
  { quotation, prices }: Pick<OrderFacts, "quotation" | "prices">,
  today: string,
  note: (found: Note) => void,
): void {
  if (quotation !== null && quotation !== undefined)
    checkQuotation(request, quotation, today, note);
  for (const [index, line] of request.lines.entries()) {
    const agreement = prices[index]?.agreement ?? null;
    if (agreement === null || agreement.fits) continue;
    const { kind, name, left } = agreement;
    const wanted = prices[index]?.standing?.quantity ?? line.quantity;
    const besides = "with what earlier lines and web orders that are not invoiced yet take";
    note({
      check: "agreement",
      code: `${kind}-used-up`,
      line: index + 1,
      found: wanted,
      expected: `at most ${left}`,
      about: `${name} has ${left} of ${line.product} left, ${besides}; the line wants ${wanted}.`,
      instruction: `Order ${left} at this price, and the rest on a line of its own without it.`,
    });
  }
}

function checkQuotation(
  request: AccountedOrder,
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
  const { state, expiresOn, orderedBy } = quotation;
  if (state !== "open" || (expiresOn !== null && expiresOn < today))
    return say(
      "quotation-not-open",
      state === "open" ? `open until ${expiresOn ?? ""}` : state,
      "a quotation that is open",
      `${name} is ${state === "open" ? "out of date" : state}.`,
    );
  if (orderedBy !== null)
    say(
      "quotation-ordered",
      `ordered as ${orderedBy}`,
      "a quotation that no web order took up",
      `${name} was taken up by web order ${orderedBy}; it is ordered once.`,
    );
}
