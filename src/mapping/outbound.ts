/** A web order → the tables of text that the far side takes in: details first, the header last. */
import { DefinitionError, nearest, openDefinition } from "../definition/index.ts";
import type { DefinitionProblem, DefinitionSource } from "../definition/index.ts";
import { decimal } from "../model/index.ts";
import type { WebOrder } from "../model/index.ts";
import { identityOf } from "./compile.ts";
import { dateForm } from "./dates.ts";
import type { RowProblem } from "./field.ts";
import { conditionPath, orderPaths } from "./order-paths.ts";
import type { OrderList, OrderPath, RowOf } from "./order-paths.ts";
import { outboundSchema } from "./schema.ts";
import type { OutboundColumn, OutboundFile } from "./schema.ts";
import { quoted, textOf } from "./text.ts";

export interface RenderedTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Outbound {
  readonly file: string;
  readonly id: string;
  readonly version: string;
  readonly about: string;
  /** In the order in which they are written. */
  readonly tables: readonly { readonly name: string; readonly columns: readonly string[] }[];
  /** An amount off a line has a column of its own. */
  readonly carriesDiscount: boolean;
  /** A payment that was taken has one: else finance enters it. */
  readonly carriesPayment: boolean;
  /** The order as tables of text, or a `RenderError`: an order is never changed to make it fit. */
  readonly render: (order: WebOrder) => readonly RenderedTable[];
}

/** An order that the far side's files cannot hold as it is. */
export class RenderError extends Error {
  override readonly name = "RenderError";
  readonly problems: readonly RowProblem[];

