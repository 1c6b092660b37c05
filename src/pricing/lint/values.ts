/** Rules whose values cannot be meant: breaks that rise, twins, nothing to pay, below cost. */
import { ORIGIN, RULE_PLACE, RULE_ROW, notOver } from "./check.ts";
import type { Check, LintScope } from "./check.ts";

export function valueChecks(scope: LintScope): Check[] {
  return [
    breaks(scope, "non-monotonic-break"),
    breaks(scope, "dominated-break"),
    overlaps(scope),
    zeroPrices(scope),
    belowCost(scope),
    discountedBelowCost(scope),
  ];
}

/** What rules share that differ by their break alone. */
const SAME_BUT_BREAK =
  "customer_scope, customer_code, product_scope, product_code, kind, currency, unit, net, sold_in, " +
  "conditions, formula, contract, priority, valid_from, valid_to, starts_at, ends_at";

/** The higher quantity costs more, or nothing less. */
function breaks({ company, today }: LintScope, kind: "non-monotonic-break" | "dominated-break") {
  const worse = kind === "non-monotonic-break";
  const than = worse ? ">" : "=";
  return {
    kind,
    severity: worse ? "warning" : "note",
    record: "price-rule",
    sql: `with stairs as (
        select rule, from_quantity, kind, value, origin_id, origin_line, lag(value) over place as before,
               lag(from_quantity) over place as step
          from price_rule p
         where company = ${company} and stack is null and ${notOver("p", today)}
        window place as (partition by ${SAME_BUT_BREAK} order by from_quantity, rule))
      select ${RULE_ROW} as row, trim_scale(r.value)::text as a, trim_scale(r.before)::text as b,
             trim_scale(r.step)::text as c, r.kind as d, ${ORIGIN}
        from stairs r
       where r.step < r.from_quantity
         and case when r.kind in ('percent', 'amount') then r.before else r.value end
             ${than} case when r.kind in ('percent', 'amount') then r.value else r.before end
       order by r.rule, r.from_quantity`,
    say: ({ a, b, c, d }) => ({
      what: worse
        ? `is dearer than the break before it: ${d ?? ""} ${a ?? ""} after ${b ?? ""} from ${c ?? ""}`
        : `gives what the break before it gives already: ${d ?? ""} ${a ?? ""} from ${c ?? ""}`,
      instruction: worse
        ? "Correct the break in the ERP: who buys more should not pay more a unit."
        : "Remove the break in the ERP; prices stay as they are.",
    }),
  } satisfies Check;
}

function overlaps({ company, today }: LintScope): Check {
  return {
    kind: "overlap",
    severity: "warning",
    record: "price-rule",
    sql: `with twins as (
        select rule, from_quantity, value, valid_from, valid_to, customer_scope, customer_code,
               product_scope, product_code, origin_id, origin_line,
               lag(rule) over place as other, lag(value) over place as other_value,
               max(coalesce(least(valid_to, (ends_at at time zone 'UTC')::date), 'infinity'::date)) over (place rows between unbounded preceding and 1 preceding) as other_end
          from price_rule p
         where company = ${company} and stack is null and ${notOver("p", today)}
        window place as (partition by customer_scope, customer_code, product_scope, product_code, kind,
                 currency, unit, net, sold_in, conditions, from_quantity, priority, contract is null
                 order by coalesce(valid_from, '-infinity'::date), rule))
      select ${RULE_ROW} as row, r.other as a, trim_scale(r.value)::text as b,
             trim_scale(r.other_value)::text as c, ${RULE_PLACE} as d,
             case when r.value = r.other_value then 'note' else 'warning' end as severity, ${ORIGIN}
        from twins r where r.other is not null and coalesce(r.valid_from, '-infinity'::date) <= r.other_end
       order by r.rule, r.from_quantity`,
    say: ({ a, b, c, d }) => ({
      what:
        b === c
          ? `says ${b ?? ""} for ${d ?? ""} once more, as ${a ?? ""} does on the same days`
          : `says ${b ?? ""} for ${d ?? ""} and ${a ?? ""} says ${c ?? ""} on the same days`,
      instruction: "End one of the two in the ERP; until then the policy decides between them.",
    }),
  };
}

