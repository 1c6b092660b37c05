/** Price rounds and price changes that wait, over HTTP: looked at and decided on. */
import {
  HoldRefused,
  RoundRefused,
  type Hold,
  type ProposedEffect,
  type Round,
} from "../pricing/index.ts";
import { who as person, whoOf, why } from "./asking.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";
import { instant, orNull, text } from "./words.ts";

const whole = (about: string) => z.number().int().describe(about);

const spread = z.strictObject({
  count: whole("How many rules."),
  smallest: orNull(z.string(), "Smallest change in percent."),
  median: orNull(z.string(), "The one in the middle."),
  largest: orNull(z.string(), "Largest."),
});

const effect = z
  .strictObject({
    up: spread.describe("Rules whose price goes up."),
    down: spread.describe("Rules whose price goes down."),
    new: whole("Rules that come."),
    gone: whole("Rules that go."),
    otherwise: whole("Rules whose dates, quantities or places change."),
    customers: whole("Customers that the rules are for."),
    products: whole("Products that the rules are for."),
    largest: z
      .array(
        z.strictObject({
          rule: text("Rule of the ERP."),
          customer: text("Whom it is for."),
          product: text("What it is for."),
          fromQuantity: text("Its break."),
          kind: text("fixed, percent, amount or markup."),
          before: text("Its value."),
          after: text("Its value to come."),
          percent: text("Change of the price in percent."),
        }),
      )
      .describe("The largest changes."),
  })
  .openapi("PriceRuleEffect");

const round = z
  .strictObject({
    id: text("Its identity."),
    name: text("What people call it."),
    state: z.enum(["loaded", "approved", "confirmed", "cancelled"]).describe("How it stands."),
    startsAt: instant("When its prices start."),
    confirmBy: instant("By when the ERP must have them; after it they answer stale."),
    words: z
      .strictObject({
        openBaskets: z.enum(["until-shown", "keep"]).describe("What becomes of open baskets."),
        keepBasketsMinutes: whole("So long after the start, where they keep their prices."),
        undelivered: z.literal("keep").describe("Orders that were taken stay as agreed."),
        backOrders: z.enum(["keep", "new"]).describe("What the ERP is expected to charge."),
      })
      .describe("What becomes of what is under way."),
    file: text("File that it was loaded from."),
    fileSha256: text("SHA-256 of its content."),
    checked: z
      .strictObject({
        rules: whole("Rules in the file."),
        new: whole("That the ERP does not have yet."),
        changed: whole("That the ERP has at another price."),
        same: whole("That the ERP has already."),
        unreached: whole("For or on something that the company does not have."),
        zero: whole("Prices of 0."),
        effect: effect.nullable().describe("What they do to prices; null: nothing."),
      })
      .describe("What was found when it was loaded."),
    loadedAt: instant("When it was loaded."),
    loadedBy: text("Who loaded it."),
    decidedAt: orNull(instant(""), "When it was approved or cancelled."),
    decidedBy: orNull(z.string(), "Who did."),
    why: orNull(z.string(), "Why."),
    endedAt: orNull(instant(""), "When the last of its rules was confirmed or decided."),
    rules: z
      .strictObject({
        waiting: whole("No pull has said anything of them."),
        confirmed: whole("A pull brought the same price."),
        differs: whole("A pull brought another one."),
        decided: whole("A person let the ERP's count."),
      })
      .describe("Its rules, by what pulls said of them."),
  })
  .openapi("PriceRound");

const differences = z.array(
  z.strictObject({
    rule: text("Rule of the ERP."),
    fromQuantity: text("Its break."),
    line: whole("Line in the round's file."),
    customer: text("Whom it is for."),
    product: text("What it is for."),
    round: text("What the round says."),
    erp: orNull(z.string(), "What the ERP says instead; null: it has the rule no more."),
    seenAt: instant("When that was learned."),
  }),
);

const impact = z
  .strictObject({
    at: instant("Moment at which both prices were worked out."),
    customers: whole("Customers who pay another price for something."),
    products: whole("Products for which somebody pays another price."),
    pairs: whole("Pairs of them."),
    up: whole("Pairs that pay more."),
    down: whole("Pairs that pay less."),
    otherwise: whole("Pairs that have a price only before or only after."),
    looked: whole("Pairs that were looked at."),
    whole: z.boolean().describe("False: there are more than are looked at."),
    changes: z
      .array(
        z.strictObject({
          account: text("One of the customers."),
          accounts: whole("How many customers it is so for."),
          product: text("Product."),
          quantity: text("From how many of the selling unit."),
          before: orNull(z.string(), "What is paid."),
          after: orNull(z.string(), "What would be paid."),
          percent: orNull(z.string(), "The difference in percent."),
        }),
      )
      .describe("The largest changes."),
  })
  .openapi("PriceImpactOnCustomers");

function shownImpact({ at, ...rest }: ProposedEffect) {
  return { at: at.toString(), ...rest, changes: [...rest.changes] };
}

