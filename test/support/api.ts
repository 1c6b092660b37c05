/**
 * The whole service over a test's own database, asked over HTTP; every answer is checked against
 * its documentation.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import type { Scope } from "../../src/access/index.ts";
import { readSettings } from "../../src/config.ts";
import type { Listening } from "../../src/http/index.ts";
import { problem } from "../../src/http/openapi.ts";
import { ENDPOINTS } from "../../src/http/routes.ts";
import { openTradepost } from "../../src/main.ts";
import type { Tradepost } from "../../src/main.ts";
import { SCOPES } from "../../src/access/index.ts";
import { useDatabase } from "./database.ts";

export interface Answered<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface AskOptions {
  /** Null: none. Absent: one with every scope. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, with the headers given; a stream says no length. */
  readonly raw?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
}

export interface TestApi {
  readonly tradepost: Tradepost;
  readonly logged: readonly string[];
  /** "http://127.0.0.1:41234" */
  readonly url: string;
  keyWith(options: {
    scopes?: readonly Scope[];
    company?: string;
    test?: boolean;
  }): Promise<string>;
  ask<Body = unknown>(
    method: string,
    address: string,
    options?: AskOptions,
  ): Promise<Answered<Body>>;
}

/** Of March 2026, after everything that the small merchant sold. */
export const NOW = Temporal.Instant.from("2026-03-31T09:00:00Z");

/** @param more further settings of the first company, by their keys. */
export function useApi(
  companies: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
  now: () => Temporal.Instant = () => NOW,
): TestApi {
  const database = useDatabase();
  const folder = mkdtempSync(join(tmpdir(), "tradepost-api-"));
  const logged: string[] = [];
  let tradepost: Tradepost | undefined;
  let api: Listening | undefined;
  let key = "";
  beforeAll(async () => {
    const settings = readSettings({
      file: "tradepost.yaml",
      text: settingsText(companies, folder, more),
    });
    tradepost = await openTradepost(
      { ...settings, databaseUrl: database.store.url },
      { now, log: (level, message) => void logged.push(`${level} ${message}`) },
    );
    api = await tradepost.serve({ port: 0 });
    key = await keyWith({});
  });
  afterAll(async () => {
    await api?.close();
    await tradepost?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const opened = (): Tradepost => {
    if (tradepost === undefined) throw new Error("The service is open only while tests run.");
    return tradepost;
  };
  const keyWith: TestApi["keyWith"] = async ({ scopes = SCOPES, company, test = false }) => {
    const of = company ?? companies[0] ?? "";
    const asked = { company: of, name: "Shop", scopes, test, createdBy: "test" };
    return (await opened().access.createKey(asked)).secret;
  };
  return {
    get tradepost() {
      return opened();
    },
    logged,
    get url() {
      return api?.url ?? "";
    },
    keyWith,
    ask: async <Body>(method: string, address: string, options: AskOptions = {}) => {
      const answer = await fetch(`${api?.url}${address}`, requestOf(method, key, options));
      const { status, headers } = answer;
      const text = await answer.text();
      const body = bodyOf(headers, text);
      if (method !== "HEAD") expectDocumented(method, address, answer, body);
      return { status, headers, body: body as Body };
    },
  };
}

/** Lines of JSON as their values, a CSV file as its text. */
function bodyOf(headers: Headers, text: string): unknown {
  const type = headers.get("content-type") ?? "";
  if (type.startsWith("text/csv")) return text;
  if (!type.startsWith("application/x-ndjson"))
    return text === "" ? null : (JSON.parse(text) as unknown);
  if (text === "") return [];
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

function requestOf(method: string, standardKey: string, options: AskOptions): RequestInit {
  const { body, raw, headers, key = standardKey } = options;
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
    ...(sent instanceof ReadableStream ? { duplex: "half" as const } : {}),
  };
}

const SERVICE = new Set(["/livez", "/readyz", "/v1/openapi.json"]);

/** Throws when the answer is not exactly what the OpenAPI says. */
function expectDocumented(method: string, address: string, answer: Response, body: unknown): void {
  const { status, headers } = answer;
  const [path = ""] = address.split("?");
  const endpoint = ENDPOINTS.find(
    (one) =>
      one.method === method.toLowerCase() &&
      new RegExp(`^${one.address.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
  if (status >= 400) {
    expect(headers.get("content-type")).toBe("application/problem+json");
    const said = problem.parse(body);
    expect([said.status, said.requestId]).toEqual([status, headers.get("x-request-id")]);
    return;
  }
  if (SERVICE.has(path)) return;
  expect(Object.keys(endpoint?.answers ?? {})).toContain(String(status));
  if (status === 304 || typeof body === "string") return;
  for (const each of endpoint?.produces === undefined ? [body] : (body as unknown[]))
    endpoint?.answer.parse(each);
}

function settingsText(
  companies: readonly string[],
  folder: string,
  more: Readonly<Record<string, unknown>>,
): string {
  const plans = join(import.meta.dirname, "../../deploy/demo/plans");
  const entries = companies.map(
    (code, at) => `  ${code}:
    name: ${code}
${at === 0 && "orders" in more ? "" : ORDERS}    connections:
      erp: { connector: csv, mappings: tradepost-csv, settings: { folder: ${JSON.stringify(folder)} } }
    pay:
      plans:
        flat: ${JSON.stringify(join(plans, "flat.yaml"))}
        new-and-repeat: ${JSON.stringify(join(plans, "new-and-repeat.yaml"))}
${at === 0 ? moreText(more) : ""}`,
  );
  return `companies:\n${entries.join("")}`;
}

/** Orders of tests are alike; a test of repeats states `orders` itself. */
const ORDERS = "    orders: { connection: erp, repeatedWithinMinutes: 0 }\n";

/** JSON is YAML too. */
function moreText(more: Readonly<Record<string, unknown>>): string {
  return Object.entries(more)
    .map(([name, value]) => `    ${name}: ${JSON.stringify(value)}\n`)
    .join("");
}
