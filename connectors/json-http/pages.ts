/** Pages of a list, each of which must be the one that was asked for. */
import { z } from "zod";
import { ConnectorFault } from "#connector";
import type { Host, ReadEvent } from "#connector";
import { HttpFault, type HttpClient } from "#connector/http";
import { isObject, type Item, type ItemOf } from "./rows.ts";
import type { Settings } from "./settings.ts";

export interface Source {
  readonly http: HttpClient;
  readonly host: Host;
  readonly settings: Settings;
}

/** A page's token or number; null: the first one. */
export const placeShape = z.union([z.string().min(1), z.int()]).nullable();
export type Place = z.infer<typeof placeShape>;

/** What a list said of its number of rows, and whether it said different numbers. */
export const totalShape = z.strictObject({ said: z.int(), moved: z.boolean() }).nullable();
export type Total = z.infer<typeof totalShape>;

/** How far a list was read. */
export const standShape = z.strictObject({
  next: placeShape,
  /** Rows before it. */
  line: z.int().min(0),
  /** First and last row of the page before it. */
  edges: z.array(z.string()),
  total: totalShape,
});
export type Stand = z.infer<typeof standShape>;

export const START: Stand = { next: null, line: 0, edges: [], total: null };

export interface List {
  readonly stream: string;
  readonly path: string;
  readonly paging: "token" | "number";
  readonly query?: Readonly<Record<string, string | number>>;
  readonly itemOf: ItemOf;
}

export interface Page {
  readonly items: readonly Item[];
  readonly stand: Stand;
  readonly isLast: boolean;
  /** The list's own number of rows; null where it says none, or rows came and went meanwhile. */
  readonly total: number | null;
}

/**
 * Reads on from where the list was left. Only a page that says so is the last one, whatever rows it
 * has. The edges of each page are kept in mind: a page that goes back behind one has one of them.
 */
export async function* pagesOf(source: Source, list: List, from: Stand): AsyncGenerator<Page> {
  const passed = new Set(from.edges);
  const places = new Set([from.next]);
  let stand = from;
  let full = source.settings.pageRows;
  for (;;) {
    const answer = await wholePageAt(source, list, stand.next, { full, isFirst: stand === from });
    full = answer.rows.length;
    const items = answer.rows.map((given, index) => list.itemOf(given, stand.line + index + 1));
    const ids = items.flatMap((item) => ("row" in item ? [item.id] : []));
    const isLast = answer.next === null;
    if (ids.some((id) => passed.has(id)) || (!isLast && places.has(answer.next)))
      throw notFollowing(list.stream, "its rows, or the page behind it, were given before");
    const total = heard(list, stand.total, answer.total);
    const edges = edgesOf(list, ids);
    for (const id of edges) passed.add(id);
    const line = stand.line + items.length;
    stand = { next: answer.next, line, edges: edges.length > 0 ? edges : stand.edges, total };
    const isSettled = answer.total !== null && total?.moved === false;
    yield { items, stand, isLast, total: isSettled ? answer.total : null };
    if (isLast) return;
    places.add(answer.next);
  }
}

/** Where pages are counted, a row that is added shifts the last row of a page into the next. */
function edgesOf({ paging }: List, ids: readonly string[]): string[] {
  return paging === "number" ? ids.slice(0, 1) : [...ids.slice(0, 1), ...ids.slice(-1)];
}

interface Answer {
  readonly rows: readonly unknown[];
  readonly next: Place;
  readonly total: number | null;
}

interface Expected {
  /** Rows of the page before, or those asked for. */
  readonly full: number;
  /** True: nothing else of the list was read in this reading. */
  readonly isFirst: boolean;
}

/** A page in the middle that is shorter than the others may be cut short: it is asked for again. */
async function wholePageAt(
  source: Source,
  list: List,
  place: Place,
  expected: Expected,
): Promise<Answer> {
  const answer = await pageAt(source, list, place, expected);
  if (answer.next === null || answer.rows.length >= expected.full) return answer;
  const again = await pageAt(source, list, place, expected);
  return again.rows.length > answer.rows.length ? again : answer;
}

