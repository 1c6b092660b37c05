/** The jobs of the service, each done for the company that its data names. */
import type { CompanyServices } from "../company.ts";
import type { Settings } from "../config.ts";
import type { Jobs } from "../jobs/index.ts";
import { TELL_JOB } from "../notify/index.ts";
import { ACCOUNT_JOB, ADVANCE_JOB, DELIVER_JOB, RETURN_JOB } from "../orders/index.ts";
import { PARITY_JOB } from "../parity/index.ts";
import { PUBLISH_JOB } from "../pricing/index.ts";
import { POST_JOB } from "../sales/index.ts";
import { NOTE_JOB } from "../shop/index.ts";

/** Every job of every module; each brings its company up to date and may run twice. */
export async function workOn(
  jobs: Jobs,
  settings: Settings,
  company: (code: string) => Promise<CompanyServices>,
): Promise<void> {
  const of = async (data: unknown): Promise<CompanyServices> => company(textIn(data, "company"));
  await jobs.work(PUBLISH_JOB, async (data) => {
    const { pricing, proof, orders } = await of(data);
    await pricing.publish();
    // Accounts that were asked for have prices of their own by now.
    await orders.buyers.advance();
    // What did not match may do so under the new prices.
    await proof.checkLater();
  });
  await workOnErps(jobs, settings, of);
  await jobs.work(NOTE_JOB, async (data) => {
    await (await of(data)).tellShop();
  });
  await jobs.work(POST_JOB, async (data) => {
    const company = await of(data);
    await company.sales.post();
    await company.proof.checkLater();
    // The channel of a document is known only now.
    await company.tellShop();
  });
  await jobs.work(PARITY_JOB, async (data) => {
    await (await of(data)).proof.checkAndTell();
  });
  await jobs.work(TELL_JOB, async (data) => {
    await (await of(data)).alarms.tell(textIn(data, "channel"));
  });
}

/** Jobs that wait for an ERP: one that hangs keeps the orders of its own company waiting. */
export const SHARES = {
  [DELIVER_JOB]: "company",
  [ADVANCE_JOB]: "company",
  [ACCOUNT_JOB]: "company",
  [RETURN_JOB]: "company",
};

async function advance(company: CompanyServices): Promise<void> {
  await company.stopIfBackwards({ ask: false });
  const { orders, sales } = company;
  // An order that has learned its ERP number lends its invoice lines their channel and links.
  if ((await orders.advance()).moved > 0) await sales.post();
}

async function workOnErps(
  jobs: Jobs,
  { companies }: Settings,
  of: (data: unknown) => Promise<CompanyServices>,
): Promise<void> {
  for (const [share, { orders }] of Object.entries(companies)) {
    await jobs.work(
      DELIVER_JOB,
      async (data) => (await of(data)).orders.deliver(textIn(data, "order")),
      {
        share,
        concurrency: orders.atOnce,
      },
    );
    await jobs.work(ADVANCE_JOB, async (data) => advance(await of(data)), { share });
    const work = async (data: unknown) => (await of(data)).orders.buyers;
    await jobs.work(
      ACCOUNT_JOB,
      async (data) => (await work(data)).accountRequests.open(textIn(data, "request")),
      { share },
    );
    await jobs.work(
      RETURN_JOB,
      async (data) => (await work(data)).returns.place(textIn(data, "return")),
      { share },
    );
  }
}

function textIn(data: unknown, name: string): string {
  const value: unknown = Object.entries(data ?? {}).find(([key]) => key === name)?.[1];
  if (typeof value === "string") return value;
  throw new TypeError(`a job's data has no text "${name}": ${JSON.stringify(data)}`);
}
