/** The numbers of web orders as an ERP writes them: as they were given, or in capitals. */

/** In SQL: the ERP's column names the order whose number stands in the other one. */
export const bears = (theirs: string, ours = "o.number"): string =>
  `${theirs} in (${ours}, upper(${ours}), lower(${ours}))`;
