/**
 * Whether anybody reads what an ERP answers that takes orders as files. Nothing else tells of such
 * an order, so that without a schedule each one ends in doubt while its answer lies there.
 */
import type { CompanySettings } from "../config.ts";
import type { OrdersCapability } from "../connector/index.ts";
import type { Owned } from "./owners.ts";

/** Records by which an ERP says what became of an order. */
const ANSWERS: ReadonlySet<string> = new Set(["order-acknowledgement", "erp-order"]);

export interface AnswerStreamName {
  readonly connection: string;
  readonly stream: string;
}

/** The streams by which the ERP answers orders, of whichever connection. */
export function answersOf(
  { connections }: Pick<CompanySettings, "connections">,
  owned: Pick<Owned, "mappingsOf">,
): readonly AnswerStreamName[] {
  return Object.keys(connections).flatMap((connection) => {
    const mappings = owned.mappingsOf(connection).filter(({ record }) => ANSWERS.has(record.name));
    return [...new Set(mappings.map(({ reads }) => reads))].map((stream) => ({
      connection,
      stream,
    }));
  });
}

export interface AnswersRead {
  /** True: all that may answer an order is read by itself, or has not to be. */
  readonly fine: boolean;
  readonly about: string;
  /** Null where nothing is to be done. */
  readonly instruction: string | null;
}

/** `orders`: of the connection that takes them. */
export function answersRead(
  settings: Pick<CompanySettings, "connections">,
  answers: readonly AnswerStreamName[],
  orders: Pick<OrdersCapability, "finding">,
): AnswersRead {
  if (orders.finding !== "file-drop")
    return { fine: true, about: "The ERP answers each order as it takes it.", instruction: null };
  const unread = answers.filter((each) => !isScheduled(settings, each));
  if (answers.length > 0 && unread.length === 0)
    return { fine: true, about: `Answers are read: ${named(answers)}.`, instruction: null };
  const read =
    answers.length === 0 ? "no mapping reads them" : `no schedule reads ${named(unread)}`;
  return {
    fine: false,
    about:
      `Orders are handed over as files, and the ERP's answers come as files, too: ${read}. ` +
      "Each order would end in doubt while its answer lies there.",
    instruction:
      answers.length === 0
        ? "Give the connection a mapping of order-acknowledgement or erp-order."
        : `Schedule all by which the ERP may answer, ${named(answers)}: schedules: { answers: { cron: "*/10 * * * *", streams: [${answers.map(({ stream }) => stream).join(", ")}] } }.`,
  };
}

function isScheduled(
  { connections }: Pick<CompanySettings, "connections">,
  { connection, stream }: AnswerStreamName,
): boolean {
  return Object.values(connections[connection]?.schedules ?? {}).some(
    ({ does, streams }) => does === "pull" && (streams === undefined || streams.includes(stream)),
  );
}

function named(answers: readonly AnswerStreamName[]): string {
  return answers.map(({ connection, stream }) => `${connection}/${stream}`).join(" and ");
}
