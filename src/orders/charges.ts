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

/** What all of them come to. */
export const CHARGES_NET = (o = "o"): string => `(
    select coalesce(sum((c ->> 'net')::numeric), 0)
      from jsonb_array_elements(${o}.body -> 'charges') c)`;

/** Lines of the ERP that come to so much are all that its order has, whose net is the other one. */
export const isWhole = (lines: string, net: string, o = "o"): string =>
  `coalesce(${lines} in (${net}, ${net} - ${CHARGES_NET(o)}), false)`;
