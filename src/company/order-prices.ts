/** Our prices as the checks of an order ask for them, with the evidence kept with its lines. */
import type { OrderPrices, OrderPricing, PriceQuestion } from "../orders/index.ts";
import { decimal } from "../model/index.ts";
import { vatRatesOn } from "../pricing/index.ts";
import type {
  Agreement,
  BasketLineAnswer,
  BasketLocks,
  PriceLine,
  PricedBasket,
  Pricing,
  PricingSettings,
  TokenVerdict,
} from "../pricing/index.ts";
import type { Queryable } from "../store/index.ts";

type Priced = Pick<Pricing, "basket" | "price" | "verifyToken" | "arithmetic"> &
  Partial<Pick<Pricing, "refresh" | "basketsAsOf">>;
type Line = BasketLineAnswer | PriceLine;

/** An order is priced as the basket of its lines: the same prices, promotions, VAT and pence. */
export function orderPricing(pricing: Priced, settings: PricingSettings): OrderPricing {
  return {
    arithmetic: pricing.arithmetic,
    newest: async () => void (await pricing.refresh?.()),
    price: (tx, question, locks) => priced({ pricing, settings, tx, locks }, question),
    asOf: async (account, at) => {
      const basket = (await pricing.basketsAsOf?.({ account, knownAt: at })) ?? null;
      if (basket === null) return null;
      const on = at.toZonedDateTimeISO(settings.timeZone).toPlainDate().toString();
      return async (tx, question, locks) => {
        const now = { pricing, settings, tx, locks };
        const then = { ...now, pricing: { ...pricing, basket } };
        const asked = { ...question, on };
        const answered = await basketOf(then, asked);
        // Whoever was not known then, such as one who waits for an account, is priced as of now.
        return answered === null ? priced(now, question) : answerOf(then, asked, answered);
      };
    },
  };
}

interface Asking {
  readonly pricing: Priced;
  readonly settings: PricingSettings;
  readonly tx: Queryable;
  readonly locks: BasketLocks | undefined;
}

async function priced(asking: Asking, question: PriceQuestion): Promise<OrderPrices> {
  return answerOf(asking, question, await basketOf(asking, question));
}

function answerOf(
  { pricing, settings }: Asking,
  question: PriceQuestion,
  basket: PricedBasket | null,
): OrderPrices {
  const tokens = question.lines.map((_, index) => tokenOf(pricing, question, index));
  const answers: readonly Line[] = basket?.answer.lines ?? pricing.price(askOf(question));
  return {
    lines: answers.map((line, index) => lineOf(line, { question, tokens, basket, index })),
    free: (basket?.answer.free ?? []).map((given, index) => ({
      ...given,
      standing: basket?.free[index] ?? null,
    })),
    held: basket?.held ?? [],
    unknownCodes: basket?.answer.unknownCodes ?? [],
    vatRates: vatRatesOn(settings, question.on),
  };
}

// No date: as they are at this moment, which need not be how the day began.
function askOf({ account, site, branch, quotation, conditions, lines }: PriceQuestion) {
  return {
    account,
    site,
    branch,
    quotation,
    conditions,
    lines: lines.map(({ product, quantity, unit }) => ({ product, quantity, unit })),
  };
}

/** Null: nobody can be priced for, or it comes to more than any ledger holds. */
async function basketOf(
  { pricing, tx, locks }: Asking,
  question: PriceQuestion,
): Promise<PricedBasket | null> {
  const agreed = question.lines.map(({ unitPrice }) => unitPrice ?? null);
  try {
    const asked = { ...askOf(question), codes: question.codes, agreed };
    const priced = await pricing.basket(asked, tx, locks);
    return "answer" in priced ? priced : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function tokenOf(
  pricing: Priced,
  { account, site, currency, quotation, conditions, lines }: PriceQuestion,
  index: number,
): TokenVerdict | null {
  const line = lines[index];
  if (line?.priceToken === undefined) return null;
  const { product, quantity, unit = null, unitPrice = null } = line;
  const verdict = pricing.verifyToken(line.priceToken, {
    account,
    site,
    quotation,
    conditions,
    product,
    quantity,
    unit,
    unitPrice,
    currency,
  });
  // A price per pack is none per piece, in whatever way the line leaves its unit out.
  if (!verdict.fine || verdict.claims.unit === unit) return verdict;
  const detail =
    `it is for unit ${verdict.claims.unit ?? "(none)"}, and the line has ${unit ?? "none"}; ` +
    "order in the unit that the price was asked for";
  return { fine: false, code: "token-other-terms", detail, claims: verdict.claims };
}

interface OfLine {
  readonly question: PriceQuestion;
  readonly tokens: readonly (TokenVerdict | null)[];
  readonly basket: PricedBasket | null;
  readonly index: number;
}

function lineOf(
  line: Line,
  { question, tokens, basket, index }: OfLine,
): OrderPrices["lines"][number] {
  const token = tokens[index] ?? null;
  const agreement = agreed(basket?.agreements[index] ?? null, question.lines[index]?.unitPrice);
  const evidence = {
    ...evidenceOf(line, token),
    ...loweredBy(line, question.lines[index]),
    ...(agreement !== null && { agreement: agreement.key }),
  };
  const standing = basket?.lines[index] ?? null;
  if (line.state === "problem")
    return { unitPrice: null, about: line.detail, vatCode: null, standing, evidence, token };
  const { unitPrice, because: about, state, stateReason, vatCode, vatPercent } = line;
  const priced = { unitPrice, about, state, stateReason, vatCode, vatPercent, agreement };
  return { ...priced, standing, evidence, token };
}

/** What the order agreed to, what each promotion takes off it, and what is left. */
function loweredBy(line: Line, asked: PriceQuestion["lines"][number] | undefined): object {
  if (!("promotions" in line) || line.promotions.length === 0 || asked === undefined) return {};
  const { full, promotions, net } = line;
  const { unitPrice = line.unitPrice, quantity, unit = null } = asked;
  return { lowered: { unitPrice, quantity, unit, full, promotions, net } };
}

/** One of which too little is left counts where the order is at its price all the same. */
function agreed(agreement: Agreement | null, unitPrice: string | undefined): Agreement | null {
  if (agreement === null || agreement.fits || unitPrice === undefined) return agreement;
  const [theirs, ours] = [unitPrice, agreement.unitPrice].map((text) => decimal.parse(text));
  const isSame = theirs !== undefined && ours !== undefined && decimal.compare(theirs, ours) === 0;
  return isSame ? agreement : null;
}

/** A price that a token promised keeps what the token says, and what ours was beside it. */
function evidenceOf(line: Line, token: TokenVerdict | null): object {
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
