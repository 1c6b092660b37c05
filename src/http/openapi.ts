/** The OpenAPI 3.1 description, generated from the endpoints' own schemas. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { JSON_ONLY } from "./answering.ts";
import { z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { MOST_ORDER_FAULTS, PROBLEMS } from "./problem.ts";
import type { ProblemCode } from "./problem.ts";
import { ENDPOINTS } from "./routes.ts";

export const API_ADDRESS = "/v1/openapi.json";

type Document = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

let made: Document | undefined;

export function openApiDocument(): Document {
  return (made ??= makeDocument());
}

function makeDocument(): Document {
  const app = new OpenAPIHono();
  const registry = app.openAPIRegistry;
  registry.registerComponent("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    description: "An API key: `Authorization: Bearer tp_live_…`. It names its company.",
  });
  for (const endpoint of ENDPOINTS) registry.registerPath(described(endpoint));
  for (const one of OPEN) registry.registerPath(one);
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Tradepost",
      version: "1",
      description:
        "Prices, web orders, sales and reps' pay of one merchant. Money and quantities are decimal " +
        "texts, dates ISO. Every error is `application/problem+json`. Answers may gain fields.",
    },
  });
  openAnswers(document);
  return document;
}

/** Requests are strict; a reader of answers must not be, or no answer could ever gain a field. */
function openAnswers({ paths = {}, components = {} }: Document): void {
  const asked = new Set<string>();
  for (const path of Object.values(paths))
    for (const operation of [path.get, path.post]) collectNames(operation?.requestBody, asked);
  for (const [name, schema] of Object.entries(components.schemas ?? {}))
    if (!asked.has(name)) openUp(schema);
  for (const path of Object.values(paths))
    for (const operation of [path.get, path.post]) openUp(operation?.responses);
}

/** Request schemas name no other component, so one level is all there is. */
function collectNames(part: unknown, names: Set<string>): void {
  if (typeof part !== "object" || part === null) return;
  for (const [key, value] of Object.entries(part)) {
    if (key === "$ref") names.add(String(value).replace("#/components/schemas/", ""));
    collectNames(value, names);
  }
}

function openUp(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  if ("additionalProperties" in part && part.additionalProperties === false)
    delete part.additionalProperties;
  for (const value of Object.values(part)) openUp(value);
}

type Path = Parameters<OpenAPIHono["openAPIRegistry"]["registerPath"]>[0];

const EVERYWHERE: readonly ProblemCode[] = [
  "request-invalid",
  "key-missing",
  "key-unknown",
  "scope-missing",
  "company-unknown",
  "not-acceptable",
  "database-away",
  "defect",
];
const WITH_BODY: readonly ProblemCode[] = [
  "request-malformed",
  "body-too-large",
  "content-type-unsupported",
];

function described(endpoint: Endpoint): Path {
  const { method, address, tag, summary, description, scope, body, answer } = endpoint;
  const types = endpoint.produces ?? JSON_ONLY;
  const content = Object.fromEntries(
    types.map((type) => [type, { schema: type === "text/csv" ? z.string() : answer }]),
  );
  const codes = [...EVERYWHERE, ...(body === undefined ? [] : WITH_BODY), ...endpoint.problems];
  return {
    method,
    path: address,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: [{ apiKey: [scope] }],
    request: {
      ...(endpoint.query === undefined ? {} : { query: endpoint.query }),
      ...(endpoint.path === undefined ? {} : { params: endpoint.path }),
      ...(endpoint.headers === undefined ? {} : { headers: headersOf(endpoint) }),
      ...(body === undefined
        ? {}
        : { body: { required: true, content: { "application/json": { schema: body.schema } } } }),
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(endpoint.answers).map(([status, about]) => [
          status,
          status === "304" ? { description: about } : { description: about, content },
        ]),
      ),
      ...problemResponses(codes),
    },
  };
}

function headersOf({ headers = [] }: Endpoint): z.ZodObject {
  return z.object(
    Object.fromEntries(
      headers.map(({ name, required, about }) => {
        const text = z.string().describe(about);
        return [name, required ? text : text.optional()];
      }),
    ),
  );
}

/** One response per status; its description lists the codes that come with it. */
function problemResponses(codes: readonly ProblemCode[]): Path["responses"] {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))];
  return Object.fromEntries(
    statuses.map((status) => {
      const mine = codes.filter((code) => PROBLEMS[code].status === status);
      const about = mine.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(" ");
      return [
        status,
        { description: about, content: { "application/problem+json": { schema: problem } } },
      ];
    }),
  );
}

const fault = z.strictObject({
  in: z.enum(["body", "query", "path", "header"]),
  pointer: z.string().describe("JSON pointer into the body, or /name of a parameter."),
  found: z.string(),
  expected: z.string(),
  nearest: z.string().optional().describe("The allowed word that looks most like what was found."),
  code: z.string().optional().describe("Stable code of the reason, where it has one of its own."),
  instruction: z.string().optional().describe("What to do about it."),
  detail: z.string().optional().describe("The same as a sentence for people."),
  policy: z
    .enum(["accept", "hold", "refuse"])
    .optional()
    .describe("Of an order: what the merchant's policy makes of it."),
  offers: z
    .array(z.string())
    .optional()
    .describe("Products to offer in place of the one found; never swapped by us."),
  offeredCharge: z
    .strictObject({ charge: z.string(), net: z.string(), vatCode: z.string() })
    .optional()
    .describe("The charge with which the order would be taken as it is."),
});

export const problem = z
  .strictObject({
    type: z.string().describe("urn:tradepost:problem: and the code."),
    title: z.string().describe("Always the same for a code."),
    status: z.number().int(),
    detail: z.string().describe("What was found, what was expected, what to do."),
    code: z.enum(Object.keys(PROBLEMS) as ProblemCode[]),
    requestId: z.string().describe("Finds the request in the log."),
    errors: z.array(fault).max(MOST_ORDER_FAULTS).optional(),
  })
  .openapi("Problem");

const OPEN: readonly Path[] = [
  open("/livez", "Whether the process runs", z.strictObject({ state: z.literal("live") })),
  {
    ...open(
      "/readyz",
      "Whether requests can be answered",
      z.strictObject({ state: z.literal("ready"), checks: z.array(z.string()) }),
    ),
  },
  open(API_ADDRESS, "This description", z.record(z.string(), z.unknown())),
];

function open(path: string, summary: string, schema: z.ZodType): Path {
  return {
    method: "get",
    path,
    tags: ["service"],
    summary,
    security: [],
    responses: {
      200: { description: summary, content: { "application/json": { schema } } },
      ...problemResponses(
        path === "/readyz" ? ["not-acceptable", "not-ready"] : ["not-acceptable"],
      ),
    },
  };
}
