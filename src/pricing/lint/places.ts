/** Rules that name what is not there, or that no step of the policy and no customer reaches. */
import type { Place, Policy } from "../engine/index.ts";
import { ORIGIN, RULE_PLACE, RULE_ROW, literal, notOver } from "./check.ts";
import type { Check, LintScope } from "./check.ts";

export function placeChecks(scope: LintScope): Check[] {
  return [
    orphansOf(scope, CUSTOMERS),
    orphansOf(scope, PRODUCTS),
    orphanUnits(scope),
    orphanCurrencies(scope),
    notInPolicy(scope),
    emptyLists(scope),
    neverHolds(scope),
    ended(scope),
  ];
}

/** Every code that a customer scope can name; groups are those that some customer is in. */
export function knownCustomers(company: string): string {
  const of = (name: string, table: string, column: string) =>
    `select '${name}' as scope, ${column} as code from ${table} where company = ${company} and ${column} is not null`;
  return [
    of("account", "customer", "account"),
    of("head-office", "customer", "head_office"),
    of("head-office", "customer", "account"),
    of("buying-group", "customer", "buying_group"),
    of("customer-group", "customer", "customer_group"),
    of("branch", "branch", "branch"),
    of("branch", "customer", "branch"),
    of("price-list", "price_list", "price_list"),
    of("price-list", "customer", "price_list"),
    of("price-list", "customer_price_list", "price_list"),
    `select 'site', account || '/' || site from site where company = ${company}`,
  ].join("\nunion ");
}

export function knownProducts(company: string): string {
  return `select 'product' as scope, product as code from product where company = ${company}
    union select 'product-group', product_group from product_group where company = ${company}
    union select 'product-group', product_group from product where company = ${company} and product_group is not null`;
}

interface Side {
  /** Columns of a price rule: what kind of thing it is for, and which. */
  readonly scope: string;
  readonly code: string;
  /** The scope that names nothing. */
  readonly all: string;
  readonly known: (company: string) => string;
  /** "for" or "on". */
  readonly preposition: string;
}

const CUSTOMERS: Side = {
  scope: "customer_scope",
  code: "customer_code",
  all: "everyone",
  known: knownCustomers,
  preposition: "for",
};

const PRODUCTS: Side = {
  scope: "product_scope",
  code: "product_code",
  all: "everything",
  known: knownProducts,
  preposition: "on",
};

function orphansOf({ company, today }: LintScope, side: Side): Check {
  const { scope, code, all, known, preposition } = side;
  return {
    kind: "orphan",
    severity: "error",
    record: "price-rule",
    sql: `with known as (${known(company)})
      select ${RULE_ROW} as row, r.${scope} as a, r.${code} as b, ${ORIGIN}
        from price_rule r left join known k on k.scope = r.${scope} and k.code = r.${code}
       where r.company = ${company} and r.${scope} <> '${all}' and k.code is null
         and ${notOver("r", today)}
       order by r.rule, r.from_quantity`,
    say: ({ a, b }) => ({
      what: `is ${preposition} ${spoken(a)} ${b ?? "(blank)"}, which is not there`,
      instruction: `Correct the code in the ERP, or pull the ${spoken(a)}s.`,
    }),
  };
}

function orphanUnits({ company, today }: LintScope): Check {
  return {
    kind: "orphan",
    severity: "error",
    record: "price-rule",
    sql: `select ${RULE_ROW} as row, case when u.odd_unit then r.unit else r.sold_in end as a,
             r.product_code as b, p.pricing_unit as c, p.selling_unit as d, ${ORIGIN}
        from price_rule r
        join product p on p.company = r.company and p.product = r.product_code
        cross join lateral (select
          r.unit is not null and r.unit not in (p.pricing_unit, p.selling_unit) and not exists (
            select from product_unit o where o.company = r.company and o.product = p.product and o.unit = r.unit) as odd_unit,
          r.sold_in is not null and r.sold_in <> p.selling_unit and not exists (
            select from product_unit o where o.company = r.company and o.product = p.product and o.unit = r.sold_in) as odd_sold) u
       where r.company = ${company} and r.product_scope = 'product'
         and (r.unit is not null or r.sold_in is not null) and (u.odd_unit or u.odd_sold)
         and ${notOver("r", today)}
       order by r.rule, r.from_quantity`,
    say: ({ a, b, c, d }) => ({
      what: `is per or sold in ${a ?? ""}; ${b ?? ""} is priced per ${c ?? ""} and sold in ${d ?? ""}`,
      instruction: "Correct the unit in the ERP, or pull the product's further units.",
    }),
  };
}

