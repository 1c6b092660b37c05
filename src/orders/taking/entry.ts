/** What is written of a request that is answered: an order with its book, or a refusal. Pure. */
import { refusedProblem, saidOf, type OrderAnswer, type OrderProblem } from "../answer.ts";
import type { Priced } from "../buyers/index.ts";
import { after, type DeliveryEvent, type DeliveryState } from "../machine.ts";
import type { Asked } from "./asked.ts";

export interface Placed {
  readonly kind: "placed";
  readonly request: Asked;
  readonly at: Temporal.Instant;
  readonly id: string;
  readonly number: string;
  readonly priced: Priced;
  readonly book: readonly Page[];
  readonly status: 201 | 202;
  readonly answer: OrderAnswer;
}

export interface Refused {
  readonly kind: "refused";
  readonly request: Asked;
  readonly at: Temporal.Instant;
  readonly status: 422;
  readonly answer: OrderProblem;
}

export type Entry = Placed | Refused;

/** One page of the book that is opened for an order. */
export interface Page {
  readonly event: DeliveryEvent | "receive";
  readonly fromState: DeliveryState | null;
  readonly toState: DeliveryState;
  readonly who: string;
  readonly about: string;
}

export function entryOf(
  request: Asked,
  priced: Priced,
  made: { readonly at: Temporal.Instant; readonly id: string; readonly number: string },
): Entry {
  const { verdict, findings } = priced;
  if (verdict === "refuse") return refusal(request, made.at, refusedProblem(findings));
  const book = bookOf(request, priced);
  const state = book.at(-1)?.toState ?? "received";
  const { test } = request;
  const answer: OrderAnswer = {
    id: made.id,
    webOrder: made.number,
    ...saidOf(priced),
    state,
    test,
  };
  const status = verdict === "hold" ? 202 : 201;
  return { kind: "placed", request, ...made, priced, book, status, answer };
}

export function refusal(request: Asked, at: Temporal.Instant, answer: OrderProblem): Refused {
  return { kind: "refused", request, at, status: 422, answer };
}

export function heldBecause({ findings }: Priced): string[] {
  return findings.filter((finding) => finding.policy === "hold").map((finding) => finding.about);
}

/** The first pages, each step by the machine's table. */
function bookOf(request: Asked, priced: Priced): Page[] {
  const steps: { event: DeliveryEvent; about: string }[] = [
    { event: "check", about: `${priced.findings.length} findings.` },
  ];
  if (priced.verdict === "hold")
    steps.push({ event: "hold", about: heldBecause(priced).join(" ") });
  else if (!request.test) steps.push({ event: "queue", about: "Waits to be handed over." });
  let state: DeliveryState = "received";
  const about = `From API key ${request.apiKey} with key ${request.idempotencyKey}.`;
  const pages: Page[] = [{ event: "receive", fromState: null, toState: state, who: "shop", about }];
  for (const step of steps) {
    const toState: DeliveryState = after(state, step.event) ?? state;
    pages.push({ ...step, fromState: state, toState, who: "tradepost" });
    state = toState;
  }
  return pages;
}
