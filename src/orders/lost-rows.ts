/** Rows of an ERP that was restored from its backup since. */

/** Of the order `o`: a person has it sent again since it was lost by that. */
const lost = (which: string): string => `exists (select 1 from web_order_lost g
  where g.company = o.company and g.order_id = o.id and g.decision = 'send-again' and ${which})`;

/** Learned before the order `o` was lost, and that is sent again: it is believed no more. */
export const learnedBeforeLost = (row: string): string => lost(`${row}.learned_at <= g.lost_at`);

/**
 * The same of a row that was pulled. Content that was applied before then, and is mapped anew now,
 * is learned now, and no newer for that.
 */
export const lostRow = (row: string): string =>
  lost(`(${row}.learned_at <= g.lost_at or exists (select 1 from origin x
    where x.company = g.company and x.id = ${row}.origin_id and x.applied_at <= g.lost_at))`);

/**
 * The same of an answer; one that comes before the order was sent again is none to that: what an
 * ERP holds shows that the order is there, what it once said does not. Clocks differ by a minute.
 */
export const lostAnswer = (row: string): string =>
  `(${lostRow(row)} or ${lost(`${row}.learned_at < coalesce(
    (select min(v.at) from web_order_event v where v.company = g.company
        and v.order_id = g.order_id and v.at >= g.decided_at and v.from_state = 'queued'
        and v.to_state in ('sending', 'accepted', 'confirmed', 'conflict')),
    'infinity') - interval '1 minute'`)})`;
