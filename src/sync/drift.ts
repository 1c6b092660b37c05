/**
 * The shape of a stream's rows: their columns and what kind of values stand in them. Compared
 * before anything is published, since a column that changed its meaning maps as well as ever.
 */

/** `blank`: nothing but blanks was seen, which says nothing about the kind. */
export type ValueKind = "number" | "date" | "yes/no" | "text" | "blank";

export interface ColumnShape {
  readonly kind: ValueKind;
  /** Values that the kind was told from; blanks do not count. */
  readonly values: number;
  /** Every row looked at had the column. */
  readonly always: boolean;
}

/** By column. */
export type Shape = Readonly<Record<string, ColumnShape>>;

export type Reaction = "tell" | "quarantine" | "stop";

/** What a changed shape does. */
export interface DriftPolicy {
  readonly added: Reaction;
  readonly missing: Reaction;
  readonly retyped: Reaction;
}

export interface ShapeChange {
  readonly what: keyof DriftPolicy;
  readonly column: string;
  readonly was: ValueKind | null;
  readonly is: ValueKind | null;
  /** A value that shows it, shortened; null: none can. */
  readonly example: string | null;
}

/** What was seen of one origin: how many of a column's values are of each kind. */
export interface Seen {
  readonly rows: number;
  /** The source states its columns: one that is not named is not there. */
  readonly stated: boolean;
  readonly columns: ReadonlyMap<string, SeenColumn>;
}

interface SeenColumn {
  /** Rows that have the column. */
  rows: number;
  values: number;
  readonly kinds: Record<Exclude<ValueKind, "blank">, number>;
  /** The first value of each kind. */
  readonly examples: Partial<Record<ValueKind, string>>;
}

type Row = Readonly<Record<string, unknown>>;

/** So many rows of an origin are looked at. */
const SAMPLE = 200;
/** Fewer values tell no kind: one bad cell of a small file is a bad row, not another shape. */
const TELLING = 5;

export function seenIn(stated: readonly string[] | undefined, rows: readonly Row[]): Seen {
  const columns = new Map<string, SeenColumn>();
  for (const name of stated ?? []) columns.set(name, unseen());
  const sample = rows.slice(0, SAMPLE);
  for (const row of sample)
    for (const [name, value] of Object.entries(row)) {
      const column = columns.get(name) ?? unseen();
      columns.set(name, column);
      count(column, value);
    }
  return { rows: sample.length, stated: stated !== undefined, columns };
}

function unseen(): SeenColumn {
  const kinds = { number: 0, date: 0, "yes/no": 0, text: 0 };
  return { rows: 0, values: 0, kinds, examples: {} };
}

function count(column: SeenColumn, value: unknown): void {
  column.rows += 1;
  const kind = kindOf(value);
  if (kind === "blank") return;
  column.values += 1;
  column.kinds[kind] += 1;
  column.examples[kind] ??= shown(value);
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length <= 30 ? text : `${text.slice(0, 29)}…`;
}

