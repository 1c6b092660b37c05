/**
 * What simpler clients make of the same ERP: one that sends again until it is answered, and one
 * that searches first. Printed beside the rest to show how hostile the ERP is; nothing of
 * Tradepost is judged by them.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startHostileErp } from "../../support/hostile-erp/index.ts";
import type { LaneRow } from "../lane.ts";

interface NaiveOptions {
  readonly seed: number;
  readonly orders: number;
  readonly say: (line: string) => void;
}

const AT_ONCE = 40;
const TIMEOUT_MS = 1_000;
const WAIT_MS = 300;

export async function naiveRows(options: NaiveOptions): Promise<readonly LaneRow[]> {
  const rows: LaneRow[] = [];
  for (const [experiment, searches] of [
    ["a client that sends again (not ours)", false],
    ["a client that searches before it sends (not ours)", true],
  ] as const) {
    const { injected, doubled } = await naive(options, searches);
    rows.push({
      row: "-",
      experiment: `searchable: ${experiment}`,
      injected,
      lost: 0,
      duplicated: doubled,
      stuck: 0,
      unaccounted: 0,
      findings: [],
    });
  }
  return rows;
}

async function naive({ seed, orders, say }: NaiveOptions, searches: boolean) {
  const folder = await mkdtemp(join(tmpdir(), "tradepost-naive-"));
  try {
    await using erp = await startHostileErp({ class: "searchable", seed, folder });
    const numbers = Array.from({ length: orders }, (_, at) => `N-${at + 1}`).values();
    const client = async () => {
      for (const number of numbers) await send(erp.url ?? "", number, searches);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
    // What was given up may still be made.
    await sleep(4_000);
    const { documents, injected } = erp.books();
    const doubled = documents.length - new Set(documents.map(({ key }) => key)).size;
    say(`${searches ? "searching first" : "sending again"}: ${doubled} of ${orders} doubled`);
    return { injected: [...injected.values()].reduce((sum, one) => sum + one, 0), doubled };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function send(url: string, number: string, searches: boolean): Promise<void> {
  for (let first = true; ; first = false) {
    if (!first) await sleep(WAIT_MS);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      if (searches) {
        const found = await fetch(`${url}/orders?key=${number}`, { signal });
        const { documents } = (await found.json()) as { documents?: readonly unknown[] };
        if (!found.ok || documents === undefined) continue;
        if (documents.length > 0) return;
      }
      const answer = await fetch(`${url}/orders`, {
        method: "POST",
        body: JSON.stringify({ tables: tablesOf(number) }),
        signal,
      });
      await answer.json();
      if (answer.ok || answer.status === 422) return;
    } catch {
      // No answer is tried again: that is what is naive.
    }
  }
}

function tablesOf(number: string) {
  return [
    {
      name: "lines",
      columns: ["webOrder", "line", "kind", "code", "quantity", "unitPrice", "vatCode"],
      rows: [[number, "1", "product", "NAIL-65", "2", "3.45", "STANDARD"]],
    },
    { name: "header", columns: ["webOrder", "account"], rows: [[number, "A001"]] },
  ];
}
