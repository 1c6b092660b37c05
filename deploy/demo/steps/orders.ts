/** Web orders: taken by the API, dropped for the ERP, answered, despatched, invoiced, credited. */
import { count, day as tradeDay, pounds, syncAnswer, table } from "../../../src/cli.ts";
import { randomOf, type Customer, type Product } from "../merchant/index.ts";
import { field, type Shop } from "../shop.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";
import { planted } from "./pull.ts";

interface Placed {
  readonly number: string;
  readonly key: string;
  readonly body: unknown;
}

const ORDERS = 14;

/** The orders that the ERP must get; refusals and repeats are tried on the way. */
export async function placeOrders(story: Story, world: World, shop: Shop): Promise<Placed[]> {
  story.step("Web orders: priced, checked, taken, and dropped for the ERP");
  const { merchant } = world;
  const buyers = merchant.customers.filter(
    (customer) => canBuy(customer) && customer.creditLimit === null,
  );
  const placed: Placed[] = [];
  for (let index = 0; index < ORDERS; index += 1) {
    const buyer = buyers[index % Math.max(1, buyers.length)];
    if (buyer === undefined) throw new Error("the merchant has no customer who can order");
    placed.push(await place(shop, world, buyer.account, index));
  }
  story.holds(
    `${ORDERS} orders are taken`,
    placed.map(({ number }) => number),
    Array.from({ length: ORDERS }, (_, index) => numberOf(index)),
  );
  await repeats(story, shop, placed);
  placed.push(await overLimit(story, world, shop));
  await refusals(story, world, shop);
  await world.tradepost.drain();
  const states = await statesOf(world, placed);
  story.holds(
    "every one is handed over to the ERP",
    states,
    placed.map(() => "handedOver"),
  );
  return placed;
}

function canBuy(customer: Customer): boolean {
  return customer.state === "active" && !customer.onStop && !customer.cashAccount;
}

function canOrder(product: Product): boolean {
  return product.state === "active" && product.soldOnWeb && product.replacedBy === null;
}

const numberOf = (index: number) => `WEB-${String(index + 1).padStart(4, "0")}`;

async function place(shop: Shop, world: World, account: string, index: number): Promise<Placed> {
  const body = await basket(shop, world, { account, index });
  const key = `demo-${index}`;
  const { status, body: answer } = await shop.post("/v1/orders", body, { "idempotency-key": key });
  const number = field(answer, "webOrder");
  if (status !== 201 && status !== 202)
    throw new Error(`order ${numberOf(index)} was answered ${status}: ${JSON.stringify(answer)}`);
  return { number: String(number), key, body };
}

/** A basket at the prices that the shop was told. */
async function basket(
  shop: Shop,
  { merchant }: World,
  { account, index, times = 1 }: { account: string; index: number; times?: number },
) {
  const random = randomOf(merchant.seed, "basket", index);
  const products = merchant.products.filter(canOrder);
  const chosen = new Map<string, string>();
  while (chosen.size < 4) {
    const product = random.pick(products);
    chosen.set(product.product, quantityOf(product, random.whole(1, 12) * times));
  }
  const lines = [...chosen].map(([product, quantity]) => ({ product, quantity }));
  const { body } = await shop.post("/v1/prices", { account, lines });
  return {
    webOrder: numberOf(index),
    account,
    customerReference: `PO ${index + 100}`,
    lines: lines.map((line, at) => ({
      ...line,
      unitPrice: String(field(body, "lines", at, "unitPrice")),
    })),
    charges: index % 3 === 0 ? [{ charge: "CARR", description: "Carriage", net: "8.50" }] : [],
  };
}

/** At least the least quantity, and a multiple where one is asked for. */
function quantityOf(product: Product, wanted: number): string {
  const least = Number(product.leastQuantity ?? "1");
  const multiple = Number(product.multipleQuantity ?? "1");
  return String(Math.ceil(Math.max(wanted, least) / multiple) * multiple);
}

async function repeats(story: Story, shop: Shop, placed: readonly Placed[]): Promise<void> {
  const [first] = placed;
  if (first === undefined) return;
  const same = await Promise.all(
    Array.from({ length: 20 }, () =>
      shop.post("/v1/orders", first.body, { "idempotency-key": first.key }),
    ),
  );
  story.holds(
    "the same order sent 20 times more at once is the same order",
    [...new Set(same.map(({ status, body }) => `${status} ${String(field(body, "webOrder"))}`))],
    [`201 ${first.number}`],
  );
  const other = await shop.post(
    "/v1/orders",
    { ...(first.body as object), customerReference: "something else" },
    { "idempotency-key": first.key },
  );
  story.holds(
    "the same key with another order is refused",
    [other.status, field(other.body, "code")],
    [422, "idempotency-key-reused"],
  );
}

