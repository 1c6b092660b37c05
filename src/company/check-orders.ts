/** What settings of web orders and webhooks name that is not there, or open wider than is meant. */
import type { CompanySettings } from "../config.ts";
import type { Store } from "../store/index.ts";
import type { Checked } from "./check.ts";

export async function checkOrders(
  store: Store,
  company: string,
  settings: CompanySettings,
): Promise<Checked[]> {
  return [...(await checkAccounts(store, company, settings)), ...checkAllowed(settings)];
}

/** Before any customer is pulled nobody can tell. */
async function checkAccounts(
  store: Store,
  company: string,
  { orders: { guests, accountRequests } }: CompanySettings,
): Promise<Checked[]> {
  const named = [
    { setting: "orders.guests.account", account: guests?.account, what: "guests' orders go to" },
    {
      setting: "orders.accountRequests.pricesOf",
      account: accountRequests.pricesOf,
      what: "orders of those who ask for an account are priced as",
    },
  ].flatMap(({ account, ...rest }) => (account === undefined ? [] : [{ account, ...rest }]));
  if (named.length === 0) return [];
  const [known] = await store.query<{ pulled: boolean; accounts: readonly string[] }>(
    `select exists (select 1 from customer where company = $1) as pulled,
            array(select account from customer where company = $1 and account = any($2)) as accounts`,
    [company, named.map(({ account }) => account)],
  );
  if (known === undefined || !known.pulled) return [];
  return named
    .filter(({ account }) => !known.accounts.includes(account))
    .map(({ setting, account, what }) => ({
      part: "orders",
      state: "warning",
      about: `The ERP has no account "${account}", which ${what} (${setting}): they are refused.`,
      instruction: `Open it in the ERP and pull customers, or name another one in ${setting}.`,
    }));
}

/** Fewer fixed bits than these are no network of one house. */
const NARROWEST = { 4: 8, 6: 16 } as const;

function checkAllowed({ webhooks }: CompanySettings): Checked[] {
  return webhooks.allow.filter(isTooWide).map((entry) => ({
    part: "webhooks",
    state: "warning",
    about:
      `webhooks.allow lets webhooks go to ${entry}: whoever may add one reaches nearly every address, ` +
      "inside the house too.",
    instruction: "Name the hosts or the networks that take webhooks, such as 10.1.2.0/24.",
  }));
}

function isTooWide(entry: string): boolean {
  const [host = "", bits] = entry.split("/");
  return bits !== undefined && Number(bits) < NARROWEST[host.includes(":") ? 6 : 4];
}
