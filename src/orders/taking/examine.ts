/** Orders as the checks see them now, many in one transaction. */
import type { Queryable } from "../../store/index.ts";
import { plainArithmetic } from "../amounts.ts";
import { buyerOf, type Priced } from "../buyers/index.ts";
import { examine, type OrderFacts } from "../checks.ts";
import type { OrdersContext } from "../context.ts";
import { gatherFacts, type Asking, type Examinee, type Manner, type Turned } from "../facts.ts";
import type { OrderRequest } from "../request.ts";

/** For each order; one that would wait for others is turned away where it must not. */
export async function examineAll(
  tx: Queryable,
  context: OrdersContext,
  requests: readonly Stated[],
  manner: Manner,
): Promise<(Priced | Turned)[]> {
  const { settings, pricing, company } = context;
  const now = context.now();
  const today = now.toZonedDateTimeISO(settings.timeZone).toPlainDate().toString();
  const mayGo = (one: Stated) => manner !== "never wait" || !mustWait(one.body);
  const buyers: (Awaited<ReturnType<typeof buyerOf>> & Examinee)[] = [];
  for (const { body, test } of requests.filter(mayGo))
    buyers.push({ ...(await buyerOf(tx, context, body, test)), test });
  const ask = asking(tx, context, today, manner);
  const repeatedWithinMinutes = settings.repeatedWithinMinutes ?? 0;
  const gathering = { company, now, repeatedWithinMinutes, manner, ask };
  const facts = await gatherFacts(tx, gathering, buyers);
  const writing = {
    arithmetic: pricing.arithmetic ?? plainArithmetic(settings.rounding),
    carriesDiscount: context.outbound.carriesDiscount,
  };
  const examined = buyers.map((buyer, index) => {
    const known = facts[index] ?? "alone";
    if (typeof known === "string") return known;
    const found = examine(buyer.order, known, settings, today, writing);
    return buyer.judged({ ...found, evidence: evidenceOf(known), held: known.held ?? [] });
  });
  const results = examined.values();
  return requests.map((one) => (mayGo(one) ? (results.next().value ?? "alone") : "alone"));
}

/** An order as a shop states it. */
export interface Stated {
  readonly body: OrderRequest;
  readonly test: boolean;
}

/** A quotation is given once; an account request may be decided this moment. */
function mustWait({ quotation, accountRequest }: OrderRequest): boolean {
  return quotation !== null || accountRequest !== null;
}

function asking(tx: Queryable, context: OrdersContext, today: string, manner: Manner): Asking {
  const { settings, pricing } = context;
  return (order, branch) =>
    pricing.price(
      tx,
      {
        account: order.account,
        site: order.site,
        branch,
        on: today,
        quotation: order.quotation,
        conditions: order.conditions,
        currency: order.currency ?? settings.currency,
        codes: order.codes,
        lines: order.lines,
      },
      manner === "never wait" ? "none" : "wait",
    );
}

/** Where each line's price comes from; goods that a promotion gives name it. */
function evidenceOf({ prices, given = [] }: OrderFacts): unknown[] {
  return [
    ...prices.map(({ evidence }) => evidence),
    ...given.map(({ promotion }) => ({ promotions: [promotion] })),
  ];
}
