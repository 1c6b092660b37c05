/** Pay over HTTP: a rep's statement, and one plan against another. */
import { CHANNELS } from "../model/index.ts";
import { AssignmentError, IncentivesError } from "../incentives/index.ts";
import type { PlanComparison, Run, Statement } from "../incentives/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Shown } from "./endpoint.ts";
import { Problem } from "./problem.ts";
import type { ProblemCode } from "./problem.ts";
import { amount, instant, inOrder, orNull, period, text } from "./words.ts";

type Line = Statement["lines"][number];
type Row = Statement["components"][number]["rows"][number];

const payRun = z
  .strictObject({
    run: z.number().int().describe("1, 2, 3 … inside the company."),
    plan: text("Plan paid by."),
    planTitle: text("Its title."),
    version: z.number().int().describe("1, 2, 3 … of the plan and its periods."),
    from: text("First accounting period."),
    to: text("Last accounting period."),
    watermark: z.number().int().describe("Last batch of the sales ledger that it saw."),
    hash: text("The same input gives the same hash."),
    currency: text("ISO currency."),
    lines: z.number().int(),
    base: amount("Commission base: Σ reps + house + unassigned."),
    pay: amount("What the reps are paid together."),
    calculatedAt: instant("When."),
  } satisfies Record<keyof Run, z.ZodType>)
  .openapi("PayRun");

const statementRow = z.strictObject({
  period: text("Accounting period."),
  class: text("new or repeat."),
  channel: z.enum(CHANNELS),
  rate: z
    .custom<Row["rate"]>()
    .openapi({ type: "object", description: "Which row of the plan said so." }),
  ratePercent: text("The rate in percent."),
  lines: z.number().int(),
  base: amount("Net of the rep's shares."),
  pay: amount("Pay, rounded once."),
});

const statementLine = z.strictObject({
  id: text("Run and number: 12/1042."),
  component: text("Component of the plan."),
  period: text("Accounting period."),
  documentOn: z.iso.date(),
  documentType: z.enum(["invoice", "credit"]),
  document: text("Document number."),
  line: z.number().int(),
  reversal: z.boolean(),
  account: text("Account charged."),
  customer: orNull(z.string(), "Its name."),
  net: amount("Net of the line, signed."),
  sharePercent: text("The rep's share."),
  base: amount("Net × share, exact."),
  class: text("new or repeat."),
  channel: z.enum(CHANNELS),
  ratePercent: text("The rate."),
  exact: amount("Base × rate, exact."),
  pay: amount("Whole pence: the lines add up to the pay."),
  because: z
    .custom<Line["because"]>()
    .openapi({ type: "object", description: "Everything that decided it, as facts." }),
  sentence: text("The same as a sentence."),
  posting: text("Posting in the sales ledger: /v1/lines/{postingId} follows it to its file."),
} satisfies Record<keyof Line, z.ZodType>);

const statement = z
  .strictObject({
    rep: text("Rep code."),
    name: orNull(z.string(), "Name."),
    run: payRun,
    components: z.array(
      z.strictObject({
        component: text("Component of the plan."),
        title: text("Its title."),
        rows: z.array(statementRow),
        base: amount("Base of the component."),
        pay: amount("Pay of the component."),
      }),
    ),
    base: amount("Net of the rep's shares."),
    pay: amount("What the rep is paid."),
    previous: z
      .strictObject({
        run: z.number().int(),
        version: z.number().int(),
        pay: amount("What it paid."),
      })
      .nullable()
      .describe("The version before this one; null: the first."),
    lines: z.array(statementLine).describe("By document date."),
  })
  .openapi("Statement");

