/**
 * A request read: its body, query and path, checked against their schemas or told what is wrong.
 */
import type { Context } from "hono";
import type { z } from "zod";
import { checkValue } from "../definition/index.ts";
import { Problem, pointerOf } from "./problem.ts";
import type { Fault } from "./problem.ts";

/** How much a body may be, and what it is one of that cannot come in parts; absent: it can. */
interface BodyLimit {
  readonly limitBytes: number;
  readonly whole?: string;
}

/** The JSON of a body, of at most `limitBytes`; throws the problem that says what is wrong. */
export async function readJson(c: Context, limit: BodyLimit): Promise<unknown> {
  checkContentType(c);
  return jsonOf(await readText(c, limit).catch(cutOff));
}

/** Whoever hung up in the middle of a body reads no answer; the log says nothing of a database. */
function cutOff(cause: unknown): never {
  if (cause instanceof Problem) throw cause;
  throw new Problem(
    "request-malformed",
    "Reading the body: the connection ended before all of it had come. Send it again.",
    { cause },
  );
}

/** The JSON of a body that has arrived as text. */
export function jsonOf(text: string): unknown {
  // Decoding puts it where bytes were no UTF-8; it would travel to the ERP as it is.
  if (text.includes("\uFFFD"))
    throw new Problem(
      "request-malformed",
      "Reading the body: it is not UTF-8 throughout (or holds the replacement character U+FFFD). " +
        "Send JSON encoded as UTF-8.",
    );
  try {
    const value: unknown = JSON.parse(text);
    if (text.includes("\\u") && /\\u(?:0000|d[89a-f])/i.test(text)) refuseUnkeepable("body", value);
    return value;
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Problem(
      "request-malformed",
      text === ""
        ? "Reading the body: it is empty. Send a JSON object."
        : `Reading the body: it is not JSON (${reason}). Mend it there.`,
      { cause },
    );
  }
}

/** No database text and no ERP can hold NUL or half a character; it would fail far from here. */
export function refuseUnkeepable(
  where: Fault["in"],
  value: unknown,
  path: readonly (string | number)[] = [],
): void {
  const found =
    typeof value !== "string"
      ? null
      : value.includes("\0")
        ? "text with the character NUL (\\u0000)"
        : value.isWellFormed()
          ? null
          : "text with half of a character (a lone surrogate, \\ud800 to \\udfff)";
  if (found !== null)
    throw invalid([{ in: where, pointer: pointerOf(path), found, expected: "text without it" }]);
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    refuseUnkeepable(where, key, path);
    refuseUnkeepable(where, part, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

function checkContentType(c: Context): void {
  const found = c.req.header("content-type");
  if (found === "application/json" || (found !== undefined && JSON_TYPE.test(found))) return;
  throw new Problem(
    "content-type-unsupported",
    `Reading the body: its Content-Type is ${found === undefined ? "not given" : `"${found}"`}, ` +
      'expected "application/json" (UTF-8). Send that header and a JSON body.',
    { headers: { "accept-post": "application/json" } },
  );
}

async function readText(c: Context, limit: BodyLimit): Promise<string> {
  const declared = c.req.header("content-length");
  if (declared !== undefined) {
    // The server's parser ends a body at its declared length, so that it cannot lie.
    if (Number(declared) > limit.limitBytes) throw tooLarge(limit, `${declared} bytes`);
    return c.req.text();
  }
  const body: ReadableStream<Uint8Array> | null = c.req.raw.body;
  if (body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > limit.limitBytes) throw tooLarge(limit, "more");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge({ limitBytes, whole }: BodyLimit, found: string): Problem {
  const advice =
    whole === undefined
      ? "Send it in parts."
      : `One ${whole} may have no more: leave out what it does not need, or send several.`;
  return new Problem(
    "body-too-large",
    `Reading the body: found ${found}, at most ${limitBytes} bytes are taken. ${advice}`,
    // What is left of the body is not read, so the connection cannot be used again.
    { headers: { connection: "close" } },
  );
}

/** The value under its schema, or the problem with every fault. */
export function checked<Schema extends z.ZodType>(
  where: Fault["in"],
  value: unknown,
  schema: Schema,
): z.output<Schema> {
  const result = checkValue(value, schema);
  if (result.fine) return result.value;
  throw invalid(
    result.problems.map(({ path, expected, ...rest }) => ({
      in: where,
      pointer: pointerOf(path),
      ...rest,
      // Some schemas' own messages begin with the word that follows here anyway.
      expected: expected.replace(/^expected /, ""),
    })),
  );
}

export function invalid(faults: readonly Fault[]): Problem {
  const [first] = faults;
  const count = faults.length === 1 ? "1 error" : `${faults.length} errors`;
  const where = first === undefined ? "" : `${first.in} ${first.pointer}`.trim();
  const hint = first?.nearest === undefined ? "" : ` (nearest match "${first.nearest}")`;
  return new Problem(
    "request-invalid",
    `Checking the request: ${count}. First: ${where}: found ${first?.found}, ` +
      `expected ${first?.expected}${hint}.`,
    { faults },
  );
}

/** The query as an object; a parameter that is given twice has no one value. */
export function readQuery(c: Context): Record<string, string> {
  const query = c.req.query();
  if (Object.keys(query).length === 0) return query;
  const repeated = Object.entries(c.req.queries()).filter(([, values]) => values.length > 1);
  if (repeated.length === 0) return query;
  throw invalid(
    repeated.map(([name, values]) => ({
      in: "query",
      pointer: pointerOf([name]),
      found: `it ${values.length} times`,
      expected: "it once",
    })),
  );
}
