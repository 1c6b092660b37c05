/**
 * What a shop sees of each kind, made by the database: one row a key with its body as JSON.
 * Decimals are texts without needless zeros, dates ISO; `$1` is the company.
 */
import { OPEN_LINES, OPEN_ORDERS } from "../orders/index.ts";
import { DOCUMENT_SALE } from "../sales/index.ts";

export const KINDS = ["product", "stock", "customer", "document"] as const;
export type Kind = (typeof KINDS)[number];

const figure = (column: string) => `trim_scale(${column})::text`;
/** As it stands in a ledger: 12.50. */
const money = (column: string) => `(${column})::numeric(18, 2)::text`;
/** As JSON texts of moments elsewhere: whole seconds or six places, in UTC. */
const moment = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

const PRODUCT = `
  select p.product as key, null::text as account, jsonb_build_object(
      'product', p.product, 'name', p.name, 'description', p.description,
      'productGroup', p.product_group, 'productGroupName', g.name, 'barcode', p.barcode,
      'sellingUnit', p.selling_unit, 'pricingUnit', p.pricing_unit,
      'sellingUnitsPerPricingUnit', ${figure("p.selling_units_per_pricing_unit")},
      'packQuantity', ${figure("p.pack_quantity")},
      'units', coalesce(u.units, '[]'::jsonb), 'vatCode', p.vat_code,
      'weightKg', ${figure("p.weight_kg")}, 'state', p.state, 'soldOnWeb', p.sold_on_web,
      'leastQuantity', ${figure("p.least_quantity")},
      'multipleQuantity', ${figure("p.multiple_quantity")}, 'replacedBy', p.replaced_by) as body
    from product p
    left join product_group g on g.company = p.company and g.product_group = p.product_group
    left join (select company, product, jsonb_agg(jsonb_build_object(
                 'unit', unit, 'sellingUnits', ${figure("selling_units")}) order by unit) as units
                 from product_unit where company = $1 group by company, product) u
      on u.company = p.company and u.product = p.product
   where p.company = $1`;

/**
 * Free is what lies there less what the ERP has promised, less our orders that it has not yet:
 * those it has not taken, and those it took after it last said something new of the stock.
 */
const STOCK = `
  select s.product as key, null::text as account, jsonb_build_object(
      'product', s.product,
      'free', ${figure("sum(s.on_hand_quantity - s.allocated_quantity) - coalesce(max(w.all), 0)")},
      'onHand', ${figure("sum(s.on_hand_quantity)")},
      'allocated', ${figure("sum(s.allocated_quantity)")},
      'waiting', ${figure("coalesce(max(w.all), 0)")},
      'onOrder', ${figure("sum(s.on_order_quantity)")},
      'nextDueOn', min(s.next_due_on)::text,
      'branches', jsonb_agg(jsonb_build_object(
        'branch', s.branch,
        'free', ${figure("s.on_hand_quantity - s.allocated_quantity - coalesce((w.of ->> s.branch)::numeric, 0)")},
        'onHand', ${figure("s.on_hand_quantity")},
        'allocated', ${figure("s.allocated_quantity")},
        'waiting', coalesce(w.of ->> s.branch, '0'),
        'onOrder', ${figure("s.on_order_quantity")},
        'nextDueOn', s.next_due_on::text,
        'countedAt', ${moment("coalesce(s.counted_at, s.learned_at)")}) order by s.branch)) as body
    from stock s
    left join (
      select product, sum(quantity) as all,
             jsonb_object_agg(branch, ${figure("quantity")}) filter (where branch is not null) as of
        from (select l.product, coalesce(l.branch, c.branch) as branch, sum(l.quantity) as quantity
                from ${OPEN_LINES} l
                join web_order o on o.company = l.company and o.number = l.web_order and not o.test
                left join customer c on c.company = l.company and c.account = o.account
                left join (select company, product, max(learned_at) as said_at
                             from stock where company = $1 group by company, product) said
                  on said.company = l.company and said.product = l.product
               where l.company = $1 and l.quantity > 0
                 and (l.taken_at is null or said.said_at is null or said.said_at < l.taken_at)
               group by 1, 2) open
       group by product) w on w.product = s.product
   where s.company = $1
   group by s.product`;

const CUSTOMER = `
  select c.account as key, c.account, jsonb_build_object(
      'account', c.account, 'name', c.name, 'tradingEntity', c.trading_entity,
      'headOffice', c.head_office, 'buyingGroup', c.buying_group,
      'customerGroup', c.customer_group, 'priceList', c.price_list,
      'furtherPriceLists', coalesce(l.lists, '[]'::jsonb), 'branch', c.branch,
      'currency', c.currency, 'country', c.country, 'vatNumber', c.vat_number,
      'termsDays', c.terms_days, 'termsBasis', c.terms_basis,
      'settlementPercent', ${figure("c.settlement_percent")}, 'settlementDays', c.settlement_days,
      'creditLimit', ${money("c.credit_limit")}, 'balance', ${money("c.balance")},
      'openOrders', ${money("coalesce(o.open, 0)")},
      'creditLeft', ${money("c.credit_limit - coalesce(c.balance, 0) - coalesce(o.open, 0)")},
      'onStop', c.on_stop, 'stopReason', c.stop_reason, 'cashAccount', c.cash_account,
      'state', c.state, 'email', c.email, 'telephone', c.telephone, 'postcode', c.postcode,
      'sites', coalesce(s.sites, '[]'::jsonb)) as body
    from customer c
    left join (select account, jsonb_agg(price_list order by position, price_list) as lists
                 from customer_price_list where company = $1 group by account) l
      on l.account = c.account
    left join (select account, sum(open) as open from ${OPEN_ORDERS} o where o.company = $1
                group by account) o on o.account = c.account
    left join (select account, jsonb_agg(jsonb_build_object(
                 'site', site, 'name', name, 'address1', address1, 'address2', address2,
                 'address3', address3, 'town', town, 'county', county, 'postcode', postcode,
                 'country', country, 'standard', standard, 'state', state) order by site) as sites
                 from site where company = $1 group by account) s on s.account = c.account
   where c.company = $1`;

const DOCUMENT = `
  select d.document_type || '/' || d.document as key, d.account, jsonb_build_object(
      'documentType', d.document_type, 'document', d.document, 'account', d.account,
      'documentOn', d.document_on::text, 'channel', coalesce(ch.channel, d.channel),
      'currency', d.currency, 'customerReference', d.customer_reference, 'erpOrder', d.erp_order,
      'webOrder', coalesce(ch.web_order, d.web_order),
      'net', ${money("d.net")}, 'vat', ${money("d.vat")}, 'gross', ${money("d.gross")},
      'outstanding', ${money("t.outstanding")}, 'dueOn', t.due_on::text) as body
    from sales_document d
    left join lateral ${DOCUMENT_SALE} ch on true
    left join lateral (select t.outstanding, t.due_on from ledger_transaction t
                        where t.company = d.company and t.document = d.document
                          and t.kind = d.document_type
                        order by t.transaction limit 1) t on true
   where d.company = $1`;

export const VIEWS: Readonly<Record<Kind, string>> = {
  product: PRODUCT,
  stock: STOCK,
  customer: CUSTOMER,
  document: DOCUMENT,
};
