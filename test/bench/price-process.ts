/**
 * The process that prices are measured in: a book in memory beside a bare lookup, then the same
 * rules in the database of a folder, published and asked through the module's door. It leaves the
 * database filled, with a key, for the service that is started on it afterwards.
 */
import { readSettings } from "../../src/config.ts";
import { openTradepost } from "../../src/main.ts";
import { COMPANY, benchSettings } from "./pull-process.ts";
import { measureBook } from "./book-change.ts";
import type { BookFigures } from "./book-change.ts";
import { bareFill } from "./price-fill.ts";
import { measureLateral } from "./price-lateral.ts";
import type { LateralFigure } from "./price-lateral.ts";
import { inRounds } from "./measure.ts";
import { measureService } from "./price-service.ts";
import {
  PRICING_SIZES,
  compileBenchBook,
  measureDoor,
  measureExplaining,
  measureLists,
  measureSpeed,
  openBenchPricing,
} from "./pricing.ts";
import type { DoorFigure, MemoryFigure, SpeedFigure } from "./pricing.ts";
import { asked, tell } from "./process.ts";

/** What the parent asks, and what comes back. */
export interface Question {
  readonly what: "engine" | "book" | "database" | "service";
  readonly folder: string;
  readonly database: string;
  readonly rules: number;
  readonly rounds: number;
  readonly seed: number;
}

export interface EngineFigures {
  readonly speed: readonly SpeedFigure[];
  /** Time of 10,000 explanations, of that of their prices. */
  readonly explaining: number;
  /** Cost of a line with 1,000 lists, of that with 50. */
  readonly lists: number;
}

export interface CompiledFigures {
  readonly memory: MemoryFigure;
  readonly book: BookFigures;
}

export interface DatabaseFigures {
  readonly door: readonly DoorFigure[];
  readonly lateral: readonly LateralFigure[];
  readonly fills: readonly { readonly ours: number; readonly bare: number }[];
  /** Opens the prices of the service. */
  readonly secret: string;
}

const WORK = { engine, book: compiled, database, service: measureService };

for await (const question of asked()) {
  const { what, ...rest } = question as Question;
  tell(await WORK[what](rest));
}

type Sizes = Omit<Question, "what">;

async function engine({ rules, rounds, seed }: Sizes): Promise<EngineFigures> {
  const sizes = { ...PRICING_SIZES, rules, rounds, seed };
  const { book } = await compileBenchBook(sizes);
  return {
    speed: measureSpeed(sizes, book),
    explaining: measureExplaining(sizes, book),
    lists: await measureLists({ ...sizes, rules: Math.min(rules, 1_000_000) }),
  };
}

async function compiled({ rules, rounds, seed }: Sizes): Promise<CompiledFigures> {
  const sizes = { ...PRICING_SIZES, rules, rounds, seed };
  const { book, figure } = await compileBenchBook(sizes);
  return { memory: figure, book: await measureBook(sizes, book) };
}

async function database(question: Sizes): Promise<DatabaseFigures> {
  const { rules, rounds, seed } = question;
  const sizes = { ...PRICING_SIZES, rules, rounds, seed };
  const file = await benchSettings(question.folder, { database: question.database });
  await using tradepost = await openTradepost(readSettings({ file }), {
    service: true,
    log: () => undefined,
  });
  const { door } = await measureDoor(tradepost.store, sizes);
  await tradepost.store.query("VACUUM ANALYZE price_rule");
  const lateral = await measureLateral(tradepost.store, sizes);
  // The service that is started on this folder begins with the file that this leaves.
  await (await tradepost.company(COMPANY)).pricing.publish();
  const fills = await inRounds(rounds, {
    ours: async () => (await (await openBenchPricing(tradepost.store)).publish()).ms,
    bare: async () => bareFill(tradepost.store, rules),
  });
  const { secret } = await tradepost.access.createKey({
    company: COMPANY,
    name: "The bench",
    scopes: ["prices"],
    test: false,
    createdBy: "the bench",
  });
  return { door, lateral, fills, secret };
}