function orphanCurrencies({ company, currency, today }: LintScope): Check {
  return {
    kind: "orphan",
    severity: "warning",
    record: "price-rule",
    sql: `with known as (select distinct currency from customer where company = ${company} union select ${currency})
      select ${RULE_ROW} as row, r.currency as a, ${ORIGIN}
        from price_rule r left join known k on k.currency = r.currency
       where r.company = ${company} and r.kind in ('fixed', 'amount') and k.currency is null
         and ${notOver("r", today)}
       order by r.rule, r.from_quantity`,
    say: ({ a }) => ({
      what: `is in ${a ?? ""}, in which no customer buys`,
      instruction: "Correct the currency in the ERP, or leave the rule: it is never used.",
    }),
  };
}

/** Places that the policy's steps draw from, and its base. */
function placesOf(policy: Policy): Place[] {
  const steps = policy.steps.flatMap((step) =>
    step.draw === "rules" || step.draw === "promotions" ? step.places : [],
  );
  return [...policy.base, ...steps];
}

function notInPolicy({ company, today, policy }: LintScope): Check {
  const drawn = placesOf(policy).map(
    ({ customer, product }) => `(${literal(customer)}, ${literal(product)})`,
  );
  return {
    kind: "unreachable",
    severity: "error",
    record: "price-rule",
    sql: `select ${RULE_ROW} as row, ${RULE_PLACE} as a, ${ORIGIN}
        from price_rule r
       where r.company = ${company} and (r.customer_scope, r.product_scope) not in (${[...new Set(drawn)].join(", ")})
         and ${notOver("r", today)}
       order by r.rule, r.from_quantity`,
    say: ({ a }) => ({
      what: `is for ${a ?? ""}: no step of the policy "${policy.policy}" looks there`,
      instruction: "Use a policy that does, or map the rule to a place where the ERP has it.",
    }),
  };
}

/** Lists and bands that are known, and that no customer is on. */
function emptyLists({ company, today }: LintScope): Check {
  return {
    kind: "unreachable",
    severity: "warning",
    record: "price-rule",
    sql: `with used as (
        select price_list from customer where company = ${company}
        union select price_list from customer_price_list where company = ${company}
        union select price_list from price_list where company = ${company} and standard
        union select price_list from price_formula where company = ${company}),
      listed as (select price_list from price_list where company = ${company})
      select ${RULE_ROW} as row, r.customer_code as a, ${ORIGIN}
        from price_rule r join listed l on l.price_list = r.customer_code
        left join used u on u.price_list = r.customer_code
       where r.company = ${company} and r.customer_scope = 'price-list' and u.price_list is null
         and ${notOver("r", today)}
       order by r.rule, r.from_quantity`,
    say: ({ a }) => ({
      what: `is on price list ${a ?? ""}, which no customer is on`,
      instruction: "Put customers on the list in the ERP, or remove it.",
    }),
  };
}

function neverHolds({ company, today }: LintScope): Check {
  return {
    kind: "unreachable",
    severity: "warning",
    record: "price-rule",
    sql: `select ${RULE_ROW} as row,
             case when r.to_quantity < r.from_quantity
                  then 'holds from ' || trim_scale(r.from_quantity) || ' up to ' || trim_scale(r.to_quantity) || ': no quantity is in between'
                  when r.from_quantity > r.contract_quantity
                  then 'holds from ' || trim_scale(r.from_quantity) || ', and its contract covers ' || trim_scale(r.contract_quantity)
                  else 'is of a contract whose ' || trim_scale(r.contract_quantity) || ' are all used' end as a, ${ORIGIN}
        from price_rule r
       where r.company = ${company} and ${notOver("r", today)}
         and (r.to_quantity < r.from_quantity or r.from_quantity > r.contract_quantity
              or r.contract_used_quantity >= r.contract_quantity)
       order by r.rule, r.from_quantity`,
    say: ({ a }) => ({
      what: a ?? "",
      instruction: "Correct the quantities in the ERP, or remove the rule.",
    }),
  };
}

function ended({ company, today }: LintScope): Check {
  return {
    kind: "ended",
    severity: "note",
    record: "price-rule",
    sql: `select ${RULE_ROW} as row, to_char(r.valid_to, 'DD/MM/YYYY') as a, ${ORIGIN}
        from price_rule r where r.company = ${company} and r.valid_to < ${today}::date
       order by r.rule, r.from_quantity`,
    say: ({ a }) => ({
      what: `ended on ${a ?? ""} and never holds again`,
      instruction: "Nothing need be done; the ERP can be tidied.",
    }),
  };
}

function spoken(scope: string | null | undefined): string {
  return (scope ?? "").replaceAll("-", " ");
}