function zeroPrices({ company, today, policy }: LintScope): Check {
  const notSet = "zero" in policy && policy.zero === "not-set";
  return {
    kind: "zero-price",
    severity: notSet ? "note" : "warning",
    record: "price-rule",
    sql: `select ${RULE_ROW} as row, ${RULE_PLACE} as a, r.kind as b, trim_scale(r.value)::text as c, ${ORIGIN}
        from price_rule r
       where r.company = ${company} and ${notOver("r", today)}
         and ((r.kind = 'fixed' and r.value = 0) or (r.kind = 'percent' and r.value >= 100)
              or (r.kind = 'markup' and r.value <= -100))
       order by r.rule, r.from_quantity`,
    say: ({ a, b, c }) => ({
      what:
        b === "fixed"
          ? `has the price 0 for ${a ?? ""}: ${notSet ? "by the policy it is not set" : "goods are given away"}`
          : `takes ${b ?? ""} ${c ?? ""} for ${a ?? ""}: nothing is left to pay`,
      instruction: notSet
        ? "Nothing need be done; set a price in the ERP if one is meant."
        : "Set the price in the ERP; if 0 means that none is set, use a policy that says so.",
    }),
  };
}

/** Cost is per pricing unit, in the company's own currency. */
const PER_PRICING_UNIT = `case when r.unit is null or r.unit = p.pricing_unit then r.value
  when r.unit = p.selling_unit then r.value * p.selling_units_per_pricing_unit end`;

function belowCost({ company, currency, today }: LintScope): Check {
  return {
    kind: "below-cost",
    severity: "warning",
    record: "price-rule",
    sql: `select ${RULE_ROW} as row, trim_scale(${PER_PRICING_UNIT})::text as a,
             trim_scale(p.standard_cost)::text as b, r.product_code as c, ${RULE_PLACE} as d, ${ORIGIN}
        from price_rule r join product p on p.company = r.company and p.product = r.product_code
       where r.company = ${company} and r.product_scope = 'product' and r.kind = 'fixed'
         and r.value > 0 and r.currency = ${currency} and ${PER_PRICING_UNIT} < p.standard_cost
         and ${notOver("r", today)}
       order by r.rule, r.from_quantity`,
    say: ({ a, b, c, d }) => ({
      what: `sells ${c ?? ""} at ${a ?? ""}, below its cost of ${b ?? ""} (${d ?? ""})`,
      instruction: "Correct the price or the cost in the ERP; leave it if it is meant.",
    }),
  };
}

/** A discount on a product, off the lowest standard price that holds on the day. */
function discountedBelowCost({ company, currency, today }: LintScope): Check {
  return {
    kind: "below-cost",
    severity: "warning",
    record: "price-rule",
    sql: `with standard as (
        select r.product_code as product, min(${PER_PRICING_UNIT}) as price
          from price_rule r join product p on p.company = r.company and p.product = r.product_code
         where r.company = ${company} and r.product_scope = 'product' and r.kind = 'fixed' and r.value > 0
           and r.from_quantity = 0 and r.currency = ${currency} and r.conditions is null
           and (r.customer_scope = 'everyone' or (r.customer_scope = 'price-list' and r.customer_code in (
                 select price_list from price_list where company = ${company} and standard)))
           and ${notOver("r", today)} and (r.valid_from is null or r.valid_from <= ${today}::date)
         group by 1),
      left_over as (
        select r.*, p.standard_cost, s.price,
               case when r.kind = 'percent' then s.price * (100 - r.value) / 100 else s.price - r.value end as net_price
          from price_rule r
          join product p on p.company = r.company and p.product = r.product_code
          join standard s on s.product = r.product_code
         where r.company = ${company} and r.product_scope = 'product' and r.formula is null
           and (r.kind = 'percent' or (r.kind = 'amount' and r.currency = ${currency} and (r.unit is null or r.unit = p.pricing_unit)))
           and ${notOver("r", today)})
      select ${RULE_ROW} as row, trim_scale(round(r.net_price, 4))::text as a, trim_scale(r.standard_cost)::text as b,
             r.product_code as c, trim_scale(r.price)::text as d, ${ORIGIN}
        from left_over r where r.net_price < r.standard_cost
       order by r.rule, r.from_quantity`,
    say: ({ a, b, c, d }) => ({
      what: `takes ${c ?? ""} from its standard price of ${d ?? ""} to ${a ?? ""}, below its cost of ${b ?? ""}`,
      instruction: "Correct the discount or the cost in the ERP; leave it if it is meant.",
    }),
  };
}
