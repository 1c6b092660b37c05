/**
 * The process that is killed: a service and its shop in one. It pulls what waits, posts, prices and
 * places the orders of its task, hands them over, and ends with 0 when nothing is left to do. Run
 * again after a kill it does what is left. Each step is a line on standard output.
 *
 *     node test/fault/worker.ts task.json
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { readSettings } from "../../src/config.ts";
import { orderRequest, type AcceptResult } from "../../src/orders/index.ts";
import { openTradepost, type CompanyServices } from "../../src/main.ts";
import { goLive } from "../support/live.ts";

export interface Task {
  /** Settings file. */
  readonly settings: string;
  readonly company: string;
  readonly orders: readonly PlannedOrder[];
}

/** An order as the shop will send it, but for its prices, which it asks first. */
export interface PlannedOrder {
  /** Its number and its idempotency key. */
  readonly number: string;
  readonly account: string;
  readonly charges: readonly { readonly charge: string; readonly net: string }[];
  readonly lines: readonly { readonly product: string; readonly quantity: string }[];
  /** A price that the shop makes up; null: it asks. */
  readonly ownPrice: string | null;
  /** True: a person releases it when a check holds it. */
  readonly release: boolean;
}

/** A line on standard output. Names are unique among the marks of one process. */
export interface Mark {
  readonly name: string;
  /** What an order was answered, or why a run failed. */
  readonly said?: string;
}

const MOST_TRIES = 5;
const LONGEST_WAIT_SECONDS = 60;
/** Batches of rows read so far, by file. */
const batches = new Map<string, number>();

/** Written at once: what was said before a kill is known after it. */
function say(name: string, more: Omit<Mark, "name"> = {}): void {
  process.stdout.write(`${JSON.stringify({ name, ...more })}\n`);
}

const task = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Task;
say("opening");
await using tradepost = await openTradepost(readSettings({ file: task.settings }), {
  service: true,
  log: (level, message) => {
    if (level !== "info") process.stderr.write(`${level}: ${message}\n`);
  },
});
const company = await tradepost.company(task.company);
if ((await company.standings.goLive("erp")) === null) await goLive(tradepost.store, task.company);
say("settling");
// What a killed process left begun is done first, and from here on jobs run beside everything else.
await settle();
say("pulling");
await pull(company);
say("posting");
await settle();
say("ordering");
for (const order of task.orders) await place(company, order);
for (const order of task.orders) if (order.release) await release(company, order.number);
say("delivering");
await settle();
say("closing");

/** A service is still there when a job is due again; this process would end, so it waits. */
async function settle(): Promise<void> {
  for (;;) {
    await tradepost.drain();
    const [left] = await tradepost.store.query<{ jobs: number }>(
      `select count(*) as jobs from pgboss.job
        where state < 'completed' and name not like '\\_\\_pgboss%'
          and start_after < now() + make_interval(secs => $1)`,
      [LONGEST_WAIT_SECONDS],
    );
    if ((left?.jobs ?? 0) === 0) return;
    await sleep(200);
  }
}

/** A run that failed is tried again, as the next scheduled one would. */
async function pull(company: CompanyServices): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const results = await company.sync("erp", {
      progress: ({ origin }) => {
        const batch = (batches.get(origin) ?? 0) + 1;
        batches.set(origin, batch);
        say(`rows ${origin} ${batch}`);
      },
    });
    const failed = results.filter(({ state }) => state === "failed");
    if (failed.length === 0) return;
    const why = failed.map(({ stream, notes }) => `${stream}: ${notes.join(" ")}`).join("; ");
    if (attempt === MOST_TRIES) throw new Error(`the pull failed ${attempt} times: ${why}`);
    say(`failed ${attempt}`, { said: why });
    await sleep(1_000);
  }
}

async function place(company: CompanyServices, order: PlannedOrder): Promise<void> {
  say(`placing ${order.number}`);
  const { number, account, charges, ownPrice } = order;
  const lines = await priced(company, order);
  const body = orderRequest.parse({
    webOrder: number,
    customerReference: number,
    account,
    charges,
    lines: lines.map((line) => ({ ...line, unitPrice: ownPrice ?? line.unitPrice })),
  });
  const request = { idempotencyKey: number, body, apiKey: "the shop", test: false };
  let result = await company.orders.accept(request);
  // A killed process's transaction may still hold the key until the server notices.
  for (let again = 0; result.status === 409 && again < 20; again += 1) {
    await sleep(500);
    result = await company.orders.accept(request);
  }
  say(`answered ${number}`, { said: answerOf(result) });
}

async function priced(company: CompanyServices, { account, lines }: PlannedOrder) {
  await company.pricing.refresh();
  return company.pricing.price({ account, lines }).map((answer, index) => {
    const line = lines[index];
    if (line === undefined) throw new Error(`${account}: more prices than lines`);
    // An unknown product has no price; the order is refused for the product.
    return { ...line, unitPrice: answer.state === "problem" ? "1.00" : (answer.unitPrice ?? "0") };
  });
}

/** The same however often it is asked for. */
function answerOf(result: AcceptResult): string {
  if ("order" in result) return `${result.status} ${result.order.webOrder} ${result.order.gross}`;
  const codes = result.problem.problems.map(({ code }) => code);
  return `${result.status} ${[result.problem.code, ...codes].join(" ")}`;
}

async function release(company: CompanyServices, number: string): Promise<void> {
  const { state } = await company.orders.show(number);
  if (state !== "held") return;
  await company.orders.release(number, { who: "credit control", reason: "paid by telephone" });
  say(`released ${number}`);
}