  constructor(webOrder: string, file: string, problems: readonly RowProblem[]) {
    const lines = problems.map(
      ({ field, found, expected, instruction }) =>
        `  ${field}: found ${found}, expected ${expected}. ${instruction}`,
    );
    super(`web order ${webOrder} cannot be written by ${file}:\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

type Report = (
  path: readonly (string | number)[],
  what: {
    readonly found: string;
    readonly expected: string;
    readonly nearest?: string | undefined;
  },
) => void;

/** The order's mapping, or a `DefinitionError` with every problem of the file. */
export function compileOutbound(source: DefinitionSource): Outbound {
  const definition = openDefinition(source, outboundSchema);
  const problems: DefinitionProblem[] = [];
  const tables = definition.value.tables.map((table, index) =>
    compileTable(table, (path, what) =>
      problems.push(definition.problem(["tables", index, ...path], what)),
    ),
  );
  const names = definition.value.tables.map(({ name }) => name);
  names.forEach((name, index) => {
    if (names.indexOf(name) !== index)
      problems.push(
        definition.problem(["tables", index, "name"], {
          found: `the table ${name} a second time`,
          expected: "each table once",
        }),
      );
  });
  if (problems.length > 0)
    throw new DefinitionError(
      source.file,
      problems.toSorted((left, right) => left.line - right.line),
    );
  return {
    ...identityOf(source),
    about: definition.value.about,
    tables: tables.map(({ name, columns }) => ({
      name,
      columns: columns.map(({ column }) => column),
    })),
    carriesDiscount: writes(definition.value, DISCOUNT),
    carriesPayment: writes(definition.value, PAYMENT),
    render: (order) => {
      const refused: RowProblem[] = [];
      const rendered = tables.map((table) => renderTable(table, order, refused));
      if (refused.length > 0) throw new RenderError(order.webOrder, source.file, refused);
      return rendered;
    },
  };
}

const DISCOUNT = "item.discount";
const PAYMENT = "payment.amount";

/** A column is written from this part of the order. */
function writes({ tables }: OutboundFile, part: string): boolean {
  return tables.some(({ columns }) =>
    Object.values(columns).some((rule) =>
      (typeof rule === "string" ? [rule] : [rule.from, ...(rule.first ?? [])]).includes(part),
    ),
  );
}

interface TableStep {
  readonly name: string;
  readonly lists: readonly OrderList[];
  readonly columns: readonly ColumnStep[];
}

interface ColumnStep {
  readonly column: string;
  readonly write: (row: RowOf) => Cell;
}

/** A cell's text, or why there is none. */
type Cell = string | { readonly found: string; readonly expected: string };

function compileTable(table: OutboundFile["tables"][number], report: Report): TableStep {
  const lists = table.each ?? [];
  const paths = orderPaths(lists);
  return {
    name: table.name,
    lists,
    columns: Object.entries(table.columns).map(([column, rule]) => ({
      column,
      write: compileColumn(typeof rule === "string" ? { from: rule } : rule, paths, (path, what) =>
        report(["columns", column, ...path], what),
      ),
    })),
  };
}

function compileColumn(
  rule: OutboundColumn,
  paths: ReadonlyMap<string, OrderPath>,
  report: Report,
): ColumnStep["write"] {
  const whenBlank = String(rule.default ?? "");
  if (rule.value !== undefined) {
    const text = String(rule.value);
    return () => limited(text, rule.max);
  }
  const sources = (rule.first ?? [rule.from ?? ""]).flatMap((path) => {
    const found = paths.get(path) ?? conditionPath(path);
    if (found === undefined) report([], unknownPath(path, paths));
    return found === undefined ? [] : [found];
  });
  const write = writer(rule, sources, report);
  return (row) => {
    for (const source of sources) {
      const text = textOf(source.read(row)) ?? "";
      if (text !== "") return limited(write(text), rule.max);
    }
    return limited(whenBlank, rule.max);
  };
}

function unknownPath(path: string, paths: ReadonlyMap<string, OrderPath>) {
  const names = [...paths.keys()];
  return {
    found: quoted(path),
    expected: `one of ${names.join(", ")}`,
    nearest: nearest(path, names),
  };
}

/**
 * How a part's text is written: as it is, through the value table, as a date, with fixed places.
 */
function writer(
  rule: OutboundColumn,
  sources: readonly OrderPath[],
  report: Report,
): (text: string) => Cell {
  const { values, date, places } = rule;
  if ([values, date, places].filter((one) => one !== undefined).length > 1)
    report([], { found: "several of values, date, places", expected: "one of them" });
  const misfit = (option: string, kind: OrderPath["kind"]) => {
    if (sources.some((source) => source.kind !== kind))
      report([option], {
        found: `${option} on a part that is no ${kind}`,
        expected: `${option} only on a ${kind}`,
      });
  };
  if (values !== undefined)
    return tableWriter(new Map(Object.entries(values).map(([word, text]) => [word, String(text)])));
  if (date !== undefined) {
    misfit("date", "date");
    const form = dateForm(date);
    if ("wrong" in form || form.hasTime)
      report(["date"], {
        found: quoted(date),
        expected: "wrong" in form ? form.wrong : "a date without a time",
      });
    return (text) => writeDate(text, date);
  }
  if (places === undefined) return (text) => text;
  misfit("places", "decimal");
  return (text) => writePlaces(text, places);
}

function tableWriter(table: ReadonlyMap<string, string>): (text: string) => Cell {
  const words = [...table.keys()].join(", ");
  return (text) =>
    table.get(text) ?? { found: quoted(text), expected: `one of the value table: ${words}` };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function writeDate(iso: string, form: string): string {
  const [year = "", month = "", day = ""] = iso.split("-");
  const parts: Readonly<Record<string, string>> = {
    yyyy: year,
    yy: year.slice(2),
    MMM: MONTHS[Number(month) - 1] ?? month,
    MM: month,
    M: String(Number(month)),
    dd: day,
    d: String(Number(day)),
  };
  return form.replaceAll(/yyyy|yy|MMM|MM|M|dd|d/g, (token) => parts[token] ?? token);
}

function writePlaces(text: string, places: number): Cell {
  const value = decimal.canonical(decimal.parse(text));
  const found = value.split(".")[1]?.length ?? 0;
  if (found > places) return { found: quoted(text), expected: `at most ${places} decimal places` };
  return decimal.format({ digits: decimal.digitsAt(decimal.parse(value), places), scale: places });
}

function limited(cell: Cell, max: number | undefined): Cell {
  if (max === undefined || typeof cell !== "string" || cell.length <= max) return cell;
  return {
    found: `${quoted(cell)} (${cell.length} characters)`,
    expected: `at most ${max} characters`,
  };
}

function renderTable(table: TableStep, order: WebOrder, refused: RowProblem[]): RenderedTable {
  const rows = rowsOf(table, order).map((row) =>
    table.columns.map(({ column, write }) => {
      const cell = write(row);
      if (typeof cell === "string") return cell;
      refused.push({
        field: `${table.name}.${column}${table.lists.length > 0 ? ` (row ${row.n})` : ""}`,
        ...cell,
        instruction: "Correct the order, or the column in the mapping.",
      });
      return "";
    }),
  );
  return { name: table.name, columns: table.columns.map(({ column }) => column), rows };
}

/**
 * A line's row has the line's own number, by which the ERP names it to us; an order of which one
 * was cancelled has gaps. Charges go on behind the highest.
 */
function rowsOf({ lists }: TableStep, order: WebOrder): RowOf[] {
  if (lists.length === 0) return [{ order, item: null, list: null, n: 1 }];
  const highest = Math.max(0, ...order.lines.map(({ line }) => line));
  const behind = lists.includes("lines") ? highest : 0;
  return lists.flatMap((list) =>
    order[list].map((item, index) => ({
      order,
      item: { ...item },
      list,
      n: "line" in item ? item.line : behind + index + 1,
    })),
  );
}
