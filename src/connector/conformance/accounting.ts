/** Checks of opening trade accounts: found before made, once whatever happens. */
import type { AccountOutcome, AccountsCapability } from "../buyers.ts";
import { noteThrown, noting, short, trial, type Bench, type Trial } from "./bench.ts";
import { notHere, untried, type Check, type Outcome } from "./check.ts";
import type { RigAccounts } from "./rig.ts";

const REQUEST = "AR-CONFORMANCE-1";

export const ACCOUNTING_CHECKS: readonly Check[] = [
  {
    id: "account-found",
    holds: "find() shows no account of our number before one is made, and it afterwards",
    needsRig: true,
    run: (bench) => withAccounts(bench, accountFound),
  },
  {
    id: "account-once",
    holds: "opening an account again after a kill makes no second one",
    needsRig: true,
    run: (bench) => withAccounts(bench, accountOnce),
  },
  {
    id: "account-in-doubt",
    holds: "when the answer is lost the account is in doubt, and find() tells that it is there",
    needsRig: true,
    run: (bench) => withAccounts(bench, accountInDoubt),
  },
];

interface Desk {
  readonly one: Trial;
  readonly rig: RigAccounts;
  /** The capability of a session of its own. */
  readonly fresh: () => Promise<AccountsCapability>;
}

async function withAccounts(
  bench: Bench,
  look: (desk: Desk) => Promise<Outcome>,
): Promise<Outcome> {
  return trial(bench, async (one) => {
    if ((await one.open()).session.accounts === undefined) return notHere("it opens no accounts");
    const rig = one.far.accounts;
    if (rig === undefined) return untried("the rig has no `accounts`");
    const fresh = async () => {
      const { accounts } = (await one.open()).session;
      if (accounts === undefined) throw new Error("a second session opens no accounts");
      return accounts;
    };
    try {
      return await look({ one, rig, fresh });
    } catch (error) {
      noteThrown(bench, "opening an account", error);
      return [`it throws ${short(error)}`];
    }
  });
}

async function accountFound({ rig, fresh }: Desk): Promise<Outcome> {
  const wanted = rig.account(REQUEST);
  const accounts = await fresh();
  if ((await ofOurs(accounts, rig)).length > 0)
    return ["before it is made, find() shows an account of our number"];
  const answer = await accounts.create(wanted);
  const wrong = answerFinding(answer);
  if (wrong !== null) return [wrong];
  if (answer.kind !== "opened") return [`a good account is answered "${answer.kind}"`];
  for (const desk of [accounts, await fresh()]) {
    const found = await ofOurs(desk, rig);
    if (found.join() !== answer.account)
      return [
        `opened as ${answer.account}, find() shows ${found.join(", ") || "none"} of our number`,
      ];
  }
  return [];
}

/** Numbers of the accounts that bear our request's number. */
async function ofOurs(accounts: AccountsCapability, rig: RigAccounts): Promise<string[]> {
  const found = await accounts.find(rig.account(REQUEST));
  return found.filter(({ request }) => request === REQUEST).map(({ account }) => account);
}

/** An outcome that says what it must. */
function answerFinding(answer: AccountOutcome): string | null {
  switch (answer.kind) {
    case "opened":
      return answer.account.trim() === "" ? "an account that was opened has no number" : null;
    case "refused":
      return answer.reason.trim() === "" ? "an account is refused without a reason" : null;
    case "inDoubt":
      return answer.evidence.trim() === "" ? `"inDoubt" comes without evidence` : null;
    default:
      return `an account is answered "${JSON.stringify(answer satisfies never)}"`;
  }
}

async function accountOnce({ rig, fresh }: Desk): Promise<Outcome> {
  await (await fresh()).create(rig.account(REQUEST));
  const again = await (await fresh()).create(rig.account(REQUEST));
  const count = await rig.held(REQUEST);
  if (count !== 1) return [`opened twice with one number, the far side holds ${count} of it`];
  return again.kind === "refused"
    ? ["opened again, an account that is there is called refused"]
    : [];
}

async function accountInDoubt({ one, rig, fresh }: Desk): Promise<Outcome> {
  if ((await rig.loseAnswer?.()) !== true) return untried("the rig cannot `loseAnswer`");
  const accounts = await fresh();
  const answer = await noting(one.bench, "opening an account whose answer is lost", () =>
    accounts.create(rig.account(REQUEST)),
  );
  const count = await rig.held(REQUEST);
  const found = await ofOurs(await fresh(), rig);
  return [
    ...(answer.kind === "refused" ? ['an account whose answer is lost is called "refused"'] : []),
    ...(count === 1 ? [] : [`the far side holds ${count} of it`]),
    ...(found.length > 0 ? [] : ["find() does not show an account that is there"]),
  ];
}
