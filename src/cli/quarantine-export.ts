/** `quarantine export`: items with their rows, for a spreadsheet or a program. */
import type { QuarantineDesk } from "../sync/index.ts";
import type { Answer, Opened } from "./command.ts";
import { writeNamed } from "./files.ts";
import { count, csv } from "./print.ts";

type Filter = Parameters<QuarantineDesk["pieces"]>[0];
type Item = Awaited<ReturnType<QuarantineDesk["find"]>>;

const EXPORTED: readonly { readonly head: string; readonly of: (item: Item) => string }[] = [
  { head: "item", of: ({ id }) => id },
  { head: "state", of: ({ state }) => state },
  { head: "connection", of: ({ connection }) => connection },
  { head: "stream", of: ({ stream }) => stream },
  { head: "record", of: ({ record }) => record ?? "" },
  { head: "key", of: ({ recordKey }) => recordKey ?? "" },
  { head: "origin", of: ({ originName }) => originName },
  { head: "line", of: ({ line }) => String(line) },
  { head: "reason", of: ({ reason }) => reason },
  { head: "found", of: ({ problems }) => problems.map(({ found }) => found).join("; ") },
  { head: "expected", of: ({ problems }) => problems.map(({ expected }) => expected).join("; ") },
  { head: "worth", of: ({ worth }) => worth ?? "" },
  { head: "customers", of: ({ customers }) => String(customers ?? "") },
  { head: "correctionHolds", of: ({ correctionHolds }) => String(correctionHolds) },
  { head: "openedAt", of: ({ openedAt }) => openedAt.toString() },
  { head: "closedAt", of: ({ closedAt }) => closedAt?.toString() ?? "" },
  { head: "closedBy", of: ({ closedBy }) => closedBy ?? "" },
  { head: "raw", of: ({ raw }) => raw },
];

export interface ExportOptions {
  readonly jsonLines?: boolean;
  readonly out?: string;
}

export async function exported(
  { company }: Opened,
  filter: Filter,
  { jsonLines = false, out }: ExportOptions,
): Promise<Answer> {
  const items: Item[] = [];
  for await (const piece of company.desk.pieces(filter)) items.push(...piece);
  const text = jsonLines
    ? items.map((item) => JSON.stringify(item)).join("\n")
    : await csv([
        EXPORTED.map(({ head }) => head),
        ...items.map((item) => EXPORTED.map(({ of }) => of(item))),
      ]);
  if (out === undefined) return { text, data: items };
  await writeNamed(out, `${text}\n`);
  return { text: `Wrote ${count(items.length)} item(s) to ${out}.`, data: items };
}
