/**
 * Web orders that the ERP names and that nobody here took: after a backup was restored, or where
 * two installations share an ERP, that is the only trace of an order that we have lost.
 */
import type { Transaction } from "../store/index.ts";
import { closeFinding, keepFinding, liveFindings } from "./completeness-findings.ts";
import type { SyncContext } from "./context.ts";
import type { At } from "./journal.ts";

interface Naming {
  readonly words: string;
  readonly on: string;
  readonly worth: string;
}

const NAMING: Readonly<Record<string, Naming>> = {
  "order-acknowledgement": { words: "answers", on: "answered_on", worth: "r.net + r.vat" },
  "erp-order": { words: "ERP orders", on: "ordered_on", worth: "r.net + r.vat" },
};

const KIND = "unknown-order";
/** So many numbers a finding keeps; where there are more it says so. */
const MOST_KEPT = 200;
const MOST_SAID = 10;
const MOST_FINDINGS = 200;

/** After the merge of one record: what it names, and what was unknown and is known by now. */
export async function considerWebOrders(
  tx: Transaction,
  { unknownWebOrders }: SyncContext,
  at: At,
  record: string,
  staging: string,
): Promise<void> {
  const naming = NAMING[record];
  if (naming === undefined || unknownWebOrders === undefined) return;
  const live = await liveFindings(tx, at, KIND, MOST_FINDINGS);
  // What a person has explained stays so; a number that comes later is another finding.
  const explained = new Set(live.filter(({ state }) => state === "explained").flatMap(numbersOf));
  const open = live.find(({ state }) => state === "open");
  const named = await tx.query<{ number: string; on: string }>(
    `select r.web_order as number, max(r.${naming.on})::text as on from ${staging} r
      where r.web_order is not null group by r.web_order order by r.web_order`,
  );
  const before = open === undefined ? [] : numbersOf(open).map((number) => ({ number, on: null }));
  const unknown = await unknownWebOrders(tx, at.company, [...before, ...named]);
  const numbers = [...new Set(unknown)].filter((number) => !explained.has(number)).sort();
  const [first] = numbers;
  if (first === undefined) {
    if (open !== undefined) await closeFinding(tx, at, open, "they are known here by now");
    return;
  }
  // Found again, and nothing new in it: it stays as it was told.
  if (open !== undefined && numbers.join() === numbersOf(open).join()) return;
  await keepFinding(tx, at, {
    kind: KIND,
    subject: open?.subject ?? `${record}/${first}`,
    title: titleOf(numbers.length, naming),
    detail: `Not known here: ${said(numbers)}. Nobody here took them, and nothing follows from the rows.`,
    instruction:
      "Ask the shop whether it placed them here: after a restored backup it sends them again with " +
      "their keys. Numbers of another shop or installation, or mistyped ones, are explained: " +
      "`tradepost completeness explain FINDING --who NAME --why WHY`.",
    facts: { numbers: numbers.slice(0, MOST_KEPT) },
    worth: await worthOf(tx, at, record, naming, numbers),
  });
}

function titleOf(many: number, { words }: Naming): string {
  const count = many > MOST_KEPT ? `More than ${MOST_KEPT}` : String(many);
  const orders = many === 1 ? "web order that" : "web orders that";
  return `${count} ${orders} ${words} name ${many === 1 ? "is" : "are"} not known here`;
}

function numbersOf({ facts }: { readonly facts: unknown }): readonly string[] {
  return (facts as { readonly numbers?: readonly string[] }).numbers ?? [];
}

function said(numbers: readonly string[]): string {
  const more = numbers.length - MOST_SAID;
  return numbers.slice(0, MOST_SAID).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Null where no row states a sum. */
async function worthOf(
  tx: Transaction,
  { company }: At,
  record: string,
  { worth }: Naming,
  numbers: readonly string[],
): Promise<string | null> {
  const [sum] = await tx.query<{ money: string | null }>(
    `select sum(${worth})::text as money from ${record.replaceAll("-", "_")} r
      where r.company = $1 and r.web_order = any($2)`,
    [company, numbers],
  );
  return sum?.money ?? null;
}
