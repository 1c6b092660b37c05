/**
 * Every error of the API as RFC 9457 `application/problem+json`: a stable code, a title that never
 * varies, and a detail that says what was found, what was expected and what to do.
 */

/**
 * Each code with its status and title; documented in the OpenAPI, so a code never changes its
 * meaning.
 */
export const PROBLEMS = {
  "request-malformed": { status: 400, title: "The request cannot be read" },
  "request-invalid": { status: 400, title: "The request does not fit the interface" },
  "idempotency-key-missing": { status: 400, title: "The Idempotency-Key header is missing" },
  "key-missing": { status: 401, title: "An API key is needed" },
  "key-unknown": { status: 401, title: "The API key is not good" },
  "scope-missing": { status: 403, title: "The API key does not open this" },
  "company-unknown": { status: 403, title: "The API key's company is not served here" },
  "route-unknown": { status: 404, title: "There is nothing at this address" },
  "account-unknown": { status: 404, title: "The account is not known" },
  "site-unknown": { status: 404, title: "The delivery site is not known" },
  "branch-unknown": { status: 404, title: "The branch is not known" },
  "quotation-unknown": { status: 404, title: "The quotation is not known, or not open" },
  "product-unknown": { status: 404, title: "The product is not known" },
  "order-unknown": { status: 404, title: "The order is not known" },
  "order-task-unknown": { status: 404, title: "There is no such task" },
  "account-request-unknown": { status: 404, title: "There is no such account request" },
  "return-unknown": { status: 404, title: "There is no such return" },
  "posting-unknown": { status: 404, title: "The posting is not known" },
  "rep-unknown": { status: 404, title: "The rep is not known" },
  "plan-unknown": { status: 404, title: "The plan is not known" },
  "pay-run-unknown": { status: 404, title: "That pay was not calculated" },
  "quarantine-item-unknown": { status: 404, title: "There is no such quarantine item" },
  "price-round-unknown": { status: 404, title: "The price round is not known" },
  "price-hold-unknown": { status: 404, title: "There is no such held price change" },
  "run-unknown": { status: 404, title: "There is no such run" },
  "lost-undecided": {
    status: 409,
    title: "The ERP lost orders that nobody has decided on",
  },
  "connection-unknown": { status: 404, title: "The connection is not known" },
  "stream-unknown": { status: 404, title: "The stream is not known" },
  "webhook-unknown": { status: 404, title: "There is no such webhook" },
  "event-unknown": { status: 404, title: "There is no such event" },
  "cursor-unknown": { status: 404, title: "The cursor is not known" },
  "method-not-allowed": { status: 405, title: "The address does not take this method" },
  "not-acceptable": { status: 406, title: "The answer is JSON and nothing else" },
  "request-slow": { status: 408, title: "The request did not arrive in time" },
  "request-in-progress": { status: 409, title: "The same request is still being handled" },
  "order-stands-otherwise": { status: 409, title: "The order does not stand so that it could" },
  "quarantine-item-settled": { status: 409, title: "The quarantine item stands otherwise" },
  "account-request-settled": { status: 409, title: "The account request stands otherwise" },
  "account-closed": { status: 409, title: "The account is closed" },
  "replacement-of-another": { status: 422, title: "The number is of another customer" },
  "replacement-unknown": { status: 422, title: "Nothing known brought other goods by it" },
  "return-settled": { status: 409, title: "The return was decided already" },
  "plan-refused": { status: 409, title: "The plan cannot be applied" },
  "price-round-refused": { status: 409, title: "The price round cannot be that" },
  "price-hold-decided": { status: 409, title: "The price change was decided on already" },
  "webhook-disabled": { status: 409, title: "The webhook is disabled" },
  "run-ended": { status: 409, title: "The run has ended" },
  "assignment-impossible": { status: 409, title: "Assignments contradict each other" },
  "cursor-expired": { status: 410, title: "The cursor is too old" },
  "cursor-of-another-feed": { status: 410, title: "The cursor is of another feed than this" },
  "tokens-not-set-up": { status: 409, title: "Prices are not signed here" },
  "price-list-changed": { status: 412, title: "The price list is another one by now" },
  "web-order-number-taken": { status: 422, title: "The order number was used before" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "content-type-unsupported": { status: 415, title: "The body must be JSON" },
  "idempotency-key-reused": {
    status: 422,
    title: "The Idempotency-Key was used for another request",
  },
  "webhook-refused": { status: 422, title: "The webhook cannot be that" },
  "order-refused": { status: 422, title: "The order is refused" },
  "invoice-unknown": { status: 422, title: "The account has no such invoice" },
  "return-too-much": { status: 422, title: "More is asked back than was sold" },
  "answer-too-large": { status: 422, title: "The answer would be too large" },
  "headers-too-large": { status: 431, title: "The headers are too large" },
  defect: { status: 500, title: "Tradepost has a defect" },
  "database-away": { status: 503, title: "The database does not answer" },
  "prices-not-ready": { status: 503, title: "There is no price book yet" },
  "not-ready": { status: 503, title: "Tradepost is not ready" },
} as const satisfies Readonly<Record<string, { status: number; title: string }>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One place in the request that is wrong. */
export interface Fault {
  readonly in: "body" | "query" | "path" | "header";
  /** JSON pointer into the body ("/lines/0/quantity"), or "/name" of a parameter or header. */
  readonly pointer: string;
  readonly found: string;
  readonly expected: string;
  /** The allowed word that looks most like what was found. */
  readonly nearest?: string;
  /** Stable code of the reason, where it has one of its own. */
  readonly code?: string;
  readonly instruction?: string;
  /** The same as a sentence for people. */
  readonly detail?: string;
  /** Of an order: what the merchant's policy makes of it. */
  readonly policy?: "accept" | "hold" | "refuse";
  /** Products to offer in place of the one found. */
  readonly offers?: readonly string[];
  /** The charge with which it would be taken as it is. */
  readonly offeredCharge?: {
    readonly charge: string;
    readonly net: string;
    readonly vatCode: string;
  };
}

/** At most this many faults are listed; the detail says how many there are. */
export const MOST_FAULTS = 100;
/** Of an order, whose lines are all looked at. */
export const MOST_ORDER_FAULTS = 5_000;

export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly faults: readonly Fault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    options: {
      faults?: readonly Fault[];
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.faults = options.faults ?? [];
    this.headers = options.headers ?? {};
  }
}

/** The body of a problem; `requestId` finds it in the log. */
export function problemBody(problem: Problem, requestId: string): Record<string, unknown> {
  const { status, title } = PROBLEMS[problem.code];
  const most = problem.code === "order-refused" ? MOST_ORDER_FAULTS : MOST_FAULTS;
  const errors = problem.faults.slice(0, most);
  return {
    type: `urn:tradepost:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    requestId,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

/** `["lines", 0, "unit/price"]` → "/lines/0/unit~1price" (RFC 6901). */
export function pointerOf(path: readonly (string | number)[]): string {
  return path
    .map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}
