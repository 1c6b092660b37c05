/**
 * How a route is described once: its address, scope, request, answer, problems and what it does.
 */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { KeyHolder, Scope } from "../access/index.ts";
import type { Streamed, Written } from "./answering.ts";
import type { Fault, ProblemCode } from "./problem.ts";
import { checked, readJson, readQuery, refuseUnkeepable } from "./reading.ts";
import type { CompanyServices } from "./modules.ts";

export { z };

/** Who asks, and of which company. */
export interface Caller {
  readonly holder: KeyHolder;
  readonly services: CompanyServices;
}

export interface Call<Query, Path, Body> extends Caller {
  readonly query: Query;
  readonly path: Path;
  readonly body: Body;
  readonly header: Header;
}

/** Answers are only ever read. */
export type Shown<T> = T extends readonly (infer Each)[]
  ? readonly Shown<Each>[]
  : T extends object
    ? { readonly [Key in keyof T]: Shown<T[Key]> }
    : T;

export interface Reply<Answer> {
  /** Default 200. */
  readonly status?: number;
  /** `Written` and `Streamed` stand for the same in their own bytes. */
  readonly body: Answer | Written | Streamed;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A body by its schema; `quick` is a faster check that must accept exactly what the schema does.
 */
export interface BodyReader<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly limitBytes: number;
  /** What the body is one of that cannot come in parts ("order"); absent: it can. */
  readonly whole?: string;
  /** The checked body, or null when it may be wrong: then the schema says what is. */
  readonly quick?: (value: unknown) => z.output<Schema> | null;
  /** Of a union, the form that a wrong body was meant as, so that its errors speak of that one. */
  readonly meant?: (value: unknown) => z.ZodType<z.output<Schema>>;
}

export interface HeaderParameter {
  readonly name: string;
  readonly required: boolean;
  readonly about: string;
}

/** An endpoint with its types forgotten, as the application and the OpenAPI see it. */
export interface Endpoint {
  readonly method: "get" | "post";
  /** As OpenAPI writes it: `/v1/orders/{number}`. */
  readonly address: string;
  readonly scope: Scope;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  readonly path?: z.ZodObject;
  readonly headers?: readonly HeaderParameter[];
  readonly body?: BodyReader;
  /** By status; every one has the same schema. */
  readonly answers: Readonly<Record<number, string>>;
  readonly answer: z.ZodType;
  /** Besides those that every endpoint has. */
  readonly problems: readonly ProblemCode[];
  /** What the answer may be written as; absent: JSON. */
  readonly produces?: readonly string[];
  /** True: asked so often that it is answered past the router, see `direct.ts`. */
  readonly direct?: boolean;
  run(c: Context, caller: Caller): Promise<Reply<unknown>>;
  /** The same of a body that has arrived as JSON, without query and path. */
  take(value: unknown, caller: Caller, header: Header): Promise<Reply<unknown>>;
}

type Header = (name: string) => string | undefined;

interface Definition<
  Query extends z.ZodObject,
  Path extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> extends Omit<Endpoint, "run" | "take" | "query" | "path" | "body" | "answer"> {
  readonly query?: Query;
  readonly path?: Path;
  readonly body?: BodyReader<Body>;
  readonly answer: Answer;
  readonly handle: (
    call: Call<z.output<Query>, z.output<Path>, z.output<Body>>,
  ) => Promise<Reply<Shown<z.input<Answer>>>>;
}

const nothing = z.strictObject({});

export function endpoint<
  Answer extends z.ZodType,
  Query extends z.ZodObject = typeof nothing,
  Path extends z.ZodObject = typeof nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: Definition<Query, Path, Body, Answer>): Endpoint {
  const { handle, query, path, body, ...rest } = definition;
  return {
    ...rest,
    ...(query === undefined ? {} : { query }),
    ...(path === undefined ? {} : { path }),
    ...(body === undefined ? {} : { body }),
    run: async (c, caller) =>
      handle({
        ...caller,
        query: part("query", readQuery(c), query),
        path: part("path", c.req.param(), path),
        body: (body === undefined ? undefined : await readBody(c, body)) as z.output<Body>,
        header: (name) => c.req.header(name),
      }),
    take: async (value, caller, header) =>
      handle({
        ...caller,
        query: NONE as z.output<Query>,
        path: NONE as z.output<Path>,
        body: (body === undefined ? undefined : bodyOf(value, body)) as z.output<Body>,
        header,
      }),
  };
}

const NONE = {};

/** Without a schema nothing is allowed there, so that a misspelt parameter is not ignored. */
function part<Schema extends z.ZodObject>(
  where: Fault["in"],
  value: Readonly<Record<string, string>>,
  schema: Schema | undefined,
): z.output<Schema> {
  refuseUnkeepable(where, value);
  return checked(where, value, schema ?? nothing) as z.output<Schema>;
}

async function readBody<Schema extends z.ZodType>(
  c: Context,
  reader: BodyReader<Schema>,
): Promise<z.output<Schema>> {
  return bodyOf(await readJson(c, reader), reader);
}

function bodyOf<Schema extends z.ZodType>(
  value: unknown,
  { schema, quick, meant }: BodyReader<Schema>,
): z.output<Schema> {
  return quick?.(value) ?? checked("body", value, meant?.(value) ?? schema);
}
