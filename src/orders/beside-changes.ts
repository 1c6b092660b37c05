/**
 * Which content a row of the ERP shows of an order that was changed, or is being changed: the one
 * before, the one agreed, or one that nobody asked for. Pure; it goes by content, since when the
 * ERP made a change nobody knows.
 */
import { differencesOf, type Agreed } from "./compare.ts";
import type { ErpOrderFact } from "./judgement.ts";

/** An amendment or a part cancellation. */
export interface Changed {
  /** ISO moments; `endedAt` is null while it is being made. */
  readonly askedAt: string;
  readonly endedAt: string | null;
  /** True: it was made. False: somebody, or the ERP, is to make it. */
  readonly isDone: boolean;
  /** The order before it; null while it is not done. */
  readonly before: Agreed | null;
  /** The order as it is to be. */
  readonly body: Agreed;
}

interface Row extends ErpOrderFact {
  readonly learnedAt: string;
  /** Something is sent to the ERP just now that changes it. */
  readonly isChanging: boolean;
}

export function besideChanges<R extends Row>(
  agreed: Agreed,
  row: R,
  changes: readonly Changed[],
): R & Required<Pick<ErpOrderFact, "stale" | "otherwise" | "unmade">> {
  const isLearnedBy = (moment: string | null): boolean =>
    moment !== null && row.learnedAt <= moment;
  const done = changes.filter(({ isDone, endedAt }) => isDone && isLearnedBy(endedAt));
  const pending = changes.filter(({ isDone }) => !isDone);
  const isBefore = done.some(({ before }) => before !== null && isOf(before, row));
  // Made there already by whoever has not closed its task yet.
  const isAhead = pending.some(({ body }) => isOf(body, row));
  const during = done.some(({ askedAt }) => !isLearnedBy(askedAt));
  const isAgreed = differencesOf(agreed, row).length === 0;
  return {
    ...row,
    stale: row.isChanging || isBefore || (isAhead && !isAgreed),
    otherwise: during && !isBefore && !isAgreed,
    unmade: changes.some(({ before }) => before !== null && isOf(before, row)),
  };
}

/** VAT is left out: where the goods and their net are those, so is the order. */
function isOf(content: Agreed, row: ErpOrderFact): boolean {
  return differencesOf(content, { ...row, vat: null }).length === 0;
}
