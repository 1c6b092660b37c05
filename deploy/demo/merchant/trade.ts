/**
 * What happens in the yard, on the telephone, in the field and in the old web shop: the sales of a
 * day, without prices. What they cost is the ERP's business.
 */
import { isHoliday, isoOf, weekdayOf } from "./calendar.ts";
import type { Account } from "./customers.ts";
import { decimalText, moneyText } from "./figures.ts";
import { personName } from "./names.ts";
import type { Territory } from "./people.ts";
import type { Range } from "./products.ts";
import { at, randomOf, type Random } from "./random.ts";
import type { Scope } from "./scope.ts";

export type TrueChannel = "web" | "telephone" | "counter" | "field";

/** One sale as it was agreed: who, how, what; and what will become of it. */
export interface Sale {
  readonly account: string;
  readonly channel: TrueChannel;
  readonly evidence: Evidence;
  readonly rep: string | null;
  readonly customerReference: string | null;
  readonly lines: readonly SaleLine[];
  readonly charges: readonly SaleCharge[];
  /** `taken`: carried away and invoiced at once. Otherwise delivered in one or two parts. */
  readonly delivery: "taken" | "in one" | "in two";
  /** Working days until the (first) delivery. */
  readonly leadDays: number;
  /** What comes back; null: nothing. */
  readonly returned: Return | null;
  /** The office posts it into the month before: it happened in the first days of a month. */
  readonly postedLate: boolean;
}

/** What the ERP's documents will show of the channel. */
export interface Evidence {
  /** The documents' own channel column; null: not stated. */
  readonly channel: TrueChannel | null;
  readonly takenBy: string | null;
  readonly branch: string | null;
  /**
   * The channel that follows from the three above and `takenByChannels`; unknown when none does.
   */
  readonly shows: TrueChannel | "unknown";
}

export interface SaleLine {
  readonly product: string;
  /** Selling units, decimal text. */
  readonly quantity: string;
  /** Typed in by the seller on top of the ERP's price; "0" for none. */
  readonly discountPercent: string;
  /**
   * Percent by which the seller went below the ERP's price by typing another price over it, in
   * round money; "0": the ERP's price stands.
   */
  readonly typedBelowPercent: string;
}

export interface SaleCharge {
  readonly lineClass: "carriage" | "charge" | "deposit" | "text";
  readonly description: string;
  readonly net: string;
  readonly vatCode: string | null;
}

export interface Return {
  /** Index of the line in `lines`. */
  readonly line: number;
  /** Part of the line's quantity, more than 0 and at most 1. */
  readonly part: number;
  /** Days after the invoice. */
  readonly afterDays: number;
  /** False: the office forgot to say which invoice it credits. */
  readonly namesInvoice: boolean;
  readonly reason: string;
}

/** How this merchant recognises a channel by who took the order; `*` stands for any characters. */
export const TAKEN_BY_CHANNELS: readonly {
  readonly takenBy: string;
  readonly channel: TrueChannel;
}[] = [
  { takenBy: "WEBSHOP", channel: "web" },
  { takenBy: "SALES*", channel: "telephone" },
  { takenBy: "TILL*", channel: "counter" },
  { takenBy: "REP*", channel: "field" },
];

export interface Trading {
  /**
   * Sales of a day, the same whenever it is asked.
   * After `today` none comes through the old web shop.
   */
  salesOn(day: number): readonly Sale[];
}

interface World {
  readonly scope: Scope;
  readonly range: Range;
  readonly accounts: readonly Account[];
  readonly territory: Territory;
}

export function tradingOf(world: World): Trading {
  const planned = linesPlanned(world.scope);
  const heaped = heap(world.accounts.map((account) => account.weight));
  return {
    salesOn(day) {
      const random = randomOf(world.scope.seed, "sales", day);
      const sales: Sale[] = [];
      for (let left = planned(day); left > 0;) {
        const account = at(world.accounts, draw(heaped, random.next()));
        if (!canBuy(account, day)) continue;
        const sale = makeSale(world, { account, day, atMost: left, random });
        sales.push(sale);
        left -= sale.lines.length;
      }
      return sales;
    },
  };
}

const MONTHS = [0.8, 0.9, 1.05, 1.1, 1.15, 1.15, 1.1, 1.05, 1.1, 1.05, 0.95, 0.6];

/** How busy a day is beside others; 0 when closed. */
function bustle(day: number): number {
  if (weekdayOf(day) === 6 || isHoliday(day)) return 0;
  const season = at(MONTHS, Number(isoOf(day).slice(5, 7)) - 1);
  return season * (weekdayOf(day) === 5 ? 0.35 : 1);
}

