/** The desk: what people see of orders and do to them. */
import { audited, type Act } from "./audit.ts";
import { cancel, release, resolve, sendAgain, type Release } from "./acts.ts";
import { afterReturnTask } from "./buyers/index.ts";
import {
  amend,
  cancelOrder,
  type AskedAmendment,
  type AskedCancellation,
  type ChangeResult,
} from "./changes/ask.ts";
import { afterTask, termsOfTask } from "./changes/ended.ts";
import type { OrdersContext } from "./context.ts";
import { desk, type Desk } from "./desk-list.ts";
import {
  exported,
  exportPage,
  type ExportedOrder,
  type ExportPage,
  type ExportSpan,
} from "./export.ts";
import { afterRefund } from "./refunds.ts";
import type { Resolution } from "./resolve.ts";
import {
  closeTask,
  holdOrderOf,
  listTasks,
  type Task,
  type TaskEnd,
  type TaskFilter,
} from "./tasks.ts";
import type { Seen } from "./book.ts";
import { list, show, type OrderListFilter, type OrderSummary, type OrderView } from "./view.ts";

export interface OrderDesk {
  /** Lets a held order go on its way. */
  release(idOrNumber: string, act: Release): Promise<OrderView>;
  /** A person gives an order up; what the ERP has of it is cancelled there, or becomes a task. */
  cancel(idOrNumber: string, act: Act): Promise<OrderView>;
  /** A conflict or a doubt is settled: the order stands in the ERP. */
  resolve(idOrNumber: string, asked: Resolution): Promise<OrderView>;
  /** For an order in doubt that a person did not find in the ERP, or one it refused, mended. */
  sendAgain(idOrNumber: string, act: Act): Promise<OrderView>;
  /** The whole order anew, as it is to be. */
  amend(idOrNumber: string, asked: AskedAmendment): Promise<ChangeResult>;
  /** The whole order, or some of its lines, not to be. */
  cancelPart(idOrNumber: string, asked: AskedCancellation): Promise<ChangeResult>;
  list(filter?: OrderListFilter): Promise<OrderSummary[]>;
  /** `whose`: absent: all, as a person sees them. */
  show(idOrNumber: string, seen?: Seen): Promise<OrderView>;
  /** What waits for a person. */
  desk(): Promise<Desk>;
  tasks(filter?: TaskFilter): Promise<Task[]>;
  closeTask(end: TaskEnd): Promise<Task>;
  /** Orders of a span of days with everything that happened to them, oldest first. */
  exported(span: ExportSpan): AsyncIterable<ExportedOrder>;
  /** A page of the same; `after`: the `next` of the page before. */
  exportPage(
    span: ExportSpan,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<ExportPage>;
}

export function openDesk(context: OrdersContext): OrderDesk {
  return {
    release: (idOrNumber, act) => release(context, idOrNumber, act),
    cancel: (idOrNumber, act) => cancel(context, idOrNumber, act),
    resolve: (idOrNumber, asked) => resolve(context, idOrNumber, asked),
    sendAgain: (idOrNumber, act) => sendAgain(context, idOrNumber, act),
    amend: (idOrNumber, asked) => amend(context, idOrNumber, asked),
    cancelPart: (idOrNumber, asked) => cancelOrder(context, idOrNumber, asked),
    list: (filter) => list(context, filter),
    show: (idOrNumber, whose) => show(context, idOrNumber, whose),
    desk: () => desk(context),
    tasks: (filter) => listTasks(context.store, context.company, filter),
    closeTask: (end) => endTask(context, end),
    exported: (span) => exported(context, span),
    exportPage: (span, page) => exportPage(context, span, page),
  };
}

/** A change that waited for the task goes on with it. Its order is held first, as by all else. */
async function endTask(context: OrdersContext, end: TaskEnd): Promise<Task> {
  const reckoning = await termsOfTask(context, end);
  return context.store.transaction(async (tx) => {
    await holdOrderOf(tx, context.company, end.id);
    const task = await closeTask(tx, context.company, end, context.now());
    await afterTask(tx, reckoning, task);
    await afterRefund(tx, context.company, task, context.now());
    await afterReturnTask(tx, context, task);
    const { who, reason, state } = end;
    await audited(tx, context, { who, reason, action: `order-task-${state}`, subject: task.id });
    return task;
  });
}
