import { Hono } from "hono";
import type { Context } from "hono";
import type { KeyHolder, Scope } from "../access/index.ts";
import { nearest } from "../definition/index.ts";
import { checkAccept, json, problemResponse, requestIdOf } from "./answering.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { API_ADDRESS, openApiDocument } from "./openapi.ts";
import { PROBLEMS, Problem } from "./problem.ts";
import { ENDPOINTS } from "./routes.ts";
import type { HttpServices } from "./modules.ts";

/** The API over these services; give it to `listen`, or to a test as `app.request(…)`. */
export function createApp(services: HttpServices): Hono {
  const app = new Hono();
  for (const endpoint of ENDPOINTS)
    app.on(endpoint.method.toUpperCase(), honoAddress(endpoint.address), (c) =>
      answer(c, services, (requestId) => serve(c, services, endpoint, requestId)),
    );
  const open = (address: string, body: () => unknown) =>
    app.get(address, (c) =>
      answer(c, services, async (requestId) => json(await body(), { status: 200, requestId })),
    );
  open(API_ADDRESS, () => openApiDocument());
  open("/livez", () => ({ state: "live" }));
  open("/readyz", () => readiness(services));
  const known = [
    ...ENDPOINTS,
    ...[API_ADDRESS, "/livez", "/readyz"].map((address) => ({ method: "get", address })),
  ];
  app.notFound((c) => answer(c, services, () => Promise.reject(noRoute(c, known))));
  return app;
}

/** `/v1/orders/{number}` → `/v1/orders/:number`. */
function honoAddress(address: string): string {
  return address.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** Runs one request; whatever goes wrong becomes a problem. */
async function answer(
  c: Context,
  services: HttpServices,
  work: (requestId: string) => Promise<Response>,
): Promise<Response> {
  const requestId = requestIdOf(c);
  try {
    checkAccept(c);
    return await work(requestId);
  } catch (error) {
    return problemResponse(problemOf(error, c, services, requestId), requestId);
  }
}

async function serve(
  c: Context,
  services: HttpServices,
  endpoint: Endpoint,
  requestId: string,
): Promise<Response> {
  const holder = await authenticate(c, services.access, endpoint.scope);
  const company = await services.company(holder.company);
  if (company === undefined)
    throw new Problem(
      "company-unknown",
      `The API key is of company ${holder.company}, which is not in this service's settings. ` +
        "Ask the address that serves this company.",
    );
  const { status = 200, body, headers } = await endpoint.run(c, { holder, services: company });
  return json(body, { status, requestId, headers });
}

async function authenticate(
  c: Context,
  access: HttpServices["access"],
  scope: Scope,
): Promise<KeyHolder> {
  const header = c.req.header("authorization");
  const challenge = { "www-authenticate": 'Bearer realm="tradepost"' };
  if (header === undefined)
    throw new Problem(
      "key-missing",
      "There is no Authorization header. Send `Authorization: Bearer tp_live_…` (or tp_test_…); " +
        "`tradepost keys create` makes a key.",
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

function problemOf(error: unknown, c: Context, services: HttpServices, requestId: string): Problem {
  const about = `${c.req.method} ${c.req.path}`;
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

interface Known {
  readonly method: string;
  readonly address: string;
}

/** The address is known with another method, or it is not known at all. */
function noRoute(c: Context, known: readonly Known[]): Problem {
  const { method, path } = c.req;
  const here = known.filter(({ address }) => matches(address, path));
  if (here.length > 0) {
    const allow = [
      ...new Set(here.flatMap((one) => (one.method === "get" ? ["GET", "HEAD"] : ["POST"]))),
    ].join(", ");
    return new Problem(
      "method-not-allowed",
      `${path} takes ${allow}, and the request was ${method}. Use one of these.`,
      { headers: { allow } },
    );
  }
  const like = nearest(
    path,
    known.map(({ address }) => address),
  );
  const hint = like === undefined ? "" : ` The nearest is ${like}.`;
  return new Problem(
    "route-unknown",
    `There is nothing at ${method} ${path}.${hint} ${API_ADDRESS} lists every address.`,
  );
}

function matches(address: string, path: string): boolean {
  const pattern = address
    .split("/")
    .map((part) => (part.startsWith("{") ? "[^/]+" : part.replaceAll(".", "\\.")))
    .join("/");
  return new RegExp(`^${pattern}$`).test(path);
}

async function readiness(services: HttpServices): Promise<unknown> {
  const late = new Promise<"late">((resolve) => {
    setTimeout(() => resolve("late"), LIMITS.readyTimeoutMs).unref();
  });
  const checks = await Promise.race([services.ready(), late]);
  if (checks === "late") throw notReady(`no answer within ${LIMITS.readyTimeoutMs} ms. Ask again.`);
  const missing = checks.filter(({ ready }) => !ready);
  if (missing.length > 0)
    throw notReady(missing.map(({ name, about }) => `${name}: ${about}`).join("; "));
  return { state: "ready", checks: checks.map(({ name }) => name) };
}

function notReady(why: string): Problem {
  return new Problem("not-ready", `Not ready: ${why}`, { headers: { "retry-after": "2" } });
}
