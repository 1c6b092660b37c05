/**
 * Changes in whatever order, with whatever end: a part that was cancelled is taken off what is to
 * be, and nothing of a change that is not made is left anywhere.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { WebOrder } from "../../src/model/index.ts";
import { ACCEPTED, body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import type { Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const shop = { who: "key shop", why: null, apiKey: "shop", decides: false };

/** What is asked, by whom it is ended, and how. */
const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("amend" as const),
      bricks: fc.integer({ min: 4, max: 12 }),
      sand: fc.integer({ min: 3, max: 9 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("cancel" as const),
      line: fc.integer({ min: 1, max: 2 }),
      quantity: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("close" as const),
      which: fc.nat({ max: 3 }),
      state: fc.constantFrom("done" as const, "dropped" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("erp" as const),
      answers: fc.array(fc.boolean(), { maxLength: 4 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

const linesOf = (bricks: number, sand: number) => [
  { product: "BRICK", quantity: String(bricks), unitPrice: "4.20" },
  { product: "SAND", quantity: String(sand), unitPrice: "10.00" },
];

let keys = 0;

async function take(one: Opened, asked: Step): Promise<void> {
  const { orders, erp } = one;
  const idempotencyKey = `s${(keys += 1)}`;
  if (asked.act === "amend") {
    const lines = linesOf(asked.bricks, asked.sand);
    await orders.amend("W1", { ...shop, idempotencyKey, body: body({ lines }) });
  } else if (asked.act === "cancel") {
    const lines = [{ line: asked.line, quantity: String(asked.quantity) }];
    await orders.cancelPart("W1", { ...shop, idempotencyKey, lines });
  } else if (asked.act === "close") {
    const tasks = await orders.tasks();
    const task = tasks[asked.which % Math.max(1, tasks.length)];
    if (task !== undefined)
      await orders.closeTask({ id: task.id, state: asked.state, who: "kim", reason: "so it is" });
  } else {
    const answers = [...asked.answers];
    erp.amend =
      answers.length === 0
        ? null
        : async () => (answers.shift() === false ? { kind: "refused", reason: "no" } : ACCEPTED);
    one.mode = "live";
    await one.orders.advance();
    await companies.jobs.drain();
    one.mode = "read-only";
  }
}

interface Row {
  readonly change: number;
  readonly kind: string;
  readonly state: string;
  readonly body: WebOrder | null;
  readonly cancelled: readonly { readonly line: number; readonly quantity: string }[];
}

const quantity = (of: WebOrder, line: number): number =>
  Number(of.lines.find((one) => one.line === line)?.quantity ?? 0);

/** Each part that is cancelled and pending is so much less than what it is taken off. */
async function holds(company: string): Promise<void> {
  const [order] = await companies.store.query<{ body: WebOrder }>(
    "select body from web_order where company = $1",
    [company],
  );
  const rows = await companies.store.query<Row>(
    "select change, kind, state, body, cancelled from web_order_change where company = $1 order by change",
    [company],
  );
  if (order === undefined) throw new Error("The order is not there.");
  let base = order.body;
  for (const { kind, body: is, cancelled } of rows.filter(({ state }) =>
    ["held", "asked", "task"].includes(state),
  )) {
    if (is === null) return;
    if (kind === "cancel")
      for (const line of [1, 2]) {
        const off = cancelled.filter((one) => one.line === line);
        const sum = off.reduce((all, one) => all + Number(one.quantity), 0);
        expect([line, quantity(is, line)]).toEqual([line, quantity(base, line) - sum]);
      }
    base = is;
  }
  const intents = await companies.store.query<{ change: number; same: boolean }>(
    `select c.change, i.body is not distinct from c.body as same
       from web_order_intent i join web_order_change c using (company, order_id, change)
      where company = $1 and i.state = 'waiting'`,
    [company],
  );
  expect(intents.filter(({ same }) => !same)).toEqual([]);
}

let runs = 0;

test("a part is so much less than what is to be, whatever becomes of what was asked before it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 12 }), async (steps) => {
      const company = `LAW${(runs += 1)}`;
      const one = await companies.open(company, {}, { creditLimit: "120", balance: "0" });
      one.erp.next = async () => ACCEPTED;
      orderIn(await send(one.orders, `${company} k1`, { webOrder: "W1", lines: linesOf(8, 4) }));
      await companies.jobs.drain();
      one.mode = "read-only";
      for (const asked of steps) {
        await take(one, asked).catch((error: unknown) => {
          // What cannot be is refused in words.
          expect(error).toMatchObject({ name: "OrderError" });
        });
        await holds(company);
      }
    }),
    { numRuns: 8 },
  );
}, 120_000);
