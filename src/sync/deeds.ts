/** What people do at the desk, kept with the item and in the book of who did what. */
import { randomUUIDv7 } from "node:crypto";
import type { Queryable } from "../store/index.ts";
import type { SyncContext } from "./context.ts";

interface Deed {
  /** Id of what it was done to. */
  readonly item: string;
  /** Null: the caller did not say. */
  readonly who: string | null;
  /** corrected, replayed, dismissed, reopened, explained */
  readonly action: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

const UNNAMED = "command line";

/** With the item's own history, in the transaction that does it. */
export async function writeDown(on: Queryable, context: SyncContext, deed: Deed): Promise<void> {
  const { company, now } = context;
  const { item, who, action, details } = deed;
  await on.affect(
    `insert into quarantine_event (company, id, item, at, who, action, details)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      company,
      randomUUIDv7(),
      item,
      now().toString(),
      who ?? UNNAMED,
      action,
      JSON.stringify(details),
    ],
  );
  await audit(on, context, `quarantine-item-${action}`, deed);
}

export async function audit(
  on: Queryable,
  { company, audit: book }: SyncContext,
  action: string,
  { item, who, details }: Deed,
): Promise<void> {
  await book?.({ company, who: who ?? UNNAMED, action, subject: item, details }, on);
}
