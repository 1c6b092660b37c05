/** The hostile ERP's accounts and returns: each is searched for by our number before it is made. */
import { z } from "zod";
import type {
  Accepted,
  AccountOutcome,
  AccountsCapability,
  Found,
  FoundAccount,
  NewAccount,
  NewReturn,
  OrderCall,
  Outcome,
  ReturnsCapability,
} from "#connector";
import { HttpFault } from "#connector/http";
import type { HttpClient } from "#connector/http";

const held = z.object({ number: z.string(), key: z.string(), name: z.string() });
type Held = z.infer<typeof held>;
const searched = z.object({ held: z.array(held), alike: z.array(held) });

/** Ends a call that was given up, at once. */
type Ended = <T>(call: OrderCall | undefined, work: Promise<T>) => Promise<T>;

export function returnsOf(http: HttpClient, ended: Ended): ReturnsCapability {
  return {
    find: (key, call) => ended(call, findReturn(http, key)),
    place: (goods, call) => ended(call, placeReturn(http, goods)),
  };
}

async function findReturn(http: HttpClient, key: string): Promise<Found> {
  const { body } = await http.get("returns", { query: { key }, shape: searched });
  const [first, ...more] = body.held;
  if (first === undefined) return { kind: "absent" };
  if (more.length === 0) return { kind: "present", outcome: accepted(first) };
  const numbers = body.held.map(({ number }) => number).join(" and ");
  const evidence = `It holds ${numbers} under ${key}.`;
  return { kind: "several", documents: body.held.map(accepted), evidence };
}

async function placeReturn(http: HttpClient, goods: NewReturn): Promise<Outcome> {
  const found = await findReturn(http, goods.key);
  if (found.kind === "present") return found.outcome;
  if (found.kind === "several") return { kind: "inDoubt", evidence: found.evidence };
  return http
    .post("returns", { json: goods }, { shape: held })
    .then(({ body }): Outcome => accepted(body))
    .catch((error: unknown): Outcome => {
      if (throttled(error))
        return { kind: "notNow", reason: error.message, retryAt: error.retryAt };
      return refusedOrInDoubt(error);
    });
}

const accepted = ({ number }: Held): Accepted => ({
  kind: "accepted",
  erpOrder: number,
  net: null,
  vat: null,
  evidence: `The ERP shows ${number}.`,
});

export function accountsOf(http: HttpClient, ended: Ended): AccountsCapability {
  return {
    find: (account, call) => ended(call, findAccounts(http, account)),
    create: (account, call) => ended(call, createAccount(http, account)),
  };
}

async function findAccounts(
  http: HttpClient,
  { request, name }: NewAccount,
): Promise<readonly FoundAccount[]> {
  const { body } = await http.get("accounts", { query: { key: request, name }, shape: searched });
  const shown = (one: Held) => ({ account: one.number, name: one.name, request: one.key });
  return [
    ...body.held.map(shown),
    ...body.alike.map((one) => ({ ...shown(one), because: `the same name, ${one.name}` })),
  ];
}

async function createAccount(http: HttpClient, account: NewAccount): Promise<AccountOutcome> {
  const found = await findAccounts(http, account);
  const [ours] = found.filter(({ request }) => request === account.request);
  if (ours !== undefined) return opened(ours.account);
  return http
    .post("accounts", { json: account }, { shape: held })
    .then(({ body }): AccountOutcome => opened(body.number))
    .catch(refusedOrInDoubt);
}

const opened = (account: string): AccountOutcome => ({
  kind: "opened",
  account,
  evidence: `The ERP shows ${account}.`,
});

/** 422 says that nothing was made, 429 that nothing was made yet. */
function refusedOrInDoubt(
  error: unknown,
): Extract<AccountOutcome, { readonly kind: "refused" | "inDoubt" }> {
  if (error instanceof HttpFault && error.status === 422)
    return { kind: "refused", reason: JSON.stringify(error.answer) };
  if (error instanceof HttpFault && error.inDoubt)
    return { kind: "inDoubt", evidence: error.message };
  throw error;
}

const throttled = (error: unknown): error is HttpFault =>
  error instanceof HttpFault && error.kind === "throttled";
