/**
 * The process that taking orders in is measured in: a merchant's prices, customers and products in
 * a database, orders of three lines at the prices that are right, and beside them the bare INSERT
 * of a row of the same size. It leaves the database with a key, for the service that is started on
 * it.
 */
import { Pool } from "pg";
import { readSettings } from "../../src/config.ts";
import { openTradepost } from "../../src/main.ts";
import type { CompanyServices } from "../../src/main.ts";
import { orderRequest } from "../../src/orders/index.ts";
import type { OrderAnswer, OrderRequest } from "../../src/orders/index.ts";
import { inRounds } from "./measure.ts";
import { PRICING_SIZES, questionsOf } from "./price-data.ts";
import { fillTables } from "./price-tables.ts";
import { asked, tell } from "./process.ts";
import { COMPANY, benchSettings } from "./pull-process.ts";

export interface OrderQuestion {
  readonly folder: string;
  readonly database: string;
  readonly rules: number;
  readonly rounds: number;
  readonly seed: number;
}

export interface Taken {
  /** Orders, or rows, a second. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

type Round = Readonly<Record<"ours" | "bare", Taken>>;

export interface OrderFigures {
  /** So many callers at a time on the pool's connections. */
  readonly many: readonly Round[];
  /** One caller after another. */
  readonly one: readonly Round[];
  /** Characters of an order as it is kept. */
  readonly orderBytes: number;
  /** Opens the service's orders. */
  readonly secret: string;
  /** Orders as a shop sends them. */
  readonly bodies: readonly string[];
}

const LINES = 3;
/** Different orders; each is sent with a new key again and again. */
const BODIES = 500;
/** As many as a process opens by default. */
const CONNECTIONS = 10;
const CALLERS = 16;
const PER_ROUND = { ours: 1_500, bare: 6_000 };
const ALONE = 300;

for await (const question of asked()) tell(await measure(question as OrderQuestion));

async function measure(question: OrderQuestion): Promise<OrderFigures> {
  const { folder, database, rules, rounds, seed } = question;
  const sizes = { ...PRICING_SIZES, rules, rounds, seed };
  const file = await benchSettings(folder, { database });
  await using tradepost = await openTradepost(readSettings({ file }), {
    service: true,
    log: () => undefined,
  });
  const { store } = tradepost;
  await fillTables(store, COMPANY, sizes);
  await limitCredit(tradepost);
  await store.query("VACUUM ANALYZE");
  const company = await tradepost.company(COMPANY);
  await company.pricing.publish();
  const orders = ordersOf(company, questionsOf(sizes, BODIES, LINES, seed));
  const accept = acceptor(company, orders);
  const kept = await accept();
  // As the server's own upkeep does within a minute: plans made for empty tables are made anew.
  await timed(PER_ROUND.ours, CALLERS, accept);
  await store.query("ANALYZE");
  const orderBytes = JSON.stringify(kept).length;
  await using bare = await bareTable(store.url, JSON.stringify(kept));
  const contenders = (count: Record<"ours" | "bare", number>, callers: number) => ({
    ours: () => timed(count.ours, callers, accept),
    bare: () => timed(count.bare, callers, () => bare.insert()),
  });
  // The first rounds warm what is compiled and kept.
  const many = await inRounds(rounds + 1, contenders(PER_ROUND, CALLERS));
  const one = await inRounds(rounds + 1, contenders({ ours: ALONE, bare: ALONE }, 1));
  const { secret } = await tradepost.access.createKey({
    company: COMPANY,
    name: "The bench",
    scopes: ["orders"],
    test: false,
    createdBy: "the bench",
  });
  const bodies = orders.map((order) => JSON.stringify(order));
  return { many: many.slice(1), one: one.slice(1), orderBytes, secret, bodies };
}

type Opened = Awaited<ReturnType<typeof openTradepost>>;

/** Two accounts of three have a limit, which no order of the bench reaches. */
async function limitCredit({ store }: Opened): Promise<void> {
  await store.affect(
    `update customer set credit_limit = 100000000, balance = 1000
      where company = $1 and substr(account, 2)::int % 3 > 0`,
    [COMPANY],
  );
}

/** Each at the prices that are right now. */
function ordersOf(
  { pricing }: CompanyServices,
  { accounts, products, quantities }: ReturnType<typeof questionsOf>,
): OrderRequest[] {
  return Array.from(accounts, (account, call) => {
    const lines = Array.from({ length: LINES }, (_, at) => ({
      product: `P${products[call * LINES + at]}`,
      quantity: String(quantities[call * LINES + at]),
    }));
    const prices = pricing.price({ account: `A${account}`, lines });
    return orderRequest.parse({
      account: `A${account}`,
      customerReference: `PO ${call}`,
      lines: lines.map((line, at) => {
        const price = prices[at];
        if (price === undefined || price.state === "problem")
          throw new Error(`the bench's merchant has no price for ${line.product}`);
        return { ...line, unitPrice: price.unitPrice };
      }),
    });
  });
}

/** Every order is new, and none may be held or refused: that would be other work. */
function acceptor(
  { orders: book }: CompanyServices,
  orders: readonly OrderRequest[],
): () => Promise<OrderAnswer> {
  let sent = 0;
  return async () => {
    sent += 1;
    const body = orders[sent % orders.length];
    if (body === undefined) throw new Error("the bench has no orders");
    const idempotencyKey = `bench-${sent}`;
    const order = { ...body, customerReference: `PO ${sent}` };
    const result = await book.accept({ idempotencyKey, body: order, apiKey: "bench", test: false });
    if (result.status === 201) return result.order;
    throw new Error(`an order of the bench was not taken: ${JSON.stringify(result)}`);
  };
}

interface Bare extends AsyncDisposable {
  insert(): Promise<unknown>;
}

/** A row as large as an order with a key as ours, nothing else: the least that is durable. */
async function bareTable(url: string, body: string): Promise<Bare> {
  const pool = new Pool({ connectionString: url, max: CONNECTIONS });
  // A server that ends before them must not end the process, which has to clean up.
  pool.on("error", () => undefined);
  await pool.query(
    "create table bench_order (company text, id uuid, body jsonb, primary key (company, id))",
  );
  const text = "insert into bench_order (company, id, body) values ($1, $2, $3)";
  return {
    // Prepared: the faster way.
    insert: () => pool.query({ name: "bare", text, values: [COMPANY, crypto.randomUUID(), body] }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

async function timed(count: number, callers: number, work: () => Promise<unknown>): Promise<Taken> {
  const waits: number[] = [];
  let begun = 0;
  const caller = async () => {
    while (begun < count) {
      begun += 1;
      const asked = performance.now();
      await work();
      waits.push(performance.now() - asked);
    }
  };
  const since = performance.now();
  await Promise.all(Array.from({ length: callers }, caller));
  const rate = (count * 1000) / (performance.now() - since);
  waits.sort((left, right) => left - right);
  const quantile = (share: number) => waits[Math.floor((waits.length - 1) * share)] ?? NaN;
  return { rate, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}
