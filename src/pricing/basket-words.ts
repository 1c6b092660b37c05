/** A basket worked out in integers → its answer in texts. */
import type { PriceAnswer } from "./answer.ts";
import type {
  BasketAnswer,
  BasketCharge,
  BasketFreeLine,
  BasketLineAnswer,
  BasketRequest,
  BasketTotals,
  BasketTwin,
} from "./basket-answer.ts";
import type { BasketAsked, GivenLine } from "./basket-price.ts";
import { document, scaled } from "./engine/index.ts";

export interface Worked {
  readonly on: document.BasketPromotions;
  /** Goods that promotions give; their lines stand behind those asked for. */
  readonly given: readonly (GivenLine & {
    readonly promotion: document.Promotion;
    readonly line: document.FreeLine;
  })[];
  readonly input: document.DocumentInput;
  readonly totals: document.DocumentTotals;
  /** VAT code → rate in percent. */
  readonly rates: Readonly<Record<string, string>>;
  /** Every line and rate is known. */
  readonly isKnown: boolean;
}

export type OtherArithmetic = {
  readonly system: string;
  readonly arithmetic: document.DocumentArithmetic;
};

export function answerBasket(
  asked: BasketAsked,
  request: BasketRequest,
  worked: Worked,
  others: readonly OtherArithmetic[],
): BasketAnswer {
  const { root, enquiry, answers } = asked;
  const { on, totals, isKnown } = worked;
  const money = moneyAt(totals.places);
  const currency = root.book.currencies[enquiry.currency] ?? "";
  const sign = request.credit === true ? -1 : 1;
  return {
    account: request.account,
    currency,
    bookVersion: root.version,
    freshness: root.freshness,
    validUntil: validUntil(asked, on.until),
    lines: answers.map((answer, at) =>
      answer.state === "problem" ? answer : lineAnswer(asked, worked, answer, at),
    ),
    free: worked.given.map((given, index) =>
      freeAnswer(given, totals.lines[asked.known.length + index], money),
    ),
    applied: on.applied.map(({ promotion, saving, times, cut }) => ({
      promotion: promotion.promotion,
      name: promotion.name,
      saving: money(saving),
      cutBy: money(cut),
      times,
      lowers: promotion.lowers,
    })),
    notApplied: on.notApplied.map(({ promotion, why }) => ({
      promotion: promotion.promotion,
      name: promotion.name,
      reason: why.reason,
      about: document.reasonText(why, totals.places, currency),
    })),
    unknownCodes: on.unknownCodes,
    documentDiscount: money(sign * on.loweredByDocument.reduce((sum, amount) => sum + amount, 0)),
    charges: chargeAnswers(request, worked),
    vat: isKnown ? totals.rates.map((rate) => rateAnswer(rate, money)) : [],
    totals: isKnown ? totalsOf(totals) : null,
    totalsReason: isKnown ? null : whyUnknown(asked, request, worked),
    twins: isKnown ? others.map((other) => twinAnswer(worked, other)) : [],
  };
}

/** Every line and code without which nothing can be added up, each with what to do. */
function whyUnknown(
  { answers }: BasketAsked,
  { charges = [] }: BasketRequest,
  { given, rates }: Worked,
): string {
  const lines = answers.flatMap((answer, at) => {
    const of = `Line ${at + 1} (${answer.product})`;
    if (answer.state === "problem") return [`${of}: ${answer.detail}.`];
    if (answer.unitPrice === null) return [`${of} has no price: ${answer.because}.`];
    return answer.vatPercent === null ? [`${of}: ${noRate(answer.vatCode)}`] : [];
  });
  const gifts = given.flatMap(({ line, vatCode, hasRate }) =>
    hasRate ? [] : [`${line.product}, which is given: ${noRate(vatCode)}`],
  );
  const added = charges.flatMap(({ charge, vatCode }) =>
    rates[vatCode] === undefined ? [`Charge ${charge}: ${noRate(vatCode)}`] : [],
  );
  return [...lines, ...gifts, ...added].join(" ");
}

