/** What a person has to do about a return: one task, whose words change as the return goes on. */
import { decimal } from "../../model/index.ts";
import type { Queryable, Transaction } from "../../store/index.ts";
import type { OrdersContext } from "../context.ts";
import { closeTask, listTasks, openTask, type TaskEnd } from "../tasks.ts";
import type { ReturnRow } from "./return-store.ts";

export async function openReturnTask(
  tx: Queryable,
  { company, now }: OrdersContext,
  row: ReturnRow,
  instruction: string,
): Promise<void> {
  const task = { order: row.orderId, kind: "return", about: row.number } as const;
  await openTask(tx, company, { ...task, instruction, amount: row.amount }, now());
}

export async function endReturnTask(
  tx: Queryable,
  { company, now }: OrdersContext,
  { number }: ReturnRow,
  end: Omit<TaskEnd, "id">,
): Promise<void> {
  const tasks = await listTasks(tx, company, { kind: "return" });
  for (const { id } of tasks.filter(({ about }) => about === number))
    await closeTask(tx, company, { id, ...end }, now());
}

/** It is in the ERP: its credit note ends it, or the other goods that a person sends. */
export async function whatFollows(
  tx: Transaction,
  context: OrdersContext,
  row: ReturnRow,
  end: { readonly who: string; readonly reason: string },
): Promise<void> {
  if (row.wanted === "credit") await endReturnTask(tx, context, row, { state: "done", ...end });
  else await openReturnTask(tx, context, row, replaceIt(row));
}

export function decideIt(row: ReturnRow): string {
  return (
    `${row.account} gives back of invoice ${row.invoice} ${goodsOf(row)}. ` +
    `Decide: returns agree ${row.number}, or refuse it.`
  );
}

export function wait(row: ReturnRow): string {
  return `Return ${row.number} is agreed and on its way into the ERP: nothing is to be done yet.`;
}

export function enterIt(row: ReturnRow): string {
  return (
    `Take back of invoice ${row.invoice} (${row.account}) ${goodsOf(row)}. ` +
    (row.wanted === "credit"
      ? `Credit it in the ERP against these lines, with ${row.number} as the customer's reference.`
      : sendAgain(row))
  );
}

/** It is in the ERP; the other goods are a person's. */
export function replaceIt(row: ReturnRow): string {
  const there = row.erpReturn === null ? "in the ERP" : `return ${row.erpReturn} in the ERP`;
  return `Return ${row.number} is ${there} (${goodsOf(row)}). ${sendAgain(row)}`;
}

function sendAgain({ number }: ReturnRow): string {
  return (
    `Send the same goods again, with ${number} as the reference, then: ` +
    `returns replaced ${number} --by the number of the order or despatch that brings them.`
  );
}

export function lookForIt({ number }: ReturnRow): string {
  return (
    `Look in the ERP whether return ${number} is there. It is: returns entered ${number} ` +
    `--erp-return NUMBER. It is not: returns agree ${number} once more.`
  );
}

function goodsOf({ lines }: ReturnRow): string {
  return lines
    .map(({ line, product, quantity }) => `line ${line}: ${plain(quantity)} of ${product ?? "?"}`)
    .join("; ");
}

function plain(text: string): string {
  return decimal.canonical(decimal.parse(text));
}
