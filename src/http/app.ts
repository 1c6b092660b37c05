import { Hono } from "hono";
import type { Context } from "hono";
import { nearest } from "../definition/index.ts";
import { admit, problemOf } from "./admission.ts";
import { checkAccept, json, problemResponse, replied, requestIdOf } from "./answering.ts";
import { directLane } from "./direct.ts";
import type { DirectLane } from "./direct.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { API_ADDRESS, openApiDocument } from "./openapi.ts";
import { Problem } from "./problem.ts";
import { ENDPOINTS } from "./routes.ts";
import type { HttpServices } from "./modules.ts";
import { refuseTestKey } from "./test-keys.ts";

/** The API over these services; give it to `listen`, or to a test as `app.request(…)`. */
export function createApp(services: HttpServices): Hono & { readonly direct: DirectLane } {
  const app = new Hono();
  for (const endpoint of ENDPOINTS)
    app.on(endpoint.method.toUpperCase(), honoAddress(endpoint.address), (c) =>
      answer(c, services, (requestId) => serve(c, services, endpoint, requestId)),
    );
  const open = (address: string, body: () => unknown) =>
    app.get(address, (c) =>
      answer(c, services, async (requestId) => {
        checkAccept(c);
        return json(await body(), { status: 200, requestId });
      }),
    );
  open(API_ADDRESS, () => openApiDocument());
  open("/livez", () => ({ state: "live" }));
  open("/readyz", () => readiness(services));
  const known = [
    ...ENDPOINTS,
    ...[API_ADDRESS, "/livez", "/readyz"].map((address) => ({ method: "get", address })),
  ];
  app.notFound((c) => answer(c, services, () => Promise.reject(noRoute(c, known))));
  return Object.assign(app, { direct: directLane(ENDPOINTS, services) });
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
  const requestId = requestIdOf(c.req.header("x-request-id"));
  try {
    return await work(requestId);
  } catch (error) {
    const about = `${c.req.method} ${c.req.path}`;
    return problemResponse(problemOf(error, about, services, requestId), requestId);
  }
}

async function serve(
  c: Context,
  services: HttpServices,
  endpoint: Endpoint,
  requestId: string,
): Promise<Response> {
  checkAccept(c, endpoint.produces);
  const caller = await admit(c.req.header("authorization"), services, endpoint.scope);
  refuseTestKey(endpoint, caller);
  return replied(await endpoint.run(c, caller), requestId);
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