function noRate(vatCode: string | null): string {
  return vatCode === null
    ? "neither customer, site nor product has a VAT code; give the product one in the ERP."
    : `the settings give the VAT code ${vatCode} no rate on this day; state it in the company's vat.`;
}

type Money = (amount: number) => string;

function moneyAt(places: number): Money {
  return (amount) => scaled.textOf(amount, places);
}

function validUntil({ answers }: BasketAsked, until: number): string | null {
  const moments = answers.flatMap((answer) =>
    answer.state === "problem" || answer.validUntil === null ? [] : [answer.validUntil],
  );
  if (until !== Infinity) moments.push(Temporal.Instant.fromEpochMilliseconds(until).toString());
  const [first = null] = moments.sort((a, b) =>
    Temporal.Instant.compare(Temporal.Instant.from(a), Temporal.Instant.from(b)),
  );
  return first;
}

function lineAnswer(
  { known }: BasketAsked,
  { on, totals, input }: Worked,
  answer: PriceAnswer,
  at: number,
): BasketLineAnswer {
  const index = known.findIndex((line) => line.at === at);
  const amounts = totals.lines[index];
  const money = moneyAt(totals.places);
  const { net: _net, vat: _vat, ...priced } = answer;
  if (amounts === undefined) return { ...priced, ...UNKNOWN };
  const sign = input.credit === true ? -1 : 1;
  const byDocument = sign * (on.loweredByDocument[index] ?? 0);
  const full = amounts.full - amounts.discount;
  const left = full - amounts.lowered;
  return {
    ...priced,
    full: money(full),
    lowered: money(amounts.lowered - byDocument),
    documentDiscount: money(byDocument),
    net: money(amounts.net),
    vat: priced.vatPercent === null ? null : money(amounts.vat),
    savedPercent: document.savedPercent(Math.abs(full), Math.abs(left)),
    promotions: on.applied.flatMap(({ promotion, falls }) =>
      falls
        .filter((fall) => fall.line === index)
        .map(({ amount }) => ({ promotion: promotion.promotion, amount: money(amount) })),
    ),
  };
}

const UNKNOWN = {
  full: null,
  lowered: "0.00",
  documentDiscount: "0.00",
  net: null,
  vat: null,
  savedPercent: 0,
  promotions: [],
} as const;

function freeAnswer(
  { promotion, line, document: { price }, vatCode, hasRate }: Worked["given"][number],
  amounts: document.LineAmounts | undefined,
  money: Money,
): BasketFreeLine {
  return {
    promotion: promotion.promotion,
    product: line.product,
    quantity: scaled.shortTextOf(line.quantity, 5),
    unitPrice: scaled.shortTextOf(price, 6),
    net: money(amounts?.net ?? 0),
    vatCode,
    vat: hasRate ? money(amounts?.vat ?? 0) : null,
    worth: line.worth === null ? null : money(line.worth),
  };
}

function chargeAnswers(request: BasketRequest, { rates, totals }: Worked): BasketCharge[] {
  const money = moneyAt(totals.places);
  return (request.charges ?? []).map(({ charge, vatCode }, index) => {
    const vatPercent = rates[vatCode] ?? null;
    const amounts = totals.charges[index];
    const vat = vatPercent === null ? null : money(amounts?.vat ?? 0);
    return { charge, vatCode, vatPercent, net: money(amounts?.net ?? 0), vat };
  });
}

function rateAnswer({ vatRate, net, vat, gross }: document.RateAmounts, money: Money) {
  return {
    vatPercent: scaled.shortTextOf(vatRate, 4),
    net: money(net),
    vat: money(vat),
    gross: money(gross),
  };
}

function totalsOf({ places, net, vat, gross }: document.DocumentTotals): BasketTotals {
  const money = moneyAt(places);
  return { net: money(net), vat: money(vat), gross: money(gross) };
}

function twinAnswer(
  { input, totals }: Worked,
  { system, arithmetic }: OtherArithmetic,
): BasketTwin {
  const twin = document.twinOf(input, totals, system, arithmetic);
  const money = moneyAt(twin.places);
  const difference = { net: money(twin.net), vat: money(twin.vat), gross: money(twin.gross) };
  return { system, ...totalsOf(twin.totals), difference };
}
