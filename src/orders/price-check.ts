/**
 * The price of every line: one that was promised by a token is honoured until its moment, any other
 * is compared with ours of now. A difference is never silent. Pure.
 */
import { sameAmount } from "./amounts.ts";
import type { LinePrice, Note, OrderFacts } from "./checks.ts";
import type { OrderRequest } from "./request.ts";
import type { OrderSettings } from "./settings.ts";
import { priceText } from "./words.ts";

type Line = OrderRequest["lines"][number];
type Say = (found: Note) => void;

export function checkPrices(
  request: OrderRequest,
  facts: OrderFacts,
  settings: OrderSettings,
  note: Say,
): void {
  const currency = request.currency ?? settings.currency;
  for (const [index, line] of request.lines.entries()) {
    const ours = facts.prices[index];
    // An unknown product has no price; the product check has said so already.
    if (ours === undefined || !facts.products.has(line.product)) continue;
    if (isPromised(ours)) continue;
    // It is the price of an agreement that has too little left: that check says what it means.
    if (ours.agreement?.fits === false && ours.token?.fine !== false) continue;
    const differs = ours.unitPrice === null || !sameAmount(ours.unitPrice, line.unitPrice);
    const refused = tokenRefusal(line, ours, differs);
    if (refused !== null) note({ ...refused, line: index + 1 });
    else if (differs) note({ ...difference(line, ours, currency), line: index + 1 });
    else if (ours.state === "stale") note({ ...stale(line, ours), line: index + 1 });
  }
}

/** The shop was given this very price for this very line, and its moment has not passed. */
export function isPromised({ token }: LinePrice): boolean {
  return token?.fine === true;
}

/** One whose time is over does no harm where the price is still the same. */
function tokenRefusal(line: Line, { token, unitPrice }: LinePrice, differs: boolean): Note | null {
  if (token === undefined || token === null || token.fine) return null;
  if (token.code === "token-expired" && !differs) return null;
  return {
    check: "price",
    code: token.code,
    ...(unreadable(line, token.code) ?? sides(line, unitPrice)),
    about: `The price token of ${line.product} is not honoured: ${token.detail}.`,
    instruction: whatToDo(unitPrice),
  };
}

/** Of a token that cannot be read no more is repeated. */
const SHOWN_CHARACTERS = 12;

/** Of a token that says nothing, what came and what should have; null: of it the prices speak. */
function unreadable({ priceToken = "" }: Line, code: string): Sides | null {
  if (code !== "token-malformed") return null;
  const shown = priceToken.slice(0, SHOWN_CHARACTERS).toWellFormed();
  const more = priceToken.length > SHOWN_CHARACTERS ? "…" : "";
  return {
    found: `"${shown}${more}", no price token that can be read`,
    expected: "the price token as GET /v1/prices gave it",
  };
}

type Sides = Pick<Note, "found" | "expected">;

function sides({ product, unitPrice: said }: Line, unitPrice: string | null): Sides {
  return unitPrice === null
    ? { found: "no price known", expected: `a price of ${product} for this customer` }
    : { found: said, expected: unitPrice };
}

function difference(line: Line, { unitPrice, about }: LinePrice, currency: string): Note {
  return {
    check: "price",
    code: unitPrice === null ? "price-unknown" : "price-differs",
    ...sides(line, unitPrice),
    about:
      unitPrice === null
        ? `The order says ${priceText(line.unitPrice, currency)} for ${line.product}, and we know no price: ${about}.`
        : `The order says ${priceText(line.unitPrice, currency)} for ${line.product}, our price now is ${priceText(unitPrice, currency)} (${about}).`,
    instruction: whatToDo(unitPrice),
  };
}

function whatToDo(unitPrice: string | null): string {
  return unitPrice === null
    ? "There is no price to show: offer to ask for one, and send the order without this line, with a new key."
    : "Show the customer the price of now and send the order again with a new key.";
}

/** The price is the one that was shown; whether it still is the ERP's, nobody can say now. */
function stale(line: Line, { stateReason }: LinePrice): Note {
  return {
    check: "stale",
    code: "price-stale",
    found: `${line.unitPrice}, stale`,
    expected: "a price that is confirmed or modelled",
    about: `The price of ${line.product} may not be the ERP's any more: ${stateReason ?? "no reason is known"}`,
    instruction: "A person confirms the price and releases the order, or cancels it.",
  };
}
