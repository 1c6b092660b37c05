/** Prices from a root that is not the live one. */
import type { Pricing } from "../../src/pricing/index.ts";
import { priceRows } from "../../src/pricing/price.ts";

type Root = Awaited<ReturnType<Pricing["rootAt"]>>;

/** Unit price of one of each product; what is wrong where there is none. */
export function pricesFrom(
  root: Root,
  account: string,
  products: readonly string[],
  on: Temporal.Instant,
): (string | null)[] {
  const lines = products.map((product) => ({ product, quantity: "1" }));
  return priceRows(root, { account, lines }, on.epochMilliseconds).map((line) =>
    line.state === "problem" ? line.code : line.unitPrice,
  );
}
