/** Who may ask, and what a failure is told as: the same on every lane that a request can take. */
import type { KeyHolder, Scope } from "../access/index.ts";
import type { Caller } from "./endpoint.ts";
import { PROBLEMS, Problem } from "./problem.ts";
import type { HttpServices } from "./modules.ts";

/** The holder of the key with the company's modules; throws the problem that says why not. */
export async function admit(
  authorization: string | undefined,
  services: HttpServices,
  scope: Scope,
): Promise<Caller> {
  const holder = await authenticate(authorization, services.access, scope);
  const found = services.company(holder.company);
  const company = found instanceof Promise ? await found : found;
  if (company !== undefined) return { holder, services: company };
  throw new Problem(
    "company-unknown",
    `The API key is of company ${holder.company}, which is not in this service's settings. ` +
      "Ask the address that serves this company.",
  );
}

async function authenticate(
  header: string | undefined,
  access: HttpServices["access"],
  scope: Scope,
): Promise<KeyHolder> {
  const challenge = { "www-authenticate": 'Bearer realm="tradepost"' };
  if (header === undefined)
    throw new Problem(
      "key-missing",
      "There is no Authorization header. Send `Authorization: Bearer tp_live_…` (or tp_test_…); " +
        "`tradepost keys create --name SHOP --scopes prices --who NAME` makes a key.",
      { headers: challenge },
    );
  const secret = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  const holder = secret === undefined ? null : await access.verify(secret);
  if (holder === null)
    throw new Problem(
      "key-unknown",
      secret === undefined
        ? "The Authorization header is not of the form `Bearer tp_live_…`."
        : "The API key is not known, or was revoked. `tradepost keys` shows those that are good.",
      { headers: challenge },
    );
  if (holder.scopes.has(scope)) return holder;
  throw new Problem(
    "scope-missing",
    `The API key "${holder.name}" opens ${[...holder.scopes].join(", ")}, and this needs ${scope}. ` +
      "Make a key with that scope.",
  );
}

/** Whatever went wrong, as what the caller is told; what the operator must know is logged. */
export function problemOf(
  error: unknown,
  about: string,
  services: HttpServices,
  requestId: string,
): Problem {
  if (error instanceof Problem) {
    if (PROBLEMS[error.code].status >= 500)
      services.log("warn", `${about}: ${error.message}`, { requestId, code: error.code });
    return error;
  }
  if (isDatabaseAway(error)) {
    services.log("warn", `${about}: the database does not answer`, { requestId });
    return new Problem(
      "database-away",
      `Answering ${about}: the database does not answer at the moment. Send it again in a few ` +
        "seconds; an order with the same Idempotency-Key is taken once.",
      { cause: error, headers: { "retry-after": "5" } },
    );
  }
  // Neither query, headers nor body: they may hold what must not be in a log.
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  services.log("error", `${about} failed: ${reason}`, { requestId, code: "defect" });
  return new Problem(
    "defect",
    `Answering ${about} failed, and the reason is in the log under request ${requestId}. ` +
      "Nothing of it was kept unless its Idempotency-Key answers; sending it again is safe.",
    { cause: error },
  );
}

/** Codes of Node and PostgreSQL for a server that is gone, stops, starts or is full. */
const AWAY = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|08...|57P0[123]|53300)$/;

function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return "code" in error ? AWAY.test(String(error.code)) : isDatabaseAway(error.cause);
}
