/** Prices that were answered, signed for the order that will present them. */
import type { PriceAnswer, PriceAsker, PriceLine, PriceRequest } from "./answer.ts";
import { scaled } from "./engine/index.ts";
import type { Root } from "./root.ts";
import { rangesOf } from "./token-range.ts";
import type { TokenRange } from "./token-range.ts";
import { signToken, verifyToken } from "./token.ts";
import type { Presented, TokenKey, TokenVerdict } from "./token.ts";

export interface TokenSettings {
  /** The first signs, all verify; none: no price is signed and no token is good. */
  readonly keys: readonly TokenKey[];
  /** How long a signed price is honoured at most. */
  readonly hours: number;
}

export interface Signing {
  readonly company: string;
  readonly tokens: TokenSettings;
  readonly now: () => Temporal.Instant;
}

/** The same answers, each with its token where one was asked for. */
export function withTokens(
  signing: Signing,
  root: Root,
  request: PriceRequest,
  lines: readonly PriceLine[],
): PriceLine[] {
  const at = signing.now();
  const rangeOf = rangesOf(root, request, at.epochMilliseconds);
  return lines.map((line, number) => {
    const asked = request.lines[number];
    if (line.state === "problem" || asked === undefined) return line;
    const unit = asked.unit ?? null;
    const range = rangeOf(asked, line) ?? onlyFor(line);
    return { ...line, token: tokenOf(signing, { ...request, unit }, line, { at, range }) };
  });
}

/** The very quantity that was asked. */
function onlyFor({ quantity, validUntil }: PriceAnswer): TokenRange {
  return { fromQuantity: quantity, belowQuantity: justAbove(quantity), validUntil };
}

/** Prices that somebody may still take back are not promised. */
const PROMISED: ReadonlySet<string> = new Set(["confirmed", "modelled"]);

function tokenOf(
  { company, tokens }: Signing,
  asker: PriceAsker & { readonly unit: string | null },
  answer: PriceAnswer,
  { at, range }: { readonly at: Temporal.Instant; readonly range: TokenRange },
): string | null {
  const [key, ...older] = tokens.keys;
  const { unitPrice, state } = answer;
  const { fromQuantity, belowQuantity } = range;
  if (key === undefined || unitPrice === null || !PROMISED.has(state)) return null;
  // A price of another moment is no promise for now.
  if (asker.on || asker.asOf) return null;
  const latest = at.add({ minutes: Math.round(tokens.hours * 60) });
  return signToken([key, ...older], {
    company,
    account: asker.account,
    site: asker.site ?? null,
    branch: asker.branch ?? null,
    conditions: asker.conditions ?? {},
    quotation: asker.quotation ?? null,
    product: answer.product,
    unit: asker.unit,
    fromQuantity,
    belowQuantity,
    unitPrice,
    pricingUnit: answer.pricingUnit,
    currency: answer.currency,
    validUntil: earlier(range.validUntil, moment(earlier(answer.validUntil, latest))),
    issuedAt: at.toString(),
    bookVersion: answer.bookVersion,
    because: answer.because,
  });
}

/** The smallest quantity above. */
function justAbove(quantity: string): string {
  return scaled.shortTextOf((scaled.scaledOf(quantity, 5) ?? 0) + 1, 5);
}

function moment(text: string): Temporal.Instant {
  return Temporal.Instant.from(text);
}

function earlier(validUntil: string | null, latest: Temporal.Instant): string {
  if (validUntil === null) return latest.toString();
  const until = Temporal.Instant.from(validUntil);
  return Temporal.Instant.compare(until, latest) < 0 ? validUntil : latest.toString();
}

/**
 * Whether a token that an order presents is ours, still holds, and is for what it orders. A price
 * round may keep for a while what ended with its start.
 */
export function verdictOn(
  { company, tokens, now }: Signing,
  token: string,
  presented: Omit<Presented, "company" | "at">,
  keptUntilMs: (endedMs: number) => number | null = () => null,
): TokenVerdict {
  const at = now();
  const verdict = verifyToken(tokens.keys, token, { ...presented, company, at });
  if (verdict.fine || verdict.code !== "token-expired" || verdict.claims === null) return verdict;
  const endedAt = Temporal.Instant.from(verdict.claims.validUntil);
  const keptMs = keptUntilMs(endedAt.epochMilliseconds);
  const isKept = keptMs !== null && at.epochMilliseconds < keptMs;
  return isKept ? { fine: true, claims: verdict.claims } : verdict;
}