const orders = z.array(
  z.strictObject({
    order: text("Its number."),
    account: text("Customer."),
    placedAt: instant("When it was placed."),
    state: text("How far it is."),
    kind: z.enum(["undelivered", "back-order"]).describe("back-order: the ERP has it."),
    lines: whole("Lines of the round's products that are not invoiced in full."),
    net: text("What is left of them, at the order's prices."),
    says: text("What the round's words say of it."),
  }),
);

const roundShown = round
  .extend({
    differences,
    impact: impact.nullable().describe("What customers pay by it; null: it is cancelled."),
    orders: orders.describe("Placed before its start and not invoiced in full; oldest first."),
  })
  .openapi("PriceRoundShown");

function shownRound(one: Round) {
  const { startsAt, confirmBy, loadedAt, decidedAt, endedAt } = one;
  return {
    ...one,
    startsAt: startsAt.toString(),
    confirmBy: confirmBy.toString(),
    loadedAt: loadedAt.toString(),
    decidedAt: decidedAt?.toString() ?? null,
    endedAt: endedAt?.toString() ?? null,
  };
}

/** A refusal of the desk as a problem of the API. */
async function refusable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RoundRefused) {
      const code = error.code === "round-unknown" ? "price-round-unknown" : "price-round-refused";
      throw new Problem(code, error.message, { cause: error });
    }
    if (error instanceof HoldRefused) {
      const code = error.code === "hold-unknown" ? "price-hold-unknown" : "price-hold-decided";
      throw new Problem(code, error.message, { cause: error });
    }
    throw error;
  }
}

const who = person.describe("The person; kept with it.");
const common = { scope: "sync", tag: "prices" } as const;

export const listPriceRounds: Endpoint = endpoint({
  ...common,
  method: "get",
  address: "/v1/price-rounds",
  summary: "Prices that are loaded before their moment, newest start first",
  answers: { 200: "The rounds." },
  answer: z.strictObject({ rounds: z.array(round) }).openapi("PriceRounds"),
  problems: [],
  async handle({ services: { rounds } }) {
    return { body: { rounds: (await rounds.list()).map(shownRound) } };
  },
});

const roundPath = z.strictObject({ round: z.string().min(1).describe("Its name or identity.") });

export const showPriceRound: Endpoint = endpoint({
  ...common,
  method: "get",
  address: "/v1/price-rounds/{round}",
  summary: "A round, and what the ERP says otherwise",
  path: roundPath,
  answers: { 200: "The round." },
  answer: roundShown,
  problems: ["price-round-unknown"],
  async handle({ path, services: { rounds, pricing } }) {
    const found = await refusable(() => rounds.find(path.round));
    const listed = await rounds.differences(found.id);
    const isOut = found.state === "cancelled";
    const effects = isOut ? null : await pricing.effect({ round: found.id });
    const concerned = isOut ? [] : await rounds.orders(found.id);
    return {
      body: {
        ...shownRound(found),
        impact: effects === null ? null : shownImpact(effects),
        orders: concerned.map((each) => ({ ...each, placedAt: each.placedAt.toString() })),
        differences: listed.map((each) => ({ ...each, seenAt: each.seenAt.toString() })),
      },
    };
  },
});

export const loadPriceRound: Endpoint = endpoint({
  ...common,
  method: "post",
  address: "/v1/price-rounds",
  summary: "Load and check new prices; nothing counts until a person approves",
  body: {
    schema: z
      .strictObject({
        name: z.string().trim().min(1).max(60).describe("What people call it."),
        startsAt: instant("When its prices start."),
        confirmBy: instant("By when the ERP must have them; absent: a day later.").optional(),
        words: z
          .strictObject({
            openBaskets: z.enum(["until-shown", "keep"]).default("until-shown"),
            keepBasketsMinutes: z.int().min(0).max(43_200).default(0),
            backOrders: z.enum(["keep", "new"]).default("keep"),
          })
          .prefault({})
          .describe("What becomes of what is under way."),
        file: z.string().trim().min(1).max(200).describe("Name of the file, for the record."),
        csv: z.string().min(1).describe("Price rules as they are to be, as the ERP exports them."),
        who,
      })
      .openapi("NewPriceRound"),
    limitBytes: LIMITS.planBodyBytes,
  },
  answers: { 201: "It is loaded." },
  answer: round,
  problems: ["price-round-refused"],
  async handle({ body, holder, services: { rounds } }) {
    const { startsAt, confirmBy, csv, who: person, ...rest } = body;
    const loaded = await refusable(() =>
      rounds.load({
        ...rest,
        startsAt: Temporal.Instant.from(startsAt),
        ...(confirmBy === undefined ? {} : { confirmBy: Temporal.Instant.from(confirmBy) }),
        content: Buffer.from(csv),
        who: whoOf(holder, person),
      }),
    );
    return { status: 201, body: shownRound(loaded) };
  },
});