async function pageAt(
  { http, settings }: Source,
  { stream, path, paging, query }: List,
  place: Place,
  { isFirst }: Expected,
): Promise<Answer> {
  const { parameters, members, pageRows } = settings;
  const byNumber = paging === "number";
  const where = byNumber
    ? { [parameters.page]: place ?? 1 }
    : { [parameters.after]: place ?? undefined };
  try {
    const { body } = await http.get(path.slice(1), {
      query: { ...query, [parameters.limit]: pageRows, ...where },
      shape: byNumber ? counted(members, Number(place ?? 1)) : linked(members),
    });
    return body;
  } catch (error) {
    if (!isFirst || place === null || !isForgotten(error)) throw error;
    throw new ConnectorFault(
      "transient",
      `Reading ${stream}: the system does not know any more where the list was left: ${error.message}`,
      "It is tried again, and after a few times the list is read from its start.",
      { cause: error },
    );
  }
}

/** Answers to a token that was good once. */
const FORGOTTEN: readonly (number | null)[] = [400, 404, 410, 422];

function isForgotten(error: unknown): error is HttpFault {
  return error instanceof HttpFault && FORGOTTEN.includes(error.status);
}

type Members = Settings["members"];

const rowsShape = z.array(z.unknown());
const countShape = z.int().min(0);

/** Without a word about the next page an answer is none: a list never ends by accident. */
function linked(members: Members): z.ZodType<Answer> {
  return picked({
    rows: [members.rows, rowsShape],
    next: [members.next, placeShape],
    total: [members.total, countShape.nullish()],
  }).transform(({ rows, next, total }) => ({ rows, next, total: total ?? null }));
}

function counted(members: Members, number: number): z.ZodType<Answer> {
  return picked({
    rows: [members.rows, rowsShape],
    pages: [members.pages, countShape],
    total: [members.total, countShape.nullish()],
  }).transform(({ rows, pages, total }) => ({
    rows,
    next: number < pages ? number + 1 : null,
    total: total ?? null,
  }));
}

/** Members of an answer wherever they stand in it. */
function picked<Shapes extends Record<string, z.ZodType>>(wanted: {
  readonly [Name in keyof Shapes]: readonly [path: string, shape: Shapes[Name]];
}) {
  const entries = Object.entries<readonly [string, z.ZodType]>(wanted);
  const shape = Object.fromEntries(entries.map(([name, [, one]]) => [name, one])) as Shapes;
  return z
    .unknown()
    .transform((body) =>
      Object.fromEntries(entries.map(([name, [path]]) => [name, memberOf(body, path)])),
    )
    .pipe(z.object(shape));
}

function memberOf(body: unknown, path: string): unknown {
  let value = body;
  for (const name of path.split(".")) value = isObject(value) ? value[name] : undefined;
  return value;
}

/** Where pages are counted, a row that goes shifts another one out of sight. */
function heard({ stream, paging }: List, before: Total, said: number | null): Total {
  if (said === null || before?.said === said) return before;
  if (before !== null && paging === "number" && said < before.said)
    throw new ConnectorFault(
      "transient",
      `Reading ${stream}: the list had ${before.said} rows and then ${said}; one of them may have been passed over.`,
      "It is read again. If this stays, read the list when nobody removes rows.",
    );
  return { said, moved: before !== null };
}

export function notFollowing(stream: string, what: string): ConnectorFault {
  return new ConnectorFault(
    "transient",
    `Reading ${stream}: a page that does not follow the one before it came: ${what}.`,
    "It is read again. If this stays, the key in the settings does not tell rows apart, or the " +
      "system gives them in another order than the settings say.",
  );
}

/** More rows than the list has are those that were edited meanwhile and came once more. */
export function* totalsOf({ stand, total }: Page): Generator<ReadEvent> {
  if (total !== null && stand.line <= total) yield { kind: "totals", rows: total };
}

/** As `totalsOf`, of a list that was read in several goes. */
export function checkWhole(stream: string, { stand, total }: Page): void {
  if (total === null || stand.line >= total) return;
  throw new ConnectorFault(
    "transient",
    `Reading ${stream}: the list says that it has ${total} rows, and ${stand.line} came.`,
    "It is tried again, and after a few times read from its start. If this stays, tell who runs the system.",
  );
}
