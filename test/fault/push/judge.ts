/**
 * Judges what became of web orders by what the shop was told and by the ERP's own books; of
 * Tradepost only each order's state is believed, and only where it says less than that.
 */
import type { ErpBooks, HeldDocument } from "../../support/hostile-erp/index.ts";

/** As the shop was answered. */
export interface Agreed {
  readonly account: string;
  readonly net: string;
  readonly vat: string;
  readonly lines: readonly {
    readonly code: string;
    readonly quantity: string;
    readonly net: string;
    readonly vat: string;
  }[];
}

/** As Tradepost's database has it. */
export interface Standing {
  readonly state: string;
  readonly erpOrder: string | null;
  readonly reasons: readonly string[];
}

export interface Judged {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly changed: readonly string[];
  readonly stuck: readonly string[];
  /** At a person although the ERP did nothing odd: allowed for one of a hundred. */
  readonly forPerson: readonly string[];
  /** What is there and was never ordered, or what is believed wrongly. */
  readonly unaccounted: readonly string[];
}

export interface Evidence {
  /** By number; each was answered with 2xx. */
  readonly agreed: ReadonlyMap<string, Agreed>;
  readonly standings: ReadonlyMap<string, Standing>;
  readonly books: Pick<ErpBooks, "documents" | "refused" | "tampered">;
}

const DONE = ["accepted", "confirmed"];
const AT_A_PERSON = ["held", "inDoubt", "conflict", "refused"];

export function judgeOrders({ agreed, standings, books }: Evidence): Judged {
  const found = {
    lost: [] as string[],
    doubled: [] as string[],
    changed: [] as string[],
    stuck: [] as string[],
    forPerson: [] as string[],
    unaccounted: [] as string[],
  };
  const documents = Map.groupBy(books.documents, ({ key }) => key);
  for (const [number, order] of agreed) {
    const standing = standings.get(number);
    const theirs = documents.get(number) ?? [];
    if (standing === undefined) {
      found.lost.push(`${number} was answered, and is not in our book`);
      continue;
    }
    const { state } = standing;
    const at = `${number} (${state}${standing.erpOrder === null ? "" : ` as ${standing.erpOrder}`})`;
    const asks = AT_A_PERSON.includes(state) && standing.reasons.length > 0;
    if (theirs.length > 1)
      found.doubled.push(`${at} is there as ${theirs.map((one) => one.number).join(" and ")}`);
    if (!DONE.includes(state) && !asks) found.stuck.push(`${at} rests with nobody to act on it`);
    if (books.refused.has(number)) {
      if (state !== "refused") found.unaccounted.push(`${at} was refused there`);
      continue;
    }
    if (books.tampered.has(number)) {
      if (state !== "conflict" && theirs.length > 0)
        found.changed.push(`${at}: the ERP charges another price, and nobody is told`);
      continue;
    }
    if (theirs.length === 0 && DONE.includes(state)) found.lost.push(`${at} is no order there`);
    for (const document of theirs) {
      const differs = differences(order, document);
      if (differs.length > 0) found.changed.push(`${at}: ${differs.join("; ")}`);
      if (DONE.includes(state) && theirs.length === 1 && standing.erpOrder !== document.number)
        found.unaccounted.push(`${at} is ${document.number} there`);
    }
    if (asks) found.forPerson.push(`${at}: ${standing.reasons.join(" ")}`);
  }
  for (const number of standings.keys())
    if (!agreed.has(number))
      found.unaccounted.push(`${number} is in our book, and nobody was told`);
  for (const key of documents.keys())
    if (!agreed.has(key)) found.unaccounted.push(`${key} is in the ERP, and nobody ordered it`);
  return found;
}

/** Account, lines in their order, net and VAT: to the penny and to the last decimal. */
function differences(agreed: Agreed, held: HeldDocument): string[] {
  const theirs = held.lines;
  const compared: [what: string, agreed: string | number, held: string | number][] = [
    ["account", agreed.account, held.account],
    ["lines", agreed.lines.length, theirs.length],
    ["net in pence", pence(agreed.net), held.net],
    ["VAT in pence", pence(agreed.vat), held.vat],
    ...agreed.lines.flatMap((line, at): [string, string | number, string | number][] => {
      const other = theirs[at];
      if (other === undefined) return [];
      return [
        [`product of line ${at + 1}`, line.code, other.code],
        [`quantity of line ${at + 1}`, Number(line.quantity), Number(other.quantity)],
        [`net in pence of line ${at + 1}`, pence(line.net), other.net],
        [`VAT in pence of line ${at + 1}`, pence(line.vat), other.vat],
      ];
    }),
  ];
  return compared.flatMap(([what, ours, other]) =>
    ours === other ? [] : [`${what}: agreed ${ours}, there ${other}`],
  );
}

function pence(text: string): number {
  return Math.round(Number(text) * 100);
}
