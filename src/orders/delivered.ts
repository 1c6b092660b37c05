/**
 * How much of an order's line was delivered, and how much of that is charged: for whoever asks what
 * is still to come of it. An invoice that is credited and made anew charges the same goods twice;
 * so what papers took back counts as delivered only where nothing says that it was not.
 */
import type { Queryable } from "../store/index.ts";

interface Figures {
  /** In SQL, each a quantity in selling units. */
  readonly despatched: string;
  readonly invoiced: string;
  readonly credited: string;
  /** True: the ERP states what went out of the order. */
  readonly isStated: string;
}

/** In SQL, of the line `l` of the order `o`. */
const OWN: Figures = {
  despatched: "l.despatched_quantity",
  invoiced: "l.invoiced_quantity",
  credited: "l.credited_quantity",
  // Without the ERP's order nothing would ever say that no more of it comes.
  isStated: `(exists (select 1 from web_order_line sent
      where sent.company = l.company and sent.order_id = l.order_id
        and sent.despatched_quantity > 0)
    and exists (select 1 from erp_order there
      where there.company = o.company and there.erp_order = o.erp_order))`,
};

/** What was charged anew of a product is that of its first lines. */
const CREDITED_BEFORE = `(select coalesce(sum(p.credited_quantity), 0) from web_order_line p
    where p.company = l.company and p.order_id = l.order_id and p.product = l.product
      and p.line < l.line)`;

/**
 * In SQL: of the line `l` of the order `o` so much was delivered, as the ERP says that it was
 * despatched, and all that stays charged. What was charged and is not any more went out and came
 * back, unless the ERP states what went out, or the same goods were charged anew.
 */
export function delivered(figures: Partial<Figures> = {}): string {
  const { despatched, invoiced, credited, isStated } = { ...OWN, ...figures };
  return `greatest(${despatched}, ${invoiced} - case when ${credited} = 0 then 0
    when ${isStated} then ${credited}
    else least(${credited}, greatest(0, coalesce((o.invoiced_anew ->> l.product)::numeric, 0)
      - ${CREDITED_BEFORE})) end)`;
}

/** In SQL: of that so much is charged, what was charged twice once. */
export const chargedOnce = (figures: Partial<Figures> = {}): string =>
  `least(${figures.invoiced ?? OWN.invoiced}, ${delivered(figures)})`;

/** Of a product, so much of what was credited was invoiced once more; selling units. */
export interface InvoicedAnew {
  readonly webOrder: string;
  readonly product: string;
  readonly quantity: string;
}

/** Of all orders that lines are told of; those of which it is another by it. */
export async function keepInvoicedAnew(
  tx: Queryable,
  told: {
    readonly company: string;
    readonly lines: readonly { readonly webOrder: string }[];
    readonly anew?: readonly InvoicedAnew[];
  },
): Promise<string[]> {
  const { company, lines, anew = [] } = told;
  const changed = await tx.query<{ id: string }>(
    `update web_order o set invoiced_anew = told.anew
       from (select asked.number, kept.anew from unnest($2::text[]) as asked (number)
               left join (select "webOrder", jsonb_object_agg(product, quantity) as anew
                            from jsonb_to_recordset($3::jsonb)
                              as row ("webOrder" text, product text, quantity numeric)
                           group by 1) kept on kept."webOrder" = asked.number) told
      where o.company = $1 and o.number = told.number and not o.test
        and o.invoiced_anew is distinct from told.anew returning o.id`,
    [company, [...new Set(lines.map(({ webOrder }) => webOrder))], JSON.stringify(anew)],
  );
  return changed.map(({ id }) => id);
}
