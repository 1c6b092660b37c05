/**
 * A day of prices as a table: what all prices answer at each moment, what a shop may keep, what the
 * feed tells it, and what becomes of orders at the old price, at the new one, and with a token that
 * was signed before.
 */
import { onTestFinished } from "vitest";
import { productOf, type Trade } from "./price-round.ts";

export interface Day {
  /** The prices from which and to which everything moves, for all products. */
  row(local: string, about: string): Promise<void>;
  /** From now on its baskets present the price as it is signed now. */
  sign(): void;
  table(): string;
}

const HEAD = [
  "when",
  "what happens",
  "prices",
  "state",
  "valid until",
  "kept",
  "feed",
  "order at old",
  "at new",
  "with token",
];

export interface DayOptions {
  /** The price of a product before and after, by its number. */
  readonly prices: ReadonlyMap<string, { readonly old: string; readonly new: string }>;
  /** The product that is ordered and asked for alone. */
  readonly product?: string;
}

/** A shop in front of Tradepost over HTTP. */
export async function openDay(
  trade: Trade,
  { prices, product = productOf(2) }: DayOptions,
): Promise<Day> {
  const get = await shopOf(trade);
  const rows: string[][] = [HEAD];
  let cursor = (await get<Feed>("/v1/price-changes")).body.next;
  let signed: { readonly unitPrice: string; readonly priceToken: string | undefined } | null = null;
  const told = async () => {
    const { body } = await get<Feed>(`/v1/price-changes?after=${cursor}`);
    cursor = body.next;
    return body.entries.length === 0
      ? "–"
      : body.entries.map(({ productScope, productCode }) => productCode ?? productScope).join(" ");
  };
  const pair = prices.get(product) ?? { old: "", new: "" };
  return {
    sign: () => {
      const { unitPrice, token } = trade.price(product, { tokens: true });
      signed = { unitPrice: unitPrice ?? "", priceToken: token ?? undefined };
    },
    row: async (local, about) => {
      trade.at(local);
      const order = (unitPrice: string) => outcome(trade.order({ product, unitPrice }));
      const { headers } = await get(`/v1/prices?account=TRADE01&product=${product}&quantity=1`);
      rows.push([
        local.replace("T", " "),
        about,
        ...pricesAt(trade, prices),
        /max-age=(\d+)/.exec(headers.get("cache-control") ?? "")?.[1] ?? "none",
        await told(),
        await order(pair.old),
        await order(pair.new),
        signed === null ? "–" : await outcome(trade.order({ product, ...signed })),
      ]);
    },
    table: () => textOf(rows),
  };
}

interface Feed {
  readonly entries: readonly {
    readonly productScope: string;
    readonly productCode: string | null;
  }[];
  readonly next: string;
}

async function shopOf(trade: Trade) {
  const { tradepost, code } = trade;
  const listening = await tradepost.serve({ port: 0 });
  onTestFinished(() => listening.close());
  const asked = { company: code, name: "Shop", scopes: ["prices"] as const, test: false };
  const { secret } = await tradepost.access.createKey({ ...asked, createdBy: "test" });
  return async <Body = unknown>(address: string) => {
    const headers = { authorization: `Bearer ${secret}` };
    const answer = await fetch(`${listening.url}${address}`, { headers });
    const body = (await answer.json()) as Body;
    if (!answer.ok) throw new Error(JSON.stringify(body));
    return { headers: answer.headers, body };
  };
}

/** Every price of the company: "8,000 old", how they stand, and until when. */
function pricesAt({ company, customer }: Trade, prices: DayOptions["prices"]): string[] {
  const lines = [...prices.keys()].map((product) => ({ product, quantity: "1" }));
  const groups = new Map<string, { count: number; cells: readonly [string, string, string] }>();
  for (const line of company.pricing.price({ account: customer, lines })) {
    if (line.state === "problem") throw new Error(line.detail);
    const { old, new: later } = prices.get(line.product) ?? { old: "", new: "" };
    const { unitPrice, state, stateReason, validUntil } = line;
    const which = unitPrice === old ? "old" : unitPrice === later ? "new" : (unitPrice ?? "none");
    const why = stateReason === null ? "" : `: ${stateReason.replace(/^.*; /, "")}`;
    const cells = [which, `${state}${why}`, validUntil ?? "–"] as const;
    const group = groups.get(cells.join("\n"));
    if (group === undefined) groups.set(cells.join("\n"), { count: 1, cells });
    else group.count += 1;
  }
  const all = [...groups.values()];
  const joined = (at: 1 | 2) => all.map(({ cells }) => cells[at]).join(" / ");
  const which = all.map(({ count, cells }) => `${count.toLocaleString("en-GB")} ${cells[0]}`);
  return [which.join(" / "), joined(1), joined(2)];
}

async function outcome(answered: ReturnType<Trade["order"]>): Promise<string> {
  const result = await answered;
  if (!("problem" in result)) return result.order.state === "held" ? "held" : "taken";
  return `refused: ${result.problem.problems.map(({ code }) => code).join(", ")}`;
}

/** Columns that line up, as they are compared and read. */
function textOf(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join(" | ")
        .trimEnd(),
    )
    .join("\n");
}
