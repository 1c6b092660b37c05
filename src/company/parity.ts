/** A company's proof of its prices, with the alarm that it raises and the ERP that can be asked. */
import type { Context } from "../company.ts";
import type { CompanySettings } from "../config.ts";
import type { Connection } from "../connections/index.ts";
import type { Alarms, NewAlarm } from "../notify/index.ts";
import { openParity, PARITY_JOB, type Checked, type PriceProof } from "../parity/index.ts";
import { vatRatesOn, type Pricing } from "../pricing/index.ts";

export interface Proof extends PriceProof {
  /** Brings parity up to the ledger, and tells of days that fall below the setting. */
  checkAndTell(): Promise<Checked>;
  /** Queues that, once for all that is asked meanwhile. */
  checkLater(): Promise<void>;
  /** Asks the connection for its own prices; null: it cannot be asked. */
  enquirer(connection: string): Promise<Enquirer | null>;
}

export interface Enquirer extends AsyncDisposable {
  readonly ask: NonNullable<Parameters<PriceProof["certify"]>[0]["enquire"]>;
}

export function proofOf(
  context: Context,
  {
    code: company,
    settings,
    pricing,
    alarms,
    connect,
  }: {
    readonly code: string;
    readonly settings: CompanySettings;
    readonly pricing: Pricing;
    readonly alarms: Alarms;
    readonly connect: (name: string) => Promise<Connection>;
  },
): Proof {
  const { store, jobs, now } = context;
  const { parity, timeZone } = settings;
  const vatOn = (date: string) => vatRatesOn(settings, date);
  const { policy, switches } = settings.pricing;
  const proof = openParity({
    store,
    company,
    settings: parity,
    vatOn,
    timeZone,
    pricing,
    shipped: { policy, switches },
    now,
  });
  return {
    ...proof,
    checkAndTell: async () => {
      const checked = await proof.check();
      await tellLowDays(proof, alarms, parity.alarmBelowPercent);
      return checked;
    },
    checkLater: () =>
      store.transaction(async (tx) => {
        await jobs.queue(tx, PARITY_JOB, { company }, { singletonKey: company });
      }),
    enquirer: async (name) => enquirerOf(await connect(name)),
  };
}

async function enquirerOf(connection: Connection): Promise<Enquirer | null> {
  const { prices } = connection.session;
  if (prices === undefined) {
    await connection[Symbol.asyncDispose]();
    return null;
  }
  return {
    ask: (questions) =>
      prices.price(
        questions.map(({ on, ...question }) => ({ ...question, on: Temporal.PlainDate.from(on) })),
      ),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** Older days are history: nobody can act on them any more. */
const TOLD_DAYS = 14;
const KEY = "parity/low";

async function tellLowDays(
  proof: PriceProof,
  alarms: Alarms,
  alarmBelowPercent: number,
): Promise<void> {
  const days = await proof.lowDays(TOLD_DAYS);
  const [last] = days;
  if (last === undefined) {
    await alarms.clear(KEY);
    return;
  }
  const said = days.map(
    ({ day, accountedPercent, mismatched }) =>
      `${dateText(day)}: ${accountedPercent ?? "0.00"}%, ${mismatched} lines without a reason`,
  );
  await alarms.raise({
    key: KEY,
    level: "error",
    title: "the ERP charges other prices than ours",
    detail:
      `The settings want ${alarmBelowPercent}% of a day's lines to match or be explained, and ` +
      `found are ${said.join("; ")}.`,
    instruction:
      "See `tradepost price parity --by kind` and its --lines, and `tradepost price certify` for the " +
      "switch of the policy that would explain them.",
  } satisfies NewAlarm);
}

function dateText(iso: string): string {
  return iso.split("-").toReversed().join("/");
}
