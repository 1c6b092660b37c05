/** Connectors that open accounts wrongly; their streams are those of the healthy one. */
import type { AccountsCapability, NewAccount } from "../../../src/connector/index.ts";
import type { Rig } from "../../../src/connector/conformance/index.ts";
import { opening, rigOf, type Broken } from "./breaking.ts";

/** What a far side holds: the request that each account bears. */
interface Book {
  readonly held: string[];
  losesAnswer: boolean;
}

/** By the address of the far side. */
const books = new Map<string, Book>();

function bookOf(settings: unknown): Book {
  const { baseUrl } = settings as { readonly baseUrl: string };
  const book = books.get(baseUrl) ?? { held: [], losesAnswer: false };
  books.set(baseUrl, book);
  return book;
}

function healthy(book: Book): AccountsCapability {
  const found = (request: string) =>
    book.held.flatMap((one, at) =>
      one === request ? [{ account: `A${at + 1}`, name: "Quayle Roofing", request }] : [],
    );
  return {
    find: async ({ request }) => found(request),
    create: async ({ request }) => {
      if (found(request).length === 0) book.held.push(request);
      const lost = book.losesAnswer;
      book.losesAnswer = false;
      if (lost) return { kind: "inDoubt", evidence: "the line broke" };
      return { kind: "opened", account: found(request)[0]?.account ?? "", evidence: "it says so" };
    },
  };
}

const rig: Rig = {
  ...rigOf([]),
  start: async () => {
    const far = await rigOf([]).start();
    const book = bookOf(far.settings);
    return {
      ...far,
      close: () => far.close(),
      accounts: {
        account: asked,
        held: (request) => book.held.filter((one) => one === request).length,
        loseAnswer: () => (book.losesAnswer = true),
      },
    };
  },
};

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

function accounting(
  breaks: string,
  how: string,
  change: (accounts: AccountsCapability, book: Book) => AccountsCapability,
): Broken {
  const broken = opening(
    breaks,
    how,
    (session, _host, settings) => {
      const book = bookOf(settings);
      return { ...session, accounts: change(healthy(book), book) };
    },
    [],
  );
  return { ...broken, rig };
}

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
  accounting("account-once", "it opens an account without looking", (accounts, book) => ({
    ...accounts,
    create: async (account) => {
      if (book.losesAnswer) return accounts.create(account);
      book.held.push(account.request);
      return {
        kind: "opened",
        account: `A${book.held.indexOf(account.request) + 1}`,
        evidence: "",
      };
    },
  })),
  accounting("account-in-doubt", "it calls a doubt a refusal", (accounts) => ({
    ...accounts,
    create: async (account) => {
      const answer = await accounts.create(account);
      return answer.kind === "inDoubt" ? { kind: "refused", reason: "no good answer" } : answer;
    },
  })),
];