/**
 * Deals the wished-for lines out over the days of history, exactly; later days go on at that pace.
 */
function linesPlanned(scope: Scope): (day: number) => number {
  const before = [0];
  for (let day = scope.opensDay; day <= scope.todayDay; day += 1) {
    before.push(at(before, before.length - 1) + bustle(day));
  }
  const perBustle = scope.invoiceLines / at(before, before.length - 1);
  return (day) => {
    if (day < scope.opensDay) return 0;
    if (day > scope.todayDay) return Math.ceil(bustle(day) * perBustle);
    const i = day - scope.opensDay;
    return Math.ceil(at(before, i + 1) * perBustle) - Math.ceil(at(before, i) * perBustle);
  };
}

function heap(weights: readonly number[]): readonly number[] {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
}

/** Index of the account that a number from 0 to 1 falls on. */
function draw(heaped: readonly number[], drawn: number): number {
  const wanted = drawn * at(heaped, heaped.length - 1);
  let low = 0;
  let high = heaped.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(heaped, middle) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

function canBuy({ openedDay, lastDay, basket }: Account, day: number): boolean {
  return openedDay <= day && (lastDay === null || day <= lastDay) && basket.length > 0;
}

interface Occasion {
  readonly account: Account;
  readonly day: number;
  /** Lines that the day still has. */
  readonly atMost: number;
  readonly random: Random;
}

function makeSale(world: World, occasion: Occasion): Sale {
  const { account, day, random } = occasion;
  const rep = world.territory.repOn(account.account, day);
  const channel = channelOf(world.scope, occasion, rep);
  const lines = linesOf(world, occasion, channel);
  const delivered = channel !== "counter";
  return {
    account: account.account,
    channel,
    evidence: evidenceOf(account, { channel, rep, random }),
    rep,
    customerReference: account.cash ? null : reference(random),
    lines,
    charges: chargesOf(delivered, lines, random),
    delivery: delivered ? (random.chance(0.12) ? "in two" : "in one") : "taken",
    leadDays: delivered ? random.whole(0, 4) : 0,
    returned: random.chance(0.035) ? returnOf(lines.length, random) : null,
    postedLate: Number(isoOf(day).slice(8)) <= 2 && random.chance(0.05),
  };
}

function channelOf(
  scope: Scope,
  { account, day, random }: Occasion,
  rep: string | null,
): TrueChannel {
  if (account.cash || account.branch.defaultChannel === "counter") return "counter";
  // The web shop opened small and grew; from tomorrow on its orders come another way.
  const grown = (day - scope.opensDay) / Math.max(1, scope.todayDay - scope.opensDay);
  const web = day > scope.todayDay ? 0 : account.webShare * (0.25 + 0.75 * grown);
  if (random.chance(web)) return "web";
  // On Saturdays only the counter is open.
  if (weekdayOf(day) === 5) return "counter";
  return random.weighted([
    ["counter", 30],
    ["telephone", 45],
    ["field", rep === null ? 0 : 25],
  ]);
}

const LINES: Readonly<Record<TrueChannel, readonly [number, number]>> = {
  web: [2, 7],
  telephone: [1, 7],
  counter: [1, 4],
  field: [2, 9],
};

function linesOf(world: World, occasion: Occasion, channel: TrueChannel): readonly SaleLine[] {
  const { atMost, random, account, day } = occasion;
  const [least, most] = LINES[channel];
  const count = Math.min(atMost, random.whole(least, most));
  return Array.from({ length: count }, () => {
    const index = productFor(world, { account, day, random });
    const line = {
      product: at(world.range.products, index).product,
      quantity: usualQuantity(world.range, index, random),
      discountPercent: typedDiscount(channel, random),
    };
    return { ...line, typedBelowPercent: typedBelow(world, occasion, channel, line) };
  });
}

/** Mostly the first ones of the basket; now and then anything. */
function productFor(
  { scope, range }: World,
  { account, day, random }: Omit<Occasion, "atMost">,
): number {
  for (;;) {
    const usual = Math.floor(random.next() ** 2 * account.basket.length);
    const index = random.chance(0.9)
      ? at(account.basket, usual)
      : random.whole(0, range.products.length - 1);
    const { state } = at(range.products, index);
    if (state === "active") return index;
    if (state === "discontinued" && day < scope.todayDay - 240) return index;
  }
}

/** Small quantities far more often than large ones. */
function usualQuantity(range: Range, index: number, random: Random): string {
  const [least, most, step] = at(range.demand, index).quantity3;
  const steps = Math.floor((random.next() ** 3 * (most - least)) / step);
  return decimalText(Math.max(step, least) + steps * step, 3);
}

const TYPED: Readonly<Record<TrueChannel, number>> = {
  web: 0,
  telephone: 0.05,
  counter: 0.06,
  field: 0.09,
};

function typedDiscount(channel: TrueChannel, random: Random): string {
  return random.chance(TYPED[channel]) ? random.pick(["2.5", "5", "7.5", "10"]) : "0";
}

/** So many of a thousand lines have their price typed over; nobody types in a web shop. */
const TYPED_OVER: Readonly<Record<TrueChannel, number>> = {
  web: 0,
  telephone: 4,
  counter: 3,
  field: 6,
};

/** Drawn for itself, so that it moves nothing else. */
function typedBelow(
  { scope }: World,
  { account, day }: Occasion,
  channel: TrueChannel,
  { product, quantity, discountPercent }: Omit<SaleLine, "typedBelowPercent">,
): string {
  if (discountPercent !== "0") return "0";
  const random = randomOf(scope.seed, "typed over", day, account.account, product, quantity);
  return random.whole(1, 1000) <= TYPED_OVER[channel] ? random.pick(["4", "6", "8", "11"]) : "0";
}

/** How often a channel shows in the order taker, in the documents' own column, or not at all. */
const SHOWN: Readonly<
  Record<TrueChannel, readonly [takenBy: number, column: number, none: number]>
> = {
  web: [70, 20, 10],
  telephone: [75, 17, 8],
  counter: [85, 10, 5],
  field: [80, 12, 8],
};

function evidenceOf(
  { branch }: Account,
  { channel, rep, random }: { channel: TrueChannel; rep: string | null; random: Random },
): Evidence {
  const [byTaker, byColumn, none] = SHOWN[channel];
  const shown = random.weighted([
    ["takenBy", byTaker],
    ["column", byColumn],
    ["none", none],
  ]);
  switch (shown) {
    case "takenBy": {
      const takenBy = takerOf(channel, branch.branch, { rep, random });
      return { channel: null, takenBy, branch: branch.branch, shows: channel };
    }
    case "column":
      return { channel, takenBy: null, branch: branch.branch, shows: channel };
    case "none": {
      // At a trade counter the branch itself is evidence.
      const counterOnly = branch.defaultChannel === "counter";
      const stated = counterOnly || random.chance(0.7) ? branch.branch : null;
      const takenBy = random.chance(0.3) ? "TEMP" : null;
      return { channel: null, takenBy, branch: stated, shows: counterOnly ? "counter" : "unknown" };
    }
    default:
      return shown satisfies never;
  }
}

function takerOf(
  channel: TrueChannel,
  branch: string,
  { rep, random }: { rep: string | null; random: Random },
): string {
  switch (channel) {
    case "web":
      return "WEBSHOP";
    case "telephone":
      return `SALES${random.whole(1, 6)}`;
    case "counter":
      return `TILL-${branch}-${random.whole(1, 3)}`;
    case "field":
      return rep ?? "REP00";
    default:
      return channel satisfies never;
  }
}

function reference(random: Random): string | null {
  if (random.chance(0.25)) return null;
  return random.pick([
    `PO ${random.whole(10_000, 99_999)}`,
    personName(random),
    `Job "${random.pick(["Wharf", "School", "No. 14", "Plot 7"])}", ${random.whole(1, 400)}`,
  ]);
}

function chargesOf(
  delivered: boolean,
  lines: readonly SaleLine[],
  random: Random,
): readonly SaleCharge[] {
  const charges: SaleCharge[] = [];
  const charge = (lineClass: SaleCharge["lineClass"], description: string, pence: number) =>
    charges.push({
      lineClass,
      description,
      net: moneyText(pence),
      vatCode: pence === 0 ? null : "STANDARD",
    });
  if (delivered && random.chance(0.25))
    charge("carriage", "Delivery, own vehicle", random.pick([1500, 2500, 3500]));
  if (delivered && lines.length === 1 && random.chance(0.1))
    charge("charge", "Small order charge", 500);
  if (lines.some((line) => line.product.startsWith("HVYBRK")) && random.chance(0.6))
    charge("deposit", "Pallet deposit, refunded on return", 1800 * random.whole(1, 3));
  if (random.chance(0.04)) charge("text", `As agreed with ${personName(random)}`, 0);
  return charges;
}

function returnOf(lines: number, random: Random): Return {
  return {
    line: random.whole(0, lines - 1),
    part: random.chance(0.5) ? 1 : random.pick([0.25, 0.5, 0.75]),
    afterDays: random.whole(2, 25),
    namesInvoice: random.chance(0.9),
    reason: random.pick([
      "Returned, not wanted",
      "Damaged in transit",
      "Delivered short",
      "Charged twice",
    ]),
  };
}
