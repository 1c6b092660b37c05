/** Checks of entering goods that come back. */
import type { NewReturn } from "../buyers.ts";
import type { Found, Outcome as Answer } from "../contract.ts";
import type { Check } from "./check.ts";
import { handingChecks, type Handing, type Made } from "./handing.ts";

const RETURNS: Handing<NewReturn> = {
  id: "return",
  a: "a return",
  without: "it enters no returns",
  keys: ["RET-CONFORMANCE-1", "RET-CONFORMANCE-2"],
  hand: ({ returns }) =>
    returns === undefined
      ? null
      : {
          find: async ({ key }) => shownBy(await returns.find(key)),
          make: async (wanted, call) => madeOf(await returns.place(wanted, call)),
        },
  rig: ({ returns }) =>
    returns === undefined
      ? null
      : {
          wanted: (key) => returns.goods(key),
          refusable: returns.refusable?.bind(returns),
          held: (key) => returns.held(key),
          kept: returns.kept?.bind(returns),
          loseAnswer: returns.loseAnswer?.bind(returns),
        },
  must: ["account", "invoice", "wanted", "lines"],
  variants: [
    (goods) => ({ ...goods, wanted: "credit" }),
    (goods) => ({ ...goods, wanted: "replace" }),
  ],
  changed: (goods) => ({
    ...goods,
    lines: goods.lines.map((line) => ({ ...line, quantity: "1000" })),
  }),
};

export const RETURNING_CHECKS: readonly Check[] = handingChecks(RETURNS);

function shownBy(found: Found): (string | null)[] {
  switch (found.kind) {
    case "absent":
      return [];
    case "present":
      return [found.outcome.kind === "accepted" ? found.outcome.erpOrder : null];
    case "several":
      return found.documents.map(({ erpOrder }) => erpOrder);
    case "another":
    case "cannotTell":
      throw new Error(`find() says "${found.kind}": ${found.reason}`);
    default:
      throw new TypeError(`find() says ${JSON.stringify(found satisfies never)}`);
  }
}

function madeOf(answer: Answer): Made {
  const word = answer.kind;
  switch (answer.kind) {
    case "accepted":
      return { kind: "made", word, number: answer.erpOrder, said: answer.evidence };
    case "handedOver":
      return { kind: "made", word, number: null, said: answer.evidence };
    case "refused":
      return { kind: "refused", word, number: null, said: answer.reason };
    case "notNow":
      return { kind: "later", word, number: null, said: answer.reason };
    case "inDoubt":
      return { kind: "inDoubt", word, number: null, said: answer.evidence };
    default:
      throw new TypeError(`a return is answered ${JSON.stringify(answer satisfies never)}`);
  }
}
