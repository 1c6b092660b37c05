/** The numbers of web orders as an ERP writes them: as they were given, or in capitals. */

const SPELLINGS = (ours: string): readonly string[] => [ours, `upper(${ours})`, `lower(${ours})`];

/** In SQL: the ERP's column names the order whose number stands in the other one. */
export const bears = (theirs: string, ours = "o.number"): string =>
  `${theirs} in (${SPELLINGS(ours).join(", ")})`;

/**
 * In SQL, each once: the orders "o" of a relation beside the rows "e" of a table of the ERP that
 * bear their numbers. A union of plain joins, which the database makes for very many as well as for
 * a few. $1 is the company.
 */
export const bearing = (
  orders: string,
  table: string,
  { columns, where = "true" }: { readonly columns: string; readonly where?: string },
): string =>
  SPELLINGS("o.number")
    .map(
      (number) => `
  select ${columns} from ${orders} o
    join ${table} e on e.company = $1 and e.web_order = ${number}
   where ${where}`,
    )
    .join(" union ");
