/**
 * An order's charges as an ERP keeps them: on lines without a product, on lines under their own
 * codes, or, as some do with carriage, in the order's header alone. In SQL.
 */

/** The codes and nets of the charges of an order "o", which has its `body`: (charge, net). */
export const CHARGES_OF = (o = "o"): string => `(
    select c ->> 'charge' as charge, sum((c ->> 'net')::numeric) as net
      from jsonb_array_elements(${o}.body -> 'charges') c
     where not exists (select 1 from jsonb_array_elements(${o}.body -> 'lines') l
                        where l ->> 'product' = c ->> 'charge')
     group by 1)`;

/**
 * Lines of an order "erpOrder" of the ERP that come to so much are all that it has, its net being
 * the other one: what charges of ours none of them bears, its header has.
 */
export const isWhole = (lines: string, net: string, erpOrder: string, o = "o"): string =>
  `coalesce(${net} - ${lines} in (0, (
    select coalesce(sum(c.net), 0) from ${CHARGES_OF(o)} c
     where not exists (select 1 from erp_order_line b
                        where b.company = ${o}.company and b.erp_order = ${erpOrder}
                          and b.product = c.charge))), false)`;
