/** Connectors that open accounts wrongly; their streams are those of the healthy one. */
import { isDeepStrictEqual } from "node:util";
import type { AccountsCapability, NewAccount } from "../../../src/connector/index.ts";
import type { Broken } from "./breaking.ts";
import { breakingOf, loses, neverEnding, type Book } from "./handed.ts";

const numberOf = (at: number) => `A${at + 1}`;

function healthy(book: Book<NewAccount>): AccountsCapability {
  return {
    find: async (asked) =>
      book.held.flatMap(({ request, name }, at) => {
        const account = numberOf(at);
        if (request === asked.request) return [{ account, name, request }];
        return name === asked.name ? [{ account, name, request, because: "the same name" }] : [];
      }),
    create: async (account) => {
      if (account.name === "") return { kind: "refused", reason: "it has no name" };
      const bears = ({ request }: NewAccount) => request === account.request;
      if (!book.held.some(bears)) book.held.push(account);
      if (loses(book)) return { kind: "inDoubt", evidence: "the line broke" };
      return { kind: "opened", account: numberOf(book.held.findIndex(bears)), evidence: "said so" };
    },
  };
}

function asked(request: string): NewAccount {
  const address = { address1: "7 Orrery Row", address2: null, address3: null, town: "York" };
  return {
    request,
    name: "Quayle Roofing",
    legalName: null,
    companyNumber: null,
    vatNumber: null,
    contact: "Wilhelmina Quayle",
    email: "mina@quayle.example",
    telephone: null,
    address: { ...address, county: null, postcode: "YO1 7AA", country: "GB" },
    deliverTo: [],
    creditLimit: null,
  };
}

const accounting = breakingOf<AccountsCapability, NewAccount>({
  name: "accounts",
  healthy,
  rig: (book) => ({
    accounts: {
      account: asked,
      refusable: (request) => ({ ...asked(request), name: "" }),
      held: (request) => book.held.filter((one) => one.request === request).length,
      kept: (request) => book.held.find((one) => one.request === request) ?? null,
      loseAnswer: () => (book.losesAnswer = true),
    },
  }),
});

export const BROKEN_ACCOUNTS: readonly Broken[] = [
  accounting("account-found", "it shows its accounts without our number", (accounts) => {
    let asks = 0;
    return {
      ...accounts,
      find: async (account) => {
        const found = await accounts.find(account);
        asks += 1;
        // Right after it was made the session still knows it by heart.
        return asks === 2 ? found.map((one) => ({ ...one, request: null })) : found;
      },
    };
  }),
  accounting(
    "account-once",
    "it opens an account whose very request it has had",
    (accounts, book) => ({
      ...accounts,
      create: async (account) => {
        if (book.held.some((one) => isDeepStrictEqual(one, account))) book.held.push(account);
        return accounts.create(account);
      },
    }),
  ),
  accounting("account-refused", "it calls an account that was refused a doubt", (accounts) => ({
    ...accounts,
    create: async (account) => {
      const answer = await accounts.create(account);
      return answer.kind === "refused" ? { kind: "inDoubt", evidence: answer.reason } : answer;
    },
  })),
  accounting("account-in-doubt", "it calls a doubt a refusal", (accounts) => ({
    ...accounts,
    create: async (account) => {
      const answer = await accounts.create(account);
      return answer.kind === "inDoubt" ? { kind: "refused", reason: "no good answer" } : answer;
    },
  })),
  accounting("account-given-up", "it opens accounts and listens to no signal", (accounts) => ({
    ...accounts,
    create: (account, call) => neverEnding(call, () => accounts.create(account)),
  })),
  accounting("account-whole", "it leaves the credit limit out", (accounts) => ({
    ...accounts,
    create: (account) => accounts.create({ ...account, creditLimit: null }),
  })),
  accounting("account-frozen", "it writes over an account that is there", (accounts, book) => ({
    ...accounts,
    create: async (account) => {
      const at = book.held.findIndex(({ request }) => request === account.request);
      if (at >= 0) book.held[at] = account;
      return accounts.create(account);
    },
  })),
  accounting("account-alike", "it does not say why it shows another account", (accounts) => ({
    ...accounts,
    find: async (account) =>
      (await accounts.find(account)).map(({ because: _because, ...one }) => one),
  })),
];
