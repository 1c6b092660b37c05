/** What persons are told of changes that wait for them: to be decided on, or made in the ERP. */
import type { Queryable } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import { openTask, type NewTask } from "../tasks.ts";
import { inWords, otherwise } from "./otherwise.ts";
import { isSuperseded, nameOf } from "./over.ts";
import { AGREED, changesOf, PENDING, type ChangeRow } from "./rows.ts";

/** Opens their tasks, or says anew what is to be done, whatever became of the order meanwhile. */
export async function tellPersons(
  tx: Queryable,
  order: OrderRow,
  at: Temporal.Instant,
): Promise<void> {
  const changes = await changesOf(tx, order);
  for (const one of changes)
    if (one.state === "task" || one.state === "held")
      await openTask(tx, order.company, taskOf(order, one, changes), at);
}

function taskOf(order: OrderRow, one: ChangeRow, changes: readonly ChangeRow[]): NewTask {
  const name = nameOf(one.kind, one.change).toLowerCase();
  const task = { order: order.id, amount: one.body?.gross ?? order.gross };
  return one.state === "held"
    ? { ...task, kind: "look", about: `${name} is held`, instruction: decide(order, one, changes) }
    : { ...task, kind: one.kind, about: name, instruction: make(order, one, changes) };
}

/** The change that one which is held would undo, let go now; null: there is none. */
export function undone(
  { change }: Pick<ChangeRow, "change">,
  changes: readonly ChangeRow[],
): ChangeRow | null {
  const later = changes.filter((one) => one.change > change && PENDING.includes(one.state));
  const isInPlace = ({ state, kind }: ChangeRow): boolean =>
    AGREED.includes(state) || kind === "amend";
  return later.find(isInPlace) ?? null;
}

function decide(order: OrderRow, one: ChangeRow, changes: readonly ChangeRow[]): string {
  const why = one.outcome ?? "";
  const rival = undone(one, changes);
  if (rival !== null) {
    const name = nameOf(rival.kind, rival.change).toLowerCase();
    return `${why} It counts no more unless ${name} comes to nothing, which was asked for after it.`;
  }
  const before = changes.findLast(
    ({ change, state }) => change < one.change && PENDING.includes(state),
  );
  const both =
    one.kind === "cancel" && before?.state === "held"
      ? ` It holds ${nameOf(before.kind, before.change).toLowerCase()}, which is held, too, and is ` +
        "worked out anew once that is let go or dropped; let go itself, both go."
      : "";
  return `${why} ${askedFor(order, one)}${both} Close it as done to let it go to the ERP, or drop it.`;
}

function askedFor(order: OrderRow, { body }: ChangeRow): string {
  if (body === null) return "It asks for all of it to be cancelled.";
  const words = inWords(otherwise(order.body, body));
  return words === "" ? "It asks for nothing that is not so." : `It asks for ${words}.`;
}

/** Of several that wait to be made in the ERP the last one counts, as each says the whole order. */
function make(order: OrderRow, one: ChangeRow, changes: readonly ChangeRow[]): string {
  const last = changes.findLast(({ state }) => state === "task");
  if (last !== undefined && last !== one) return instead(last);
  const there = order.erpOrder === null ? "the order" : `ERP order ${order.erpOrder}`;
  const act =
    one.body === null ? `Cancel ${there} in the ERP.` : change(there, order.body, one.body);
  return (
    `${act}${containing(one, changes)} Then close this task as done; drop it where it cannot be ` +
    "done any more."
  );
}

function change(there: string, was: OrderRow["body"], is: OrderRow["body"]): string {
  const words = inWords(otherwise(was, is));
  return words === ""
    ? `See that ${there} is in the ERP as it is here: it is to be nothing else.`
    : `Change ${there} in the ERP: ${words}.`;
}

/** One that says the whole order may ask again for what another was dropped for. */
function containing(
  { kind, change: at, askedAt }: ChangeRow,
  changes: readonly ChangeRow[],
): string {
  if (kind !== "amend") return "";
  const unmade = changes.filter(
    (one) =>
      one.change < at &&
      (one.state === "refused" || one.state === "dropped") &&
      !isSuperseded(one) &&
      one.endedAt !== null &&
      Temporal.Instant.compare(one.endedAt, askedAt) >= 0,
  );
  return unmade
    .map(
      (one) =>
        ` ${nameOf(one.kind, one.change)}, asked for before it, was ${one.state} ` +
        `(${one.outcome ?? "nobody says why"}): look whether this one asks for the same.`,
    )
    .join("");
}

function instead({ kind, change: at }: ChangeRow): string {
  const name = nameOf(kind, at).toLowerCase();
  const dropped =
    kind === "cancel"
      ? ` Drop it only where it is not to be: ${name} is then made without it.`
      : "";
  return (
    `Make it no more: ${name} was asked for after it and counts in its place; this one is closed ` +
    `once that is done.${dropped} Where it stands in the ERP already, close it as done before that one.`
  );
}