/** An order that the credit limit holds, and a person releases. */
async function overLimit(story: Story, world: World, shop: Shop): Promise<Placed> {
  const { merchant, company } = world;
  const buyer = merchant.customers.find(
    (customer) => canBuy(customer) && Number(customer.creditLimit ?? "0") > 0,
  );
  if (buyer === undefined) throw new Error("the merchant has no customer with a credit limit");
  const body = await basket(shop, world, { account: buyer.account, index: ORDERS, times: 500 });
  const key = `demo-${ORDERS}`;
  const { status, body: answer } = await shop.post("/v1/orders", body, { "idempotency-key": key });
  const number = String(field(answer, "webOrder"));
  story.holds(
    `${buyer.name} orders ${pounds(String(field(answer, "net")))} with a credit limit of ${pounds(buyer.creditLimit)}: held`,
    [status, field(answer, "state")],
    [202, "held"],
  );
  const released = await company.orders.release(number, {
    who: "credit control",
    reason: "a payment has been promised for Friday",
  });
  story.holds("credit control releases it", released.state, "queued");
  return { number, key, body };
}

async function refusals(story: Story, world: World, shop: Shop): Promise<void> {
  const { merchant } = world;
  const stopped = merchant.customers.find((customer) => customer.onStop);
  const buyer = merchant.customers.find(
    (customer) => canBuy(customer) && customer.creditLimit === null,
  );
  if (stopped === undefined || buyer === undefined)
    throw new Error("the merchant has no stopped customer, or none who can order");
  const send = async (index: number, body: object) => {
    const { status, body: answer } = await shop.post("/v1/orders", body, {
      "idempotency-key": `demo-refused-${index}`,
    });
    return [status, field(answer, "errors", 0, "code") ?? field(answer, "code")];
  };
  const good = await basket(shop, world, { account: buyer.account, index: 900 });
  const cheaper = good.lines.map((line) => ({ ...line, unitPrice: "0.01" }));
  const unknown = good.lines.map((line) => ({ ...line, product: "NO-SUCH-THING" }));
  const found = [
    await send(1, await basket(shop, world, { account: stopped.account, index: 901 })),
    await send(2, { ...good, webOrder: "WEB-R2", lines: cheaper }),
    await send(3, { ...good, webOrder: "WEB-R3", lines: unknown }),
    await send(4, { ...good, webOrder: "WEB-R4", colour: "blue" }),
  ];
  story.say(`refused as they must be: ${found.map((each) => each.join(" ")).join(", ")}`);
  story.holds(
    "an account on stop, a price of our own making, an unknown product and an unknown field are refused",
    found.map(([status]) => status),
    [422, 422, 422, 400],
  );
}

async function statesOf(
  { company }: World,
  placed: readonly Pick<Placed, "number">[],
): Promise<string[]> {
  const states: string[] = [];
  for (const { number } of placed) states.push((await company.orders.show(number)).state);
  return states;
}

const DAYS = 14;

/**
 * Days pass: the ERP takes the orders, sells by telephone, counter and field, and invoices; what
 * else happens on the evening of a day is told by its number.
 */
export async function daysPass(
  story: Story,
  world: World,
  placed: readonly Pick<Placed, "number">[],
  onDay: ReadonlyMap<number, () => Promise<void>> = new Map(),
): Promise<void> {
  story.step(`${DAYS} days pass at the ERP; each evening's export is pulled`);
  const { company, tradepost } = world;
  const rulesBefore = await countOf(world, "price_rule");
  for (let day = 1; day <= DAYS; day += 1) {
    const happened = await world.passDays(1);
    const results = await company.sync("erp", {});
    await tradepost.drain();
    const events = results.filter(({ state }) => state === "stopped" || state === "refused");
    const rows = results.reduce((sum, result) => sum + result.rows.read, 0);
    story.say(
      `${tradeDay(happened.today)}: ${count(happened.documents)} documents posted, ${count(rows)} rows read` +
        (happened.ordersTaken.length === 0
          ? ""
          : `, ${happened.ordersTaken.length} web orders taken in`),
    );
    for (const event of events)
      story.say(`  ${event.stream}: ${event.state}. ${event.notes.join(" ")}`);
    if (day === 1) {
      story.holds(
        "the ERP has taken every order and each is accepted at the agreed price",
        await statesOf(world, placed),
        placed.map(() => "confirmed"),
      );
      story.say(syncAnswer(results).text);
    }
    if (day === 1) story.holds("a file that came twice counts once", await twice(world), []);
    if (day === 2)
      story.holds(
        "the cut-off price file removed nothing and waits in quarantine as a whole",
        [
          (await countOf(world, "price_rule")) === rulesBefore,
          events.map(({ stream, state }) => `${stream} ${state}`),
        ],
        [true, ["price-rules refused"]],
      );
    if (day === 3)
      story.holds(
        "the drop brake stopped the customers' file that lost three fifths of its rows",
        [await countOf(world, "customer"), events.map(({ stream, state }) => `${stream} ${state}`)],
        [world.merchant.customers.length, ["customers stopped"]],
      );
    await onDay.get(day)?.();
  }
  story.holds("no job failed", await tradepost.jobs.failures(), []);
  await planted(story, world, "quarantined");
}

