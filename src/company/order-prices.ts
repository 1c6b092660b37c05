/** Our prices as the checks of an order ask for them, with the evidence kept with its lines. */
import type { OrderPricing } from "../orders/index.ts";
import type { PriceLine, Pricing, TokenVerdict } from "../pricing/index.ts";

type Question = Parameters<OrderPricing["price"]>[0];
type LinePrices = Awaited<ReturnType<OrderPricing["price"]>>;

export async function orderPrices(
  pricing: Pick<Pricing, "price" | "verifyToken">,
  question: Question,
): Promise<LinePrices> {
  // No date: as they are at this moment, which need not be how the day began.
  const { account, site, branch, quotation } = question;
  const lines = question.lines.map(({ product, quantity }) => ({ product, quantity }));
  return pricing.price({ account, site, branch, quotation, lines }).map((line, index) => {
    const token = tokenOf(pricing, question, index);
    return { ...priceOf(line), evidence: evidenceOf(line, token), token };
  });
}

function tokenOf(
  pricing: Pick<Pricing, "verifyToken">,
  { account, site, currency, quotation, lines }: Question,
  index: number,
): TokenVerdict | null {
  const line = lines[index];
  if (line?.priceToken === undefined) return null;
  const { product, quantity, unitPrice = null } = line;
  return pricing.verifyToken(line.priceToken, {
    account,
    site,
    quotation,
    product,
    quantity,
    unitPrice,
    currency,
  });
}

function priceOf(line: PriceLine) {
  if (line.state === "problem") return { unitPrice: null, about: line.detail };
  const { unitPrice, because: about, state, stateReason } = line;
  return { unitPrice, about, state, stateReason };
}

/** A price that a token promised keeps what the token says, and what ours was beside it. */
function evidenceOf(line: PriceLine, token: TokenVerdict | null): object {
  const now =
    line.state === "problem"
      ? { code: line.code }
      : {
          state: line.state,
          because: line.because,
          bookVersion: line.bookVersion,
          validUntil: line.validUntil,
        };
  if (token?.fine !== true) return now;
  const { unitPrice, because, bookVersion, issuedAt, validUntil } = token.claims;
  return { ...now, token: { unitPrice, because, bookVersion, issuedAt, validUntil } };
}
