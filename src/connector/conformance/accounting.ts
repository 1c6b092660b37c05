/** Checks of opening trade accounts. */
import type { AccountOutcome, AccountsCapability, NewAccount } from "../buyers.ts";
import type { Check, Outcome } from "./check.ts";
import { handingChecks, withDesk, type Desk, type Handing, type Made } from "./handing.ts";

const ACCOUNTS: Handing<NewAccount> = {
  id: "account",
  a: "an account",
  without: "it opens no accounts",
  keys: ["AR-CONFORMANCE-1", "AR-CONFORMANCE-2"],
  hand: ({ accounts }) =>
    accounts === undefined
      ? null
      : {
          find: (wanted) => ofOurs(accounts, wanted),
          make: async (wanted, call) => madeOf(await accounts.create(wanted, call)),
        },
  rig: ({ accounts }) =>
    accounts === undefined
      ? null
      : {
          wanted: (key) => accounts.account(key),
          refusable: accounts.refusable?.bind(accounts),
          held: (key) => accounts.held(key),
          kept: accounts.kept?.bind(accounts),
          loseAnswer: accounts.loseAnswer?.bind(accounts),
        },
  must: ["name", "email", "address"],
  variants: [
    (wanted) => ({ ...wanted, creditLimit: null }),
    (wanted) => ({ ...wanted, creditLimit: "2500.00" }),
  ],
  changed: (wanted) => ({ ...wanted, name: `${wanted.name} Holdings`, creditLimit: "999999.00" }),
};

export const ACCOUNTING_CHECKS: readonly Check[] = [
  ...handingChecks(ACCOUNTS),
  {
    id: "account-alike",
    holds: "an account that find() shows and that bears another number says what is the same",
    needsRig: true,
    run: (bench) => withDesk(bench, ACCOUNTS, alike),
  },
];

/** Numbers of the accounts that bear our request's number. */
async function ofOurs(accounts: AccountsCapability, wanted: NewAccount): Promise<string[]> {
  const found = await accounts.find(wanted);
  return found.filter(({ request }) => request === wanted.request).map(({ account }) => account);
}

function madeOf(answer: AccountOutcome): Made {
  const word = answer.kind;
  switch (answer.kind) {
    case "opened":
      return { kind: "made", word, number: answer.account, said: answer.evidence };
    case "refused":
      return { kind: "refused", word, number: null, said: answer.reason };
    case "inDoubt":
      return { kind: "inDoubt", word, number: null, said: answer.evidence };
    default:
      throw new TypeError(`an account is answered ${JSON.stringify(answer satisfies never)}`);
  }
}

/** The same customer asks a second time, under another number. */
async function alike({ one, rig, key, fresh }: Desk<NewAccount>): Promise<Outcome> {
  await (await fresh()).make(rig.wanted(key));
  const { accounts } = (await one.open()).session;
  const found = (await accounts?.find(rig.wanted(ACCOUNTS.keys[1]))) ?? [];
  return found
    .filter(({ request, because = "" }) => request !== ACCOUNTS.keys[1] && because.trim() === "")
    .map(({ account }) => `account ${account} is shown, and nothing says what is the same`);
}
