/** The parts of a web order by the paths that an order's mapping may name. */
import type {
  WebOrder,
  WebOrderAddress,
  WebOrderCharge,
  WebOrderGuest,
  WebOrderLine,
  WebOrderPayment,
} from "../model/index.ts";

/** What a part holds, as far as writing it differs. */
export type PartKind = "text" | "date" | "decimal" | "number";

type Parts<Shape> = { readonly [Part in keyof Shape]: PartKind };

/** Typed by the web order itself: a part added there is an error here until it has a path. */
export const ORDER_PARTS: Parts<
  Omit<WebOrder, "lines" | "charges" | "payment" | "conditions" | "deliverTo" | "guest">
> = {
  webOrder: "text",
  account: "text",
  orderedOn: "date",
  placedBy: "text",
  placedByName: "text",
  customerReference: "text",
  site: "text",
  accountRequest: "text",
  branch: "text",
  requestedOn: "date",
  currency: "text",
  net: "decimal",
  vat: "decimal",
  gross: "decimal",
};

export const PAYMENT_PARTS: Parts<WebOrderPayment> = {
  provider: "text",
  reference: "text",
  amount: "decimal",
};

export const ADDRESS_PARTS: Parts<WebOrderAddress> = {
  name: "text",
  address1: "text",
  address2: "text",
  address3: "text",
  town: "text",
  county: "text",
  postcode: "text",
  country: "text",
  contact: "text",
  telephone: "text",
  email: "text",
};

export const GUEST_PARTS: Parts<WebOrderGuest> = {
  name: "text",
  email: "text",
  telephone: "text",
};

/** Parts of the order that have parts of their own, and may be null. */
const NESTED = { payment: PAYMENT_PARTS, deliverTo: ADDRESS_PARTS, guest: GUEST_PARTS } as const;

export const LINE_PARTS: Parts<WebOrderLine> = {
  line: "number",
  product: "text",
  quantity: "decimal",
  unitPrice: "decimal",
  discount: "decimal",
  net: "decimal",
  vatCode: "text",
  vat: "decimal",
  orderedUnit: "text",
  orderedQuantity: "decimal",
};

export const CHARGE_PARTS: Parts<WebOrderCharge> = {
  charge: "text",
  description: "text",
  net: "decimal",
  vatCode: "text",
  vat: "decimal",
};

export type OrderList = "lines" | "charges";

/** What one row of a table is written from. */
export interface RowOf {
  readonly order: WebOrder;
  /** A line or a charge; null in a table without `each:`. */
  readonly item: Readonly<Record<string, unknown>> | null;
  readonly list: OrderList | null;
  /** The line's own number; charges are numbered on behind the lines, or 1, 2, 3 … alone. */
  readonly n: number;
}

export interface OrderPath {
  readonly kind: PartKind;
  readonly read: (row: RowOf) => unknown;
}

/** Of a condition of the order: `conditions.delivery`; undefined: the path names none. */
export function conditionPath(path: string): OrderPath | undefined {
  const [, attribute] = /^conditions\.(.+)$/.exec(path) ?? [];
  if (attribute === undefined) return undefined;
  return { kind: "text", read: ({ order }) => conditionsOf(order)[attribute] };
}

/** An order that was kept by an earlier release, or an example, may have none. */
function conditionsOf({ conditions }: Partial<WebOrder>): WebOrder["conditions"] {
  return conditions ?? {};
}

/** All of them, by name: "channel=web, delivery=collect"; null: there are none. */
function conditionsText(order: WebOrder): string | null {
  const pairs = Object.entries(conditionsOf(order)).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? null : pairs.sort().join(", ");
}

/** Every path that a table over these lists may name, besides those of single conditions. */
export function orderPaths(lists: readonly OrderList[]): ReadonlyMap<string, OrderPath> {
  const paths = new Map<string, OrderPath>([["n", { kind: "number", read: ({ n }) => n }]]);
  for (const [part, kind] of Object.entries(ORDER_PARTS))
    paths.set(part, { kind, read: ({ order }) => order[part as keyof typeof ORDER_PARTS] });
  paths.set("conditions", { kind: "text", read: ({ order }) => conditionsText(order) });
  for (const name of ["payment", "deliverTo", "guest"] as const)
    for (const [part, kind] of Object.entries(NESTED[name]))
      paths.set(`${name}.${part}`, { kind, read: ({ order }) => partOf(order[name], part) });
  if (lists.length > 0) paths.set("item.list", { kind: "text", read: ({ list }) => list });
  for (const list of lists)
    for (const [part, kind] of Object.entries(list === "lines" ? LINE_PARTS : CHARGE_PARTS))
      paths.set(`item.${part}`, { kind, read: ({ item }) => item?.[part] });
  return paths;
}

/** An order that was kept by an earlier release has no such part at all. */
function partOf(nested: object | null | undefined, part: string): unknown {
  return Object.entries(nested ?? {}).find(([name]) => name === part)?.[1];
}
