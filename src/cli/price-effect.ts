/** What a round, or a change that waits, does to what customers pay. */
import type { ProposedEffect } from "../pricing/index.ts";
import { count, moment, price, table } from "./print.ts";

const MOST = 10;

export function effectText(effect: ProposedEffect, timeZone: string): string {
  const { at, pairs, up, down, otherwise, customers, products, looked, whole } = effect;
  const head = [
    `paid      from ${moment(at, timeZone)} ${counted(customers, "customer")} would pay another price for ${counted(products, "product")}:`,
    `          of ${counted(looked, "price")} ${count(pairs)} would be others: ${count(up)} up, ${count(down)} down, ${count(otherwise)} come or go`,
    ...(whole ? [] : ["          (not all were looked at: there are too many)"]),
  ].join("\n");
  if (effect.changes.length === 0) return head;
  return [
    head,
    "",
    table(effect.changes.slice(0, MOST), [
      { head: "customer", of: ({ account }) => account },
      { head: "and others", right: true, of: ({ accounts }) => count(accounts - 1) },
      { head: "product", of: ({ product }) => product },
      { head: "from", right: true, of: ({ quantity }) => quantity },
      { head: "pays", right: true, of: ({ before }) => priceText(before) },
      { head: "would pay", right: true, of: ({ after }) => priceText(after) },
      { head: "%", right: true, of: ({ percent }) => percent ?? "–" },
    ]),
  ].join("\n");
}

function counted(of: number, what: string): string {
  return `${count(of)} ${what}${of === 1 ? "" : "s"}`;
}

function priceText(amount: string | null): string {
  return amount === null ? "no price" : price(amount);
}
