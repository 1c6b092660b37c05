/** What a round, or a change that waits, does to what customers pay. */
import type { ProposedEffect } from "../pricing/index.ts";
import { count, moment, price, table } from "./print.ts";

const MOST = 10;

export function effectText(effect: ProposedEffect, timeZone: string): string {
  const { at, pairs, up, down, otherwise, customers, products, looked, whole } = effect;
  const head = `pays      on ${moment(at, timeZone)}: ${count(customers)} customers another price for ${count(products)} products (${count(pairs)} prices: ${count(up)} up, ${count(down)} down, ${count(otherwise)} come or go); ${count(looked)} looked at${whole ? "" : ", not all: there are too many"}`;
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

function priceText(amount: string | null): string {
  return amount === null ? "no price" : price(amount);
}