const DATE = new RegExp(
  "^(?:\\d{4}-\\d\\d?-\\d\\d?(?:[T ][\\d:.,]+(?:Z|[+-]\\d\\d:?\\d\\d)?)?" +
    "|\\d{1,2}[/.-](?:\\d{1,2}|[A-Za-z]{3})[/.-](?:\\d{4}|\\d\\d)(?: [\\d:]+)?)$",
);
const NUMBER = /^[-+(]?\s?[£$€]?\s?-?(?:\d[\d.,' ]*|\.\d+)\s?%?\s?[-)]?$/;
const YES_OR_NO = /^(?:y|n|yes|no|true|false|t|f)$/i;

export function kindOf(value: unknown): ValueKind {
  if (value === null || value === undefined) return "blank";
  if (typeof value === "number" || typeof value === "bigint") return "number";
  if (typeof value === "boolean") return "yes/no";
  if (typeof value !== "string") return "text";
  const text = value.trim();
  if (text === "") return "blank";
  if (DATE.test(text)) return "date";
  if (NUMBER.test(text)) return "number";
  return YES_OR_NO.test(text) ? "yes/no" : "text";
}

/** A column is of a kind when nearly all of its values are. */
const NEARLY_ALL_PERCENT = 90;

function mainKind({ kinds, values }: SeenColumn): ValueKind {
  if (values === 0) return "blank";
  const telling = ["number", "date", "yes/no"] as const;
  return telling.find((kind) => kinds[kind] * 100 >= values * NEARLY_ALL_PERCENT) ?? "text";
}

/** How the origin's shape differs from the one that is known. */
export function changesOf(known: Shape, seen: Seen): readonly ShapeChange[] {
  const missing = Object.entries(known).flatMap(([column, was]) =>
    isMissing(column, was, seen) ? [{ ...change("missing", column), was: was.kind }] : [],
  );
  const others = [...seen.columns].flatMap(([column, now]) => {
    const was = known[column];
    if (was === undefined) return [{ ...change("added", column), is: mainKind(now) }];
    return retyped(column, was, now);
  });
  return [...missing, ...others];
}

function change(what: ShapeChange["what"], column: string): ShapeChange {
  return { what, column, was: null, is: null, example: null };
}

/** Where the source states no columns, one that was ever left out may be left out again. */
function isMissing(column: string, was: ColumnShape, seen: Seen): boolean {
  if (seen.columns.has(column)) return false;
  return seen.stated || (was.always && seen.rows >= TELLING);
}

/** Text may hold anything; of every other kind most values must stay. */
function retyped(column: string, was: ColumnShape, now: SeenColumn): ShapeChange[] {
  if (was.kind === "text" || was.kind === "blank") return [];
  if (was.values < TELLING || now.values < TELLING) return [];
  if (now.kinds[was.kind] * 2 > now.values) return [];
  const is = mainKind(now);
  return [{ ...change("retyped", column), was: was.kind, is, example: now.examples[is] ?? null }];
}

/** The known shape with what was seen since; columns that went are forgotten. */
export function grown(known: Shape | null, seen: Seen): Shape {
  const gone = new Set(
    changesOf(known ?? {}, seen).flatMap(({ what, column }) =>
      what === "missing" ? [column] : [],
    ),
  );
  const shape: Record<string, ColumnShape> = {};
  for (const [column, was] of Object.entries(known ?? {}))
    if (!gone.has(column))
      shape[column] = seen.columns.has(column) ? was : { ...was, always: false };
  for (const [column, now] of seen.columns)
    shape[column] = columnAfter(shape[column], now, seen, known === null);
  return shape;
}

function columnAfter(
  was: ColumnShape | undefined,
  now: SeenColumn,
  seen: Seen,
  isFirst: boolean,
): ColumnShape {
  const inAll = seen.stated || now.rows === seen.rows;
  const always = inAll && (was?.always ?? isFirst);
  if (was === undefined) return { kind: mainKind(now), values: now.values, always };
  const values = Math.min(was.values + now.values, 1_000_000);
  if (now.values === 0) return { ...was, always };
  const [changed] = retyped("", was, now);
  if (changed !== undefined) return { kind: mainKind(now), values: now.values, always };
  return { kind: together(was, now), values, always };
}

/** Few values of a kind are a guess, which what comes next may correct. */
function together(was: ColumnShape, now: SeenColumn): ValueKind {
  const is = mainKind(now);
  if (was.kind === is || was.kind === "blank") return is;
  return was.values < TELLING ? (now.values < TELLING ? "text" : is) : was.kind;
}

/** The strictest reaction that the changes call for; null: nothing changed. */
export function reactionTo(changes: readonly ShapeChange[], policy: DriftPolicy): Reaction | null {
  const reactions = new Set(changes.map(({ what }) => policy[what]));
  return (["stop", "quarantine", "tell"] as const).find((each) => reactions.has(each)) ?? null;
}

/** `"phone" is new; "price" held numbers and holds text now, such as "n/a"` */
export function changesInWords(changes: readonly ShapeChange[]): string {
  return changes.map(inWords).join("; ");
}

const WORDS: Readonly<Record<ValueKind, string>> = {
  number: "numbers",
  date: "dates",
  "yes/no": "yes or no",
  text: "text",
  blank: "blanks",
};

function inWords({ what, column, was, is, example }: ShapeChange): string {
  switch (what) {
    case "added":
      return `"${column}" is new`;
    case "missing":
      return `"${column}" is missing`;
    case "retyped": {
      const such = example === null ? "" : `, such as "${example}"`;
      return `"${column}" held ${WORDS[was ?? "blank"]} and holds ${WORDS[is ?? "blank"]} now${such}`;
    }
    default:
      return what satisfies never;
  }
}
