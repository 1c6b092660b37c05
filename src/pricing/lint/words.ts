/** Rules and promotions whose words lead nowhere: conditions, formulas, offers that never hold. */
import { knownCustomers, knownProducts } from "./places.ts";
import { ORIGIN, RULE_ROW, literal, notOver } from "./check.ts";
import type { Check, LintScope } from "./check.ts";

/** `broken`: what is wrong with each distinct condition that cannot be read. */
export function wordChecks(scope: LintScope, broken: ReadonlyMap<string, string>): Check[] {
  return [
    ...(broken.size === 0 ? [] : [conditions(scope, broken)]),
    missingFormulas(scope),
    formulasWithoutList(scope),
    promotionOrphans(scope),
    deadPromotions(scope),
  ];
}

function conditions({ company }: LintScope, broken: ReadonlyMap<string, string>): Check {
  const texts = [...broken.keys()].map(literal).join(", ");
  return {
    kind: "conditions",
    severity: "error",
    record: "price-rule",
    sql: `select ${RULE_ROW} as row, r.conditions as a, ${ORIGIN}
        from price_rule r where r.company = ${company} and r.conditions in (${texts})
       order by r.rule, r.from_quantity`,
    say: ({ a }) => ({
      what: `has the conditions "${a ?? ""}": ${broken.get(a ?? "") ?? "they cannot be read"}`,
      instruction: 'Write them as "delivery=collect; channel=web|phone" in the mapping or the ERP.',
    }),
  };
}

function missingFormulas({ company, today }: LintScope): Check {
  return {
    kind: "formula",
    severity: "error",
    record: "price-rule",
    sql: `select ${RULE_ROW} as row, r.formula as a, ${ORIGIN}
        from price_rule r
       where r.company = ${company} and r.formula is not null and ${notOver("r", today)}
         and not exists (select from price_formula f where f.company = r.company and f.formula = r.formula)
       order by r.rule, r.from_quantity`,
    say: ({ a }) => ({
      what: `is worked out by formula ${a ?? ""}, which is not there`,
      instruction: "Pull the price formulas, or correct the code in the ERP.",
    }),
  };
}

function formulasWithoutList({ company }: LintScope): Check {
  return {
    kind: "formula",
    severity: "error",
    record: "price-formula",
    sql: `select r.formula as row, coalesce(r.price_list, '(blank)') as a, ${ORIGIN}
        from price_formula r
       where r.company = ${company} and r.basis = 'price-list'
         and not exists (select from price_list l where l.company = r.company and l.price_list = r.price_list)
         and not exists (select from price_rule u where u.company = r.company
                          and u.customer_scope = 'price-list' and u.customer_code = r.price_list)
       order by r.formula`,
    say: ({ a }) => ({
      what: `takes prices from price list ${a ?? ""}, which is not there`,
      instruction: "Correct the list of the formula in the ERP, or pull the price lists.",
    }),
  };
}

function promotionOrphans({ company, today }: LintScope): Check {
  return {
    kind: "orphan",
    severity: "error",
    record: "promotion",
    sql: `with customers as (${knownCustomers(company)}), products as (${knownProducts(company)})
      select r.promotion as row, w.a, ${ORIGIN}
        from promotion r
        cross join lateral (select case
          when r.customer_scope <> 'everyone' and not exists (
            select from customers k where k.scope = r.customer_scope and k.code = r.customer_code)
            then 'is for ' || replace(r.customer_scope, '-', ' ') || ' ' || r.customer_code || ', which is not there'
          when r.product_scope <> 'everything' and not exists (
            select from products k where k.scope = r.product_scope and k.code = r.product_code)
            then 'is on ' || replace(r.product_scope, '-', ' ') || ' ' || r.product_code || ', which is not there'
          when r.free_product is not null and not exists (
            select from products k where k.scope = 'product' and k.code = r.free_product)
            then 'gives product ' || r.free_product || ', which is not there' end as a) w
       where r.company = ${company} and w.a is not null and ${notOver("r", today)}
       order by r.promotion`,
    say: ({ a }) => ({
      what: a ?? "",
      instruction: "Correct the code in the ERP, or pull the records that it names.",
    }),
  };
}

function deadPromotions({ company, today }: LintScope): Check {
  return {
    kind: "promotion",
    severity: "warning",
    record: "promotion",
    sql: `select r.promotion as row, w.a,
             case when r.valid_to < ${today}::date then 'note' else 'warning' end as severity, ${ORIGIN}
        from promotion r
        cross join lateral (select case
          when r.valid_to < ${today}::date then 'ended on ' || to_char(r.valid_to, 'DD/MM/YYYY')
          when r.most_uses = 0 or r.most_uses_per_account = 0 or r.most_per_order = 0 then 'may be used 0 times'
          when r.budget = 0 then 'has a budget of 0'
          when r.kind in ('percent', 'amount') and coalesce(r.value, 0) = 0 then 'takes off nothing'
          when r.kind in ('fixed', 'multi-buy', 'bundle', 'threshold') and r.value is null then 'is a ' || r.kind || ' without a value'
          when r.kind in ('multi-buy', 'buy-get', 'bundle') and coalesce(r.buy_quantity, 0) = 0 then 'is a ' || r.kind || ' without a quantity to buy'
          when r.kind in ('buy-get', 'free-goods') and coalesce(r.free_quantity, 0) = 0 then 'gives no goods'
          when r.kind = 'threshold' and r.threshold_value is null and r.buy_quantity is null then 'is a threshold without a value from which it holds'
          end as a) w
       where r.company = ${company} and w.a is not null
       order by r.promotion`,
    say: ({ a }) => ({
      what: `${a ?? ""}, so it never holds`,
      instruction: "Complete the promotion in the ERP, or remove it.",
    }),
  };
}
