/**
 * What a person has to do about web orders, since no part of Tradepost can. A task is opened once
 * for its order, kind and subject, whatever is repeated; whoever closes it says why.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Queryable } from "../store/index.ts";
import { OrderError } from "./error.ts";

export const TASK_KINDS = [
  /** Money to give back to the buyer. */
  "refund",
  /** A payment taken, to be entered in the ERP. */
  "receipt",
  /** A change that the connector cannot make in the ERP. */
  "amend",
  /** A cancellation that the connector cannot make in the ERP. */
  "cancel",
  /** Goods that come back. */
  "return",
  /** A customer to be made in the ERP. */
  "account",
  /** Something to look into. */
  "look",
] as const;
export type TaskKind = (typeof TASK_KINDS)[number];
export type TaskState = "open" | "done" | "dropped";

export interface NewTask {
  /** The order's id; null: about no order. */
  readonly order: string | null;
  readonly kind: TaskKind;
  /** What tells it from another task of its kind and order: opening the same again makes none. */
  readonly about: string;
  /** What to do, in a sentence. */
  readonly instruction: string;
  /** Money at stake, decimal text; null: none. */
  readonly amount: string | null;
}

export interface Task extends NewTask {
  readonly id: string;
  /** The order's number; null: about no order. */
  readonly webOrder: string | null;
  readonly state: TaskState;
  readonly openedAt: Temporal.Instant;
  readonly closedAt: Temporal.Instant | null;
  readonly closedBy: string | null;
  readonly reason: string | null;
  /** What it can be found by where it was done: the refund's number, the receipt's. */
  readonly reference: string | null;
}

/**
 * Opens a task, and writes it into the book of its order. The same task again changes what an open
 * one says, and never opens a closed one.
 */
export async function openTask(
  tx: Queryable,
  company: string,
  task: NewTask,
  at: Temporal.Instant,
): Promise<{ readonly id: string; readonly opened: boolean }> {
  const id = randomUUIDv7();
  const subject = task.order ?? "-";
  const opened = await tx.affect(
    `insert into web_order_task
       (company, id, order_id, subject, kind, about, instruction, amount, state, opened_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9)
     on conflict (company, subject, kind, about) do nothing`,
    [company, id, task.order, subject, task.kind, task.about, task.instruction, task.amount, at],
  );
  if (opened === 1) {
    await writeInBook(tx, company, task.order, {
      event: "task",
      at,
      who: "tradepost",
      about: `For a person: ${task.about}. ${task.instruction}`,
    });
    return { id, opened: true };
  }
  const [there] = await tx.query<{ id: string }>(
    `update web_order_task
        set instruction = case when state = 'open' then $5 else instruction end,
            amount = case when state = 'open' then $6 else amount end
      where company = $1 and subject = $2 and kind = $3 and about = $4 returning id`,
    [company, subject, task.kind, task.about, task.instruction, task.amount],
  );
  return { id: there?.id ?? id, opened: false };
}

/** How a task ended, by whom and why. */
export interface TaskEnd {
  readonly id: string;
  /** dropped: it need not be done any more. */
  readonly state: "done" | "dropped";
  readonly who: string;
  readonly reason: string;
  /** What it can be found by where it was done; a refund that is done must have it. */
  readonly reference?: string | null;
}

/** Whoever moves an order holds its row before its tasks: so does whoever closes one. */
export async function holdOrderOf(tx: Queryable, company: string, task: string): Promise<void> {
  await tx.query(
    `select 1 from web_order
      where company = $1
        and id = (select order_id from web_order_task where company = $1 and id::text = $2)
        for update`,
    [company, task],
  );
}

/**
 * A refund that nobody owed any more can be closed as done still: it was paid before that was
 * known, and counts.
 */
export async function closeTask(
  tx: Queryable,
  company: string,
  end: TaskEnd,
  at: Temporal.Instant,
): Promise<Task> {
  const reference = end.reference ?? null;
  const closed = await tx.affect(
    `update web_order_task
        set state = $3, closed_at = $4, closed_by = $5, reason = $6, reference = $7
      where company = $1 and id::text = $2
        and (state = 'open' or kind = 'refund' and state = 'dropped' and closed_by = 'tradepost'
                               and $3 = 'done')`,
    [company, end.id, end.state, at, end.who, end.reason, reference],
  );
  const [task] = await readTasks(tx, company, "id::text = $2", [end.id]);
  if (task === undefined)
    throw new OrderError(
      "task-unknown",
      `Closing a task: ${company} has none with the id "${end.id}". List them with: ` +
        "tradepost orders tasks",
    );
  if (closed === 0)
    throw new OrderError(
      "task-closed",
      `Closing task ${end.id}: it is "${task.state}" already, by ${task.closedBy ?? "tradepost"}.`,
    );
  if (task.kind === "refund" && end.state === "done" && reference === null)
    throw new OrderError(
      "task-needs-reference",
      `Closing task ${end.id}: a refund is closed with the reference it can be found by at whoever ` +
        "paid it. Give it, or drop the task with the reason why nothing is refunded.",
    );
  await writeInBook(tx, company, task.order, {
    event: "task",
    at,
    who: end.who,
    about: `${end.state === "done" ? "Done" : "Dropped"}: ${task.about}. ${end.reason}`,
  });
  return task;
}

export interface TaskFilter {
  /** Default: open ones. */
  readonly state?: TaskState | "all";
  readonly kind?: TaskKind;
  /** An order's id, or those of several. */
  readonly order?: string | readonly string[];
}

/** Most money first, then the oldest. */
export async function listTasks(
  on: Queryable,
  company: string,
  filter: TaskFilter = {},
): Promise<Task[]> {
  const { state = "open", kind = null, order = null } = filter;
  return readTasks(
    on,
    company,
    `($2 = 'all' or state = $2) and ($3::text is null or kind = $3)
       and ($4::uuid[] is null or order_id = any($4))`,
    [state, kind, typeof order === "string" ? [order] : order],
  );
}

async function readTasks(
  on: Queryable,
  company: string,
  where: string,
  values: readonly (string | null | readonly string[])[],
): Promise<Task[]> {
  return on.query<Task>(
    `select id, order_id as "order",
            (select number from web_order o where o.company = t.company and o.id = t.order_id)
              as "webOrder",
            kind, about, instruction, amount, state, opened_at as "openedAt",
            closed_at as "closedAt", closed_by as "closedBy", reason, reference
       from web_order_task t where company = $1 and ${where}
      order by amount desc nulls last, opened_at, id`,
    [company, ...values],
  );
}

/** Holds the order's row, so that the pages of its book do not clash. */
async function writeInBook(
  tx: Queryable,
  company: string,
  order: string | null,
  page: {
    readonly event: string;
    readonly at: Temporal.Instant;
    readonly who: string;
    readonly about: string;
  },
): Promise<void> {
  if (order === null) return;
  await tx.query("select 1 from web_order where company = $1 and id = $2 for update", [
    company,
    order,
  ]);
  await tx.affect(
    `insert into web_order_event
       (company, order_id, sequence, at, event, from_state, to_state, who, about)
     select company, id,
            (select coalesce(max(e.sequence), 0) + 1 from web_order_event e
              where e.company = o.company and e.order_id = o.id),
            $3, $4, state, state, $5, $6
       from web_order o where company = $1 and id = $2`,
    [company, order, page.at, page.event, page.who, page.about],
  );
}
