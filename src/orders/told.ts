/** What shops are told of orders: which one, where it stands; never prices, names or addresses. */
import { noteEvents } from "../notify/index.ts";
import type { Queryable } from "../store/index.ts";
import { ACCOUNT_STATES } from "./buyers/account-states.ts";
import { RETURN_STATES } from "./buyers/return-store.ts";
import { DELIVERY_STATES, fulfilment, type DeliveryState, type Quantities } from "./machine.ts";

/** Every type that an event of orders can have; webhooks choose among them. */
export const EVENT_TYPES: readonly string[] = [
  ...DELIVERY_STATES.map((state) => `order.${state}`),
  "order.fulfilment",
  "order.amended",
  "order.change-asked",
  "order.change-refused",
  "order.changed-in-erp",
  ...ACCOUNT_STATES.map((state) => `account-request.${state}`),
  ...RETURN_STATES.map((state) => `return.${state}`),
];

/** Of the types asked for, those that no event can have; `order.*` and `order.h*` are many. */
export function unknownEventTypes(types: readonly string[]): string[] {
  return types.filter((type) =>
    type.endsWith("*")
      ? !EVENT_TYPES.some((known) => known.startsWith(type.slice(0, -1)))
      : !EVENT_TYPES.includes(type),
  );
}

/** What an event says of its order. */
export interface ToldOrder {
  readonly number: string;
  readonly id: string;
  readonly state: DeliveryState;
  readonly version: number;
  readonly erpOrder: string | null;
  readonly test: boolean;
}

interface Happened {
  readonly at: Temporal.Instant;
  readonly states: readonly DeliveryState[];
}

/** `order.received`, and `order.<state>` for every state it comes to. */
export async function noteOrder(
  tx: Queryable,
  company: string,
  order: ToldOrder,
  happened: Happened,
): Promise<void> {
  await noteOrders(tx, company, [{ ...order, ...happened }]);
}

/** The same for many at once, in one statement. */
export async function noteOrders(
  tx: Queryable,
  company: string,
  orders: readonly (ToldOrder & Happened)[],
): Promise<void> {
  const events = orders.flatMap(({ at, states, ...order }) =>
    states.map((state) => ({
      type: `order.${state}`,
      subject: subjectOf(order.number),
      at,
      data: dataOf({ ...order, state }),
    })),
  );
  await noteEvents(tx, company, events);
}

export type ChangeEvent =
  | "order.amended"
  | "order.change-asked"
  | "order.change-refused"
  | "order.changed-in-erp";

/** Something happened to an order that stays in its state. */
export async function noteChanged(
  tx: Queryable,
  order: ToldOrder & { readonly company: string },
  type: ChangeEvent,
  at: Temporal.Instant,
): Promise<void> {
  const event = { type, subject: subjectOf(order.number), at, data: dataOf(order) };
  await noteEvents(tx, order.company, [event]);
}

function subjectOf(number: string): string {
  return `order/${number}`;
}

function dataOf({ number, id, state, version, erpOrder, test }: ToldOrder) {
  return { webOrder: number, id, state, version, erpOrder, test };
}

type Line = ToldOrder & Readonly<Record<keyof Quantities, string>>;

/** `order.fulfilment`, with the word for its lines together, for orders whose lines have moved. */
export async function noteFulfilment(
  tx: Queryable,
  company: string,
  orders: readonly string[],
  at: Temporal.Instant,
): Promise<void> {
  if (orders.length === 0) return;
  // Whole numbers of the smallest quantity that a line can hold.
  const units = (column: string) => `trunc(l.${column} * 100000)::text`;
  const lines = await tx.query<Line>(
    `select o.id, o.number, o.state, o.version, o.erp_order as "erpOrder", o.test,
            ${units("quantity")} as ordered, ${units("despatched_quantity")} as despatched,
            ${units("invoiced_quantity")} as invoiced, ${units("credited_quantity")} as credited,
            ${units("cancelled_quantity")} as cancelled
       from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
      where o.company = $1 and o.id = any($2::uuid[]) order by o.id, l.line`,
    [company, orders],
  );
  const events = [...Map.groupBy(lines, ({ id }) => id).values()].flatMap((of) => {
    const [order] = of;
    if (order === undefined) return [];
    const data = { ...dataOf(order), fulfilment: fulfilment(of.map(quantitiesOf)) };
    return [{ type: "order.fulfilment", subject: subjectOf(order.number), at, data }];
  });
  await noteEvents(tx, company, events);
}

function quantitiesOf(line: Line): Quantities {
  return {
    ordered: BigInt(line.ordered),
    despatched: BigInt(line.despatched),
    invoiced: BigInt(line.invoiced),
    credited: BigInt(line.credited),
    cancelled: BigInt(line.cancelled),
  };
}
