/**
 * One hash of everything that a run came to: equal input, equal hash, in whatever order it arrived.
 */
import { createHash } from "node:crypto";
import { holderCode, shareAt } from "./engine/index.ts";
import type { PayResult, Share } from "./engine/index.ts";

/**
 * Over the plan, the rules, the bridge and every share with its evidence, rate and pence. Ids of
 * postings are left out: a ledger that was posted again from the same documents gives the same
 * hash.
 */
export function digestOf(result: PayResult, pence: readonly Float64Array[]): string {
  const { plan, attribution, components } = result;
  const { shares, rules, bridge, classes } = attribution;
  const evidence = new Map(classes.all.map((it) => [it, JSON.stringify(it)]));
  const hash = createHash("sha256");
  hash.update(textOf({ plan, rules, bridge }));
  let chunk = "";
  for (let index = 0; index < shares.line.length; index += 1) {
    const share = shareAt(attribution, index);
    chunk += shareText(share, evidence.get(share.evidence));
    for (const [position, { component, cells, cellOfShare }] of components.entries()) {
      const rate = cells[cellOfShare[index] ?? -1]?.rate;
      const row = rate?.basis === "row" ? `${rate.version}/${rate.row}/${rate.units}` : rate?.basis;
      chunk += `${component}${CUT}${row}${CUT}${pence[position]?.[index]}\n`;
    }
    if (chunk.length < 100_000) continue;
    hash.update(chunk);
    chunk = "";
  }
  return hash.update(chunk).digest("hex");
}

/** A character that no code holds. */
const CUT = "\u001f";

function shareText({ line, part, link }: Share, evidence: string | undefined): string {
  return [
    line.source,
    line.documentType,
    line.document,
    line.line,
    line.version,
    line.reversal,
    line.account,
    line.documentOn,
    line.period,
    line.channel,
    line.productGroup,
    line.netPence,
    holderCode(part.holder),
    part.units,
    part.from,
    part.to,
    link.kind === "own" ? "" : JSON.stringify(link),
    evidence,
    "",
  ].join(CUT);
}

/** JSON with whole numbers of any size as text. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "bigint" ? inner.toString() : inner,
  );
}
