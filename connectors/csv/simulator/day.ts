/** One day in the life of the ERP. */
import { calendar, randomOf } from "../../../deploy/demo/merchant/index.ts";
import { creditReturn, rebateQuarter } from "./crediting.ts";
import type { Erp, Event } from "./erp.ts";
import { orderOfSale, stateOf } from "./orders.ts";
import { changePrices } from "./price-changes.ts";
import { deliver } from "./shipping.ts";

/** Goes to the next day and lets it happen. */
export function nextDay(erp: Erp): void {
  erp.day += 1;
  erp.random = randomOf(erp.seed, "erp", erp.day);
  takeSales(erp);
  for (const event of erp.agenda.take(erp.day)) carryOut(erp, event);
  if (calendar.weekdayOf(erp.day) === FRIDAY) erp.ledger.collect(erp.day);
  if (isQuarterDay(erp)) rebateQuarter(erp);
  if (!erp.keepsOrders()) archive(erp);
}

const FRIDAY = 4;

function takeSales(erp: Erp): void {
  for (const sale of erp.merchant.salesOn(erp.today())) {
    const order = orderOfSale(erp, sale, erp.today());
    if (order.number !== null) erp.changedOrders.add(order);
    const part = sale.delivery === "in two" ? "first" : "all";
    const delivery = { order, part, returned: sale.returned } as const;
    if (sale.delivery === "taken") deliver(erp, delivery);
    else erp.agenda.put(deliveryDay(erp, sale.leadDays), { kind: "deliver", delivery });
  }
}

function deliveryDay(erp: Erp, leadDays: number): number {
  return leadDays === 0 && calendar.isWorkingDay(erp.day)
    ? erp.day
    : calendar.workingDaysAfter(erp.day, Math.max(1, leadDays));
}

function carryOut(erp: Erp, event: Event): void {
  switch (event.kind) {
    case "deliver":
      return deliver(erp, event.delivery);
    case "credit":
      return creditReturn(erp, event.credit);
    default:
      return event satisfies never;
  }
}

/** The first working day of January, April, July and October. */
function isQuarterDay(erp: Erp): boolean {
  const [, month = "", day = ""] = erp.today().split("-");
  if (!["01", "04", "07", "10"].includes(month) || !calendar.isWorkingDay(erp.day)) return false;
  const first = erp.day - Number(day) + 1;
  return calendar.workingDaysAfter(first - 1, 1) === erp.day;
}

/** Completed orders of long ago leave the files. */
function archive(erp: Erp): void {
  for (const order of erp.changedOrders) {
    if (stateOf(order) === "complete") erp.changedOrders.delete(order);
  }
}

/** A day after the history: price changes too, every third working day. */
export function nextLiveDay(erp: Erp): void {
  nextDay(erp);
  if (calendar.isWorkingDay(erp.day) && erp.day % 3 === 0) changePrices(erp);
}