function decideRound(
  word: "approve" | "cancel" | "take-erp",
  summary: string,
  does: "approve" | "cancel" | "takeErp",
): Endpoint {
  return endpoint({
    ...common,
    method: "post",
    address: `/v1/price-rounds/{round}/${word}`,
    summary,
    path: roundPath,
    body: {
      schema: z.strictObject({ who, why }).openapi(`PriceRound-${word}`),
      limitBytes: LIMITS.deskBodyBytes,
    },
    answers: { 200: "The round as it stands now." },
    answer: round,
    problems: ["price-round-unknown", "price-round-refused"],
    async handle({ path, body, holder, services: { rounds } }) {
      const by = { who: whoOf(holder, body.who), why: body.why };
      return { body: shownRound(await refusable(() => rounds[does](path.round, by))) };
    },
  });
}

const hold = z
  .strictObject({
    id: text("Its identity."),
    runId: text("Run that brought the change."),
    state: z
      .enum(["open", "approved", "rejected", "over"])
      .describe("rejected: the ERP still has it; over: the ERP took it back."),
    about: text("The limits that it passed."),
    effect,
    heldAt: instant("Since when it waits."),
    decidedAt: orNull(instant(""), "When a person decided."),
    decidedBy: orNull(z.string(), "Who."),
    why: orNull(z.string(), "Why."),
    rules: whole("Rules that wait."),
  })
  .openapi("PriceHold");

const heldRules = z.array(
  z.strictObject({
    rule: text("Rule of the ERP."),
    fromQuantity: text("Its break."),
    customer: text("Whom it is for."),
    product: text("What it is for."),
    before: orNull(z.string(), "What counts."),
    after: orNull(z.string(), "What the ERP has."),
  }),
);

function shownHold(one: Hold) {
  const { heldAt, decidedAt } = one;
  return {
    ...one,
    heldAt: heldAt.toString(),
    decidedAt: decidedAt?.toString() ?? null,
  };
}

export const listPriceHolds: Endpoint = endpoint({
  ...common,
  method: "get",
  address: "/v1/price-holds",
  summary: "Price changes past the operator's limits, which wait for a person",
  query: z.strictObject({
    state: z.enum(["open", "any"]).default("open").describe("open: those that the ERP still has."),
  }),
  answers: { 200: "The changes." },
  answer: z.strictObject({ holds: z.array(hold) }).openapi("PriceHolds"),
  problems: [],
  async handle({ query, services: { holds } }) {
    const all = await holds.list({ open: query.state === "open" });
    return { body: { holds: all.map(shownHold) } };
  },
});

const holdPath = z.strictObject({ hold: z.uuid().describe("Its identity.") });

export const showPriceHold: Endpoint = endpoint({
  ...common,
  method: "get",
  address: "/v1/price-holds/{hold}",
  summary: "A change that waits, rule by rule",
  path: holdPath,
  answers: { 200: "The change." },
  answer: hold
    .extend({
      list: heldRules,
      impact: impact.nullable().describe("What customers would pay; null: nothing waits."),
    })
    .openapi("PriceHoldShown"),
  problems: ["price-hold-unknown"],
  async handle({ path, services: { holds, pricing } }) {
    const found = await refusable(() => holds.find(path.hold));
    const waits = found.state === "open" || found.state === "rejected";
    const effects = waits ? shownImpact(await pricing.effect({ hold: found.id })) : null;
    return {
      body: { ...shownHold(found), list: await holds.rules(found.id), impact: effects },
    };
  },
});

function decideHold(word: "approve" | "reject", summary: string): Endpoint {
  return endpoint({
    ...common,
    method: "post",
    address: `/v1/price-holds/{hold}/${word}`,
    summary,
    path: holdPath,
    body: {
      schema: z.strictObject({ who, why }).openapi(`PriceHold-${word}`),
      limitBytes: LIMITS.deskBodyBytes,
    },
    answers: { 200: "The change as it stands now." },
    answer: hold,
    problems: ["price-hold-unknown", "price-hold-decided"],
    async handle({ path, body, holder, services: { holds } }) {
      const by = { who: whoOf(holder, body.who), why: body.why };
      return { body: shownHold(await refusable(() => holds[word](path.hold, by))) };
    },
  });
}

/** In the order in which the OpenAPI lists them. */
export const ROUND_ENDPOINTS: readonly Endpoint[] = [
  listPriceRounds,
  loadPriceRound,
  showPriceRound,
  decideRound("approve", "Put a round into the price book; it starts at its moment", "approve"),
  decideRound("cancel", "Take a round out again", "cancel"),
  decideRound("take-erp", "Let count what the ERP has otherwise than the round", "takeErp"),
  listPriceHolds,
  showPriceHold,
  decideHold("approve", "Let a change count that waits"),
  decideHold("reject", "Keep the prices of before until the ERP is corrected"),
];
