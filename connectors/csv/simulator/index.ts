/**
 * A simulated ERP behind a folder of files: the far side of the csv connector. It writes export
 * files, takes order files in, and despatches, invoices, credits and collects as simulated days
 * pass. It keeps its own books and prices and imports nothing of Tradepost's, so that agreement
 * proves something. How it prices, names its files and misbehaves is written down in README.md.
 *
 *     const erp = await start(createMerchant(), { folder, faults: ALL_FAULTS });
 *     await erp.advance(1);
 *     erp.books().priceFor("IMRA0001", "TIMCLS000002", "10", "2026-06-30");
 *     await erp.close();
 */
import { setImmediate } from "node:timers/promises";
import { calendar, type Merchant } from "../../../deploy/demo/merchant/index.ts";
import { booksOf, type Books } from "./books.ts";
import { eveningExport, exportDeltas, firstExport } from "./daily-export.ts";
import { nextDay, nextLiveDay } from "./day.ts";
import { erpOf, type Erp } from "./erp.ts";
import type { FaultPlan } from "./faults.ts";
import { takeOrders, type Intake } from "./intake.ts";

export { ALL_FAULTS, type FaultKind, type FaultPlan, type PlantedFault } from "./faults.ts";
export { LAYOUT } from "./layout.ts";
export type { Books } from "./books.ts";

export interface Simulator {
  /** For the csv connector. */
  readonly settings: { readonly folder: string };
  /**
   * Lets days pass and writes each evening's export. 0: no day passes; orders that wait are taken
   * in and answered now.
   */
  advance(days: number): Promise<Happened>;
  books(): Books;
  close(): Promise<void>;
}

/** What happened since the call. */
export interface Happened {
  /** The day that it is now, ISO. */
  readonly today: string;
  /** Names of the files written to `out/`. */
  readonly files: readonly string[];
  readonly ordersTaken: readonly { readonly webOrder: string; readonly erpOrder: string }[];
  readonly ordersRefused: readonly { readonly webOrder: string; readonly reason: string }[];
  /** Order files left lying, and why. */
  readonly ordersWaiting: Intake["waiting"];
  /** Invoices and credit notes posted. */
  readonly documents: number;
}

export interface StartOptions {
  /** Gets `out/`; order files are looked for in `orders/`. */
  readonly folder: string;
  /** None when not said. */
  readonly faults?: FaultPlan;
  /** The merchant's when not said. */
  readonly seed?: number;
}

/** Lives through the merchant's history and writes the first export. */
export async function start(merchant: Merchant, options: StartOptions): Promise<Simulator> {
  const { folder, faults = {}, seed = merchant.seed } = options;
  const erp = erpOf(merchant, { folder, faults, seed });
  const today = calendar.dayOf(merchant.today);
  while (erp.day < today) {
    nextDay(erp);
    // Others in this process get their turn once a simulated month.
    if (erp.day % 30 === 0) await setImmediate();
  }
  firstExport(erp);
  const clock = { minute: AFTER_HOURS };
  return {
    settings: { folder },
    advance: (days) => advance(erp, days, clock),
    books: () => booksOf(erp),
    async close() {
      erp.out.abandon();
    },
  };
}

/** Answers between two days are written after the evening's export, a minute apart. */
const AFTER_HOURS = 20 * 60;
const MIDNIGHT = 24 * 60;

async function advance(erp: Erp, days: number, clock: { minute: number }): Promise<Happened> {
  if (!Number.isInteger(days) || days < 0)
    throw new RangeError(
      `advancing the simulated ERP: ${days} is no number of days; give 0, 1, 2 …`,
    );
  const before = erp.tally.counts().documents;
  const taken = [];
  const files = [];
  let waiting: Intake["waiting"] = [];
  for (let passed = 0; passed < Math.max(1, days); passed += 1) {
    if (days > 0) {
      nextLiveDay(erp);
      clock.minute = AFTER_HOURS;
    }
    const intake = takeOrders(erp);
    taken.push(...intake.taken);
    waiting = intake.waiting;
    files.push(...(days > 0 ? eveningExport(erp) : answerNow(erp, clock)));
    await setImmediate();
  }
  return {
    today: erp.today(),
    files,
    ordersTaken: taken.flatMap(({ webOrder, order }) =>
      order === null ? [] : [{ webOrder, erpOrder: order.number ?? "" }],
    ),
    ordersRefused: taken.flatMap(({ webOrder, refused }) =>
      refused === null ? [] : [{ webOrder, reason: refused }],
    ),
    ordersWaiting: waiting,
    documents: erp.tally.counts().documents - before,
  };
}

function answerNow(erp: Erp, clock: { minute: number }): readonly string[] {
  if (clock.minute >= MIDNIGHT)
    throw new RangeError(
      "advancing the simulated ERP by 0: no minute of the day is left; advance by 1",
    );
  const files = exportDeltas(erp, { on: erp.today(), minute: clock.minute });
  clock.minute += 1;
  return files;
}