/** Postings of one document line that stand side by side: there must be none. */
async function twice({ tradepost, company }: World): Promise<unknown[]> {
  return tradepost.store.query(
    `select document_type, document, line from sales_posting where company = $1
      group by 1, 2, 3 having sum(case when reversal then -1 else 1 end) > 1`,
    [company.code],
  );
}

async function countOf({ tradepost, company }: World, table: string): Promise<number> {
  const [row] = await tradepost.store.query<{ rows: number }>(
    `select count(*)::int as rows from ${table} where company = $1`,
    [company.code],
  );
  return row?.rows ?? 0;
}

/** None lost, none doubled, none changed: our orders beside the ERP's own books. */
export async function compareOrders(
  story: Story,
  world: World,
  placed: readonly Pick<Placed, "number">[],
): Promise<void> {
  story.step("Every web order, beside the ERP's own books");
  const { company, erp } = world;
  const books = new Map(erp.books().webOrders.map((order) => [order.webOrder, order]));
  const rows = [];
  for (const { number } of placed) {
    const ours = await company.orders.show(number);
    const theirs = books.get(number);
    const postings = await invoicedNet(world, number);
    rows.push({ number, ours, theirs, postings });
  }
  story.say(
    table(rows, [
      { head: "web order", of: ({ number }) => number },
      { head: "ERP order", of: ({ ours }) => ours.erpOrder ?? "–" },
      { head: "state", of: ({ ours }) => `${ours.state}, ${ours.fulfilment}` },
      { head: "net agreed", right: true, of: ({ ours }) => pounds(ours.net) },
      {
        head: "invoices",
        right: true,
        of: ({ theirs }) => String(theirs?.erpOrders[0]?.documents.length ?? 0),
      },
      { head: "ERP invoiced", right: true, of: ({ theirs }) => pounds(theirs?.invoicedNet) },
      { head: "ERP credited", right: true, of: ({ theirs }) => pounds(theirs?.creditedNet) },
      { head: "in our ledger", right: true, of: ({ postings }) => pounds(postings) },
    ]),
  );
  story.holds(
    "each is exactly one order in the ERP: none lost, none doubled",
    rows.map(({ theirs }) => theirs?.erpOrders.length),
    rows.map(() => 1),
  );
  story.holds(
    "the ERP holds no web order that we did not hand over",
    [...books.keys()].sort(),
    placed.map(({ number }) => number).sort(),
  );
  story.holds(
    "each is worth in the ERP what was agreed, net and VAT",
    rows.map(({ theirs }) => [theirs?.erpOrders[0]?.net, theirs?.erpOrders[0]?.vat]),
    rows.map(({ ours }) => [ours.net, ours.vat]),
  );
  story.holds(
    "each is invoiced once: our ledger has what the ERP invoiced less what it credited",
    rows.map(({ postings }) => postings),
    rows.map(({ theirs }) =>
      difference(theirs?.invoicedNet ?? "0.00", theirs?.creditedNet ?? "0.00"),
    ),
  );
}

async function invoicedNet({ tradepost, company }: World, number: string): Promise<string> {
  const [row] = await tradepost.store.query<{ net: string }>(
    `select coalesce(sum(net), 0)::numeric(18,2)::text as net from sales_posting
      where company = $1 and web_order = $2`,
    [company.code, number],
  );
  return row?.net ?? "0.00";
}

/** Pence apart, exactly: both are texts with two places. */
function difference(left: string, right: string): string {
  const pence = (text: string) => BigInt(text.replace(".", ""));
  const rest = pence(left) - pence(right);
  const digits = (rest < 0n ? -rest : rest).toString().padStart(3, "0");
  return `${rest < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
