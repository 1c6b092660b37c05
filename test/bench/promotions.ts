/**
 * Promotions on carts (P7): 200 of them active, on carts of 100 lines, beside a bare loop over an
 * index that finds the one percent of a line and multiplies. The shape is that of shops' own
 * promotion modules: each promotion is for a customer group and 20 products. A second row has all
 * kinds mixed.
 */
import { document } from "../../src/pricing/engine/index.ts";
import type { PromotionRow } from "../../src/pricing/engine/index.ts";
import { loadPolicy } from "../../src/pricing/index.ts";
import type { Bench } from "./main.ts";
import { inRounds, median, ratioOf } from "./measure.ts";
import { rate, ratioGoal } from "./report.ts";
import type { Figure } from "./report.ts";

const PROMOTIONS = 200;
const GROUPS = 10;
const PRODUCTS = 2000;
const LINES = 100;
const CARTS = 300;
const MOMENT = Date.parse("2026-06-01T12:00:00Z");

interface Cart {
  readonly group: string;
  readonly lines: readonly document.BasketLine[];
}

/** Lines a second of carts with percents. */
export async function cartSpeed(bench: Bench): Promise<number> {
  return median((await cartRounds(bench)).map((round) => round.plain));
}

export async function measurePromotions(bench: Bench): Promise<Figure[]> {
  const taken = await cartRounds(bench);
  const limit = rate(median(taken.map((round) => round.bare)), "lines");
  const figure = (name: "plain" | "mixed", work: string, hasGoal: boolean): Figure => {
    const ratio = ratioOf(
      taken,
      (round) => round[name],
      (round) => round.bare,
    );
    return {
      row: "P7",
      work,
      ours: rate(median(taken.map((round) => round[name])), "lines"),
      limit: `${limit} in a bare index loop`,
      ratio,
      goal: hasGoal ? ratioGoal(ratio, { atLeast: 0.3 }) : null,
    };
  };
  return [
    figure("plain", `${LINES}-line cart, ${PROMOTIONS} promotions, percents`, true),
    figure("mixed", `${LINES}-line cart, ${PROMOTIONS} promotions, all kinds and limits`, false),
  ];
}

/** Lines a second of the bare loop and of both kinds of carts, round by round. */
async function cartRounds(bench: Bench): Promise<Record<"bare" | "plain" | "mixed", number>[]> {
  const { rounds, seed } = bench;
  bench.say(`promotions: ${PROMOTIONS} active, carts of ${LINES} lines`);
  const { arithmetic } = await loadPolicy("generic");
  const compile = (rows: PromotionRow[]) =>
    document.compilePromotions(rows, { arithmetic, timeZone: "Europe/London" });
  const plain = compile(percents());
  const mixed = compile(mixedKinds());
  const index = indexOf(percents());
  const carts = Array.from({ length: CARTS }, (_, at) => cartOf(seed * 1000 + at));
  checkSame(plain, index, carts);
  const timed = (work: (cart: Cart) => number) => async () => {
    const started = performance.now();
    let sum = 0;
    for (const cart of carts) sum += work(cart);
    if (sum < 0) throw new Error("promotions never raise a price");
    return (CARTS * LINES * 1000) / (performance.now() - started);
  };
  const contenders = {
    bare: timed((cart) => bareLoop(index, cart)),
    plain: timed((cart) => savingOf(plain, cart)),
    mixed: timed((cart) => savingOf(mixed, cart)),
  };
  await inRounds(3, contenders);
  return inRounds(Math.max(rounds, 5), contenders);
}

function row(at: number, product: number, fields: Partial<PromotionRow>): PromotionRow {
  return {
    promotion: `P${at}`,
    customerScope: "customer-group",
    customerCode: `G${at % GROUPS}`,
    productScope: "product",
    productCode: `prod${product}`,
    kind: "percent",
    value: String(2 + (at % 9)),
    buyQuantity: null,
    thresholdValue: null,
    code: null,
    validFrom: "2026-01-01",
    validTo: "2026-12-31",
    stacks: true,
    ...fields,
  };
}

/** Promotion k is for group k % 10, on 20 products of its own slice of the range. */
function percents(): PromotionRow[] {
  const slice = PRODUCTS / (PROMOTIONS / GROUPS);
  return Array.from({ length: PROMOTIONS }, (_, at) =>
    Array.from({ length: 20 }, (_, product) =>
      row(at, Math.floor(at / GROUPS) * slice + product, {}),
    ),
  ).flat();
}

/** The same places with every kind in turn, over the product, some with limits, none stacking. */
function mixedKinds(): PromotionRow[] {
  const kinds: readonly Partial<PromotionRow>[] = [
    {},
    { kind: "multi-buy", buyQuantity: "3", value: "9.99" },
    { kind: "buy-get", buyQuantity: "2", freeQuantity: "1", value: "50" },
    { kind: "free-goods", buyQuantity: "10", freeQuantity: "1", value: null },
    { kind: "threshold", thresholdValue: "50", countsOver: "group" },
    { budget: "1000000", mostPerOrder: 3 },
    { exclusiveGroup: "E", countsOver: "group" },
  ];
  return percents().map((each) => ({
    ...each,
    stacks: false,
    countsOver: "product",
    ...kinds[Number(each.promotion.slice(1)) % kinds.length],
  }));
}

function indexOf(rows: readonly PromotionRow[]): ReadonlyMap<string, number> {
  return new Map(
    rows.map((each) => [each.customerCode + each.productCode, Number(each.value)] as const),
  );
}

function bareLoop(index: ReadonlyMap<string, number>, { group, lines }: Cart): number {
  const found: [number, number][] = [];
  let at = 0;
  for (const line of lines) {
    const percent = index.get(group + line.product);
    if (percent !== undefined) found.push([at, Math.round((line.amount * percent) / 100)]);
    at += 1;
  }
  return found.length;
}

const NOTHING = { codes: [], uses: new Map(), worth: new Map() } as const;

function put(set: document.PromotionSet, { group, lines }: Cart): document.BasketPromotions {
  const customer = { "customer-group": [group] };
  return document.applyPromotions(set, { lines, customer, moment: MOMENT, ...NOTHING });
}

function savingOf(set: document.PromotionSet, cart: Cart): number {
  return put(set, cart).applied.length;
}

/** The loop is a limit only for who finds the same. */
function checkSame(
  set: document.PromotionSet,
  index: ReadonlyMap<string, number>,
  carts: readonly Cart[],
): void {
  for (const cart of carts.slice(0, 20)) {
    const wanted = cart.lines.map(({ product, amount }) => {
      const percent = index.get(cart.group + product) ?? 0;
      return amount - Math.round((amount * (100 - percent)) / 100);
    });
    if (JSON.stringify(put(set, cart).lowered) !== JSON.stringify(wanted))
      throw new Error("the promotions engine and the bare loop find different discounts");
  }
}

function cartOf(seed: number): Cart {
  let state = seed * 2_654_435_761 + 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
  return {
    group: `G${random(GROUPS)}`,
    lines: Array.from({ length: LINES }, () => {
      const units = 1 + random(20);
      return {
        product: `prod${random(PRODUCTS)}`,
        groups: [],
        quantity: units * 100_000,
        perPricingUnit: 100_000,
        amount: units * (100 + random(5000)),
        closed: null,
        promotion: null,
      };
    }),
  };
}
