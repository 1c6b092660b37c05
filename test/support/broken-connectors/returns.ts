/** Connectors that enter returns wrongly; their streams are those of the healthy one. */
import { isDeepStrictEqual } from "node:util";
import type { NewReturn, Outcome, ReturnsCapability } from "../../../src/connector/index.ts";
import type { Broken } from "./breaking.ts";
import { breakingOf, loses, neverEnding, type Book } from "./handed.ts";

const accepted = (at: number): Outcome => ({
  kind: "accepted",
  erpOrder: `RMA${at + 1}`,
  net: null,
  vat: null,
  evidence: "it says so",
});

function healthy(book: Book<NewReturn>): ReturnsCapability {
  const placeOf = (key: string) => book.held.findIndex((one) => one.key === key);
  return {
    find: async (key) =>
      placeOf(key) < 0 ? { kind: "absent" } : { kind: "present", outcome: accepted(placeOf(key)) },
    place: async (goods) => {
      if (goods.lines.length === 0) return { kind: "refused", reason: "it has no lines" };
      if (placeOf(goods.key) < 0) book.held.push(goods);
      if (loses(book)) return { kind: "inDoubt", evidence: "the line broke" };
      return accepted(placeOf(goods.key));
    },
  };
}

function goods(key: string): NewReturn {
  return {
    key,
    account: "A1",
    invoice: "INV1",
    webOrder: null,
    wanted: "credit",
    reason: "Broken on arrival.",
    lines: [{ line: 1, product: "TILE", quantity: "3" }],
  };
}

const returning = breakingOf<ReturnsCapability, NewReturn>({
  name: "returns",
  healthy,
  rig: (book) => ({
    returns: {
      goods,
      refusable: (key) => ({ ...goods(key), lines: [] }),
      held: (key) => book.held.filter((one) => one.key === key).length,
      kept: (key) => book.held.find((one) => one.key === key) ?? null,
      loseAnswer: () => (book.losesAnswer = true),
    },
  }),
});

/** What is placed goes through a function first. */
const changing = (breaks: string, how: string, change: (given: NewReturn) => NewReturn): Broken =>
  returning(breaks, how, (returns) => ({
    ...returns,
    place: (given) => returns.place(change(given)),
  }));

/** What is answered goes through a function. */
const answering = (breaks: string, how: string, change: (answer: Outcome) => Outcome): Broken =>
  returning(breaks, how, (returns) => ({
    ...returns,
    place: async (given) => change(await returns.place(given)),
  }));

export const BROKEN_RETURNS: readonly Broken[] = [
  returning("return-found", "it searches by the first letters of a number", (returns, book) => ({
    ...returns,
    find: (key) => {
      const alike = book.held.find((one) => one.key.slice(0, 4) === key.slice(0, 4));
      return returns.find(alike?.key ?? key);
    },
  })),
  returning("return-once", "it enters a return whose very request it has had", (returns, book) => ({
    ...returns,
    place: async (given) => {
      if (book.held.some((one) => isDeepStrictEqual(one, given))) book.held.push(given);
      return returns.place(given);
    },
  })),
  answering("return-refused", "it calls a return that was refused a doubt", (answer) =>
    answer.kind === "refused" ? { kind: "inDoubt", evidence: answer.reason } : answer,
  ),
  answering("return-in-doubt", "it calls a return in doubt a refusal", (answer) =>
    answer.kind === "inDoubt" ? { kind: "refused", reason: answer.evidence } : answer,
  ),
  returning("return-given-up", "it enters returns and listens to no signal", (returns) => ({
    ...returns,
    place: (given, call) => neverEnding(call, () => returns.place(given)),
  })),
  changing("return-whole", "it enters what is to be replaced as a credit", (given) => ({
    ...given,
    wanted: "credit",
  })),
  returning("return-frozen", "it writes over a return that is there", (returns, book) => ({
    ...returns,
    place: async (given) => {
      const at = book.held.findIndex(({ key }) => key === given.key);
      if (at >= 0) book.held[at] = given;
      return returns.place(given);
    },
  })),
];
