/**
 * P5 as the service does it, on a filled database: the book from its file, one rule in a hundred
 * changed, all rules read anew; and the longest time that nothing else had its turn meanwhile.
 */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { readSettings } from "../../src/config.ts";
import { openTradepost } from "../../src/main.ts";
import type { Store } from "../../src/store/index.ts";
import { COMPANY, benchSettings } from "./pull-process.ts";

/** Milliseconds: how long it took, and the longest pause of the event loop meanwhile. */
export interface Held {
  readonly ms: number;
  readonly pause: number;
}

export interface ServiceFigures {
  readonly fromFile: Held;
  readonly changed: readonly Held[];
  readonly changedRows: number;
  readonly whole: readonly Held[];
  /** The same process with nothing to do. */
  readonly idle: Held;
}

interface Sizes {
  readonly folder: string;
  readonly database: string;
  readonly rounds: number;
}

export async function measureService(question: Sizes): Promise<ServiceFigures> {
  const { folder, database, rounds } = question;
  const file = await benchSettings(folder, { database });
  const open = () => openTradepost(readSettings({ file }), { service: true, log: () => undefined });
  const figures: { changed: Held[]; whole: Held[] } = { changed: [], whole: [] };
  let changedRows = 0;
  await using tradepost = await open();
  const { pricing } = await tradepost.company(COMPANY);
  const fromFile = await held(() => pricing.refresh());
  for (let round = 0; round < rounds; round += 1) {
    changedRows = await changeSome(tradepost.store, round);
    figures.changed.push(await held(() => pricing.publish()));
  }
  const idle = await held(() => sleep(2_000));
  for (let round = 0; round < rounds; round += 1) {
    // Another thread, and no file to begin with.
    await pricing.close();
    await rm(join(dirname(database), "price-books"), { recursive: true, force: true });
    figures.whole.push(await held(() => pricing.publish()));
  }
  // The file that the next start begins with.
  await sleep(1_000);
  return { fromFile, changedRows, idle, ...figures };
}

async function held(work: () => Promise<unknown>): Promise<Held> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await sleep(20);
  delay.enable();
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  await sleep(20);
  delay.disable();
  return { ms, pause: delay.max / 1e6 };
}

/** As a pull leaves it: the rows as they were, the change, the rows as they are. */
async function changeSome(store: Store, round: number): Promise<number> {
  const at = Temporal.Now.instant();
  return store.transaction(async (tx) => {
    const [row] = await tx.query<{ number: number }>(
      `INSERT INTO record_change (company, record, number, run_id, at, whole)
       SELECT $1, 'price-rule', max(number) + 1, $2::uuid, $3::timestamptz, false
         FROM record_change WHERE company = $1 AND record = 'price-rule'
       RETURNING number`,
      [COMPANY, crypto.randomUUID(), at],
    );
    await tx.affect(
      `INSERT INTO superseded_row
         (company, record, change, key, place, was, known_from, known_to)
       SELECT $1, 'price-rule', $3::int, rule || E'\\x1f' || from_quantity::text,
              customer_scope || ' ' || coalesce(customer_code, ''),
              jsonb_strip_nulls(to_jsonb(r)), learned_at, $4::timestamptz
         FROM price_rule r WHERE ${SOME}`,
      [COMPANY, round, row?.number ?? 0, at],
    );
    return tx.affect(`UPDATE price_rule SET value = value + 0.01, learned_at = $3 WHERE ${SOME}`, [
      COMPANY,
      round,
      at,
    ]);
  });
}

const SOME = "company = $1 AND substr(rule, 2)::int % 100 = $2::int";