export const showStatement: Endpoint = endpoint({
  method: "get",
  address: "/v1/statements/{rep}",
  scope: "pay",
  tag: "pay",
  summary: "A rep's statement, every line with its because",
  path: z.strictObject({ rep: z.string().min(1).describe("Rep code.") }),
  query: z.strictObject({
    plan: z.string().min(1).describe("Plan paid by."),
    period: period("Accounting period; its pay must have been calculated."),
  }),
  answers: { 200: "The latest version." },
  answer: statement,
  problems: ["rep-unknown", "plan-unknown", "pay-run-unknown"],
  async handle({ path: { rep }, query: { plan, period: month }, services }) {
    const of = { plan, from: month, to: month };
    return { body: shown(await found(() => services.incentives.statement({ rep, of }))) };
  },
});

function shown({ run, ...rest }: Statement): Shown<z.input<typeof statement>> {
  return { ...rest, run: { ...run, calculatedAt: run.calculatedAt.toString() } };
}

const CODES: Readonly<Partial<Record<IncentivesError["code"], ProblemCode>>> = {
  "plan-unknown": "plan-unknown",
  "rep-unknown": "rep-unknown",
  "run-unknown": "pay-run-unknown",
};

async function found<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AssignmentError) throw new Problem(cause.code, cause.message, { cause });
    const code = cause instanceof IncentivesError ? CODES[cause.code] : undefined;
    if (code === undefined || !(cause instanceof Error)) throw cause;
    throw new Problem(code, cause.message, { cause });
  }
}

const percent = (about: string) => orNull(z.string(), `${about}, in percent.`);

const compared = {
  base: amount("Commission base."),
  newBase: amount("The part from new customers."),
  before: amount("Pay under the first plan."),
  after: amount("Pay under the second plan."),
  difference: amount("After less before."),
  changePercent: percent("The difference of what was paid before"),
  parityRatePercent: percent("The flat rate that pays what the first plan pays"),
  growthForParityPercent: percent("Growth that brings the second plan's pay to the first's"),
} satisfies Record<keyof PlanComparison["business"], z.ZodType>;

const plan = z.strictObject({ plan: text("Code."), title: text("Title.") });

const comparison = z
  .strictObject({
    before: plan,
    after: plan,
    from: text("First accounting period."),
    to: text("Last accounting period."),
    currency: text("ISO currency."),
    watermark: z.number().int().describe("Last batch of the sales ledger that was read."),
    bridge: z
      .strictObject({
        lines: z.number().int(),
        net: amount("Everything in the ledger for the periods."),
        excluded: z.array(
          z.strictObject({
            reason: text("Why it is not in the base."),
            what: text("What it is."),
            lines: z.number().int(),
            net: amount("Net of it."),
          }),
        ),
        baseLines: z.number().int(),
        base: amount("Commission base."),
      })
      .describe("From the ledger to the commission base."),
    reps: z.array(
      z.strictObject({ rep: text("Rep code."), name: orNull(z.string(), "Name."), ...compared }),
    ),
    business: z.strictObject(compared).describe("All reps together."),
    house: amount("Net that is explicitly nobody's."),
    unassigned: amount("Net that nobody is assigned to."),
    newSharePercent: percent("Of the reps' base, from new customers"),
    parityNewSharePercent: percent("Where that share had to be for both plans to cost the same"),
    gain: z.number().int().describe("Reps whom the second plan pays more."),
    lose: z.number().int().describe("Reps whom the second plan pays less."),
  } satisfies Record<keyof PlanComparison, z.ZodType>)
  .openapi("PlanComparison");

export const comparePlans: Endpoint = endpoint({
  method: "get",
  address: "/v1/pay/compare",
  scope: "pay",
  tag: "pay",
  summary: "One plan against another over the real ledger; nothing is written",
  query: z
    .strictObject({
      plan: z.string().min(1).describe("The first plan."),
      against: z.string().min(1).describe("The second plan."),
      from: period("First accounting period."),
      to: period("Last accounting period."),
    })
    .superRefine(inOrder),
  answers: { 200: "What each would pay, to whom, and where they meet." },
  answer: comparison,
  problems: ["plan-unknown", "assignment-impossible"],
  async handle({ query: { plan: before, against: after, from, to }, services }) {
    return { body: await found(() => services.incentives.compare({ before, after, from, to })) };
  },
});
