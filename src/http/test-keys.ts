/** A test key tries out a shop; what it does never reaches a live ERP, nor what others did. */
import type { Caller, Endpoint } from "./endpoint.ts";
import { Problem } from "./problem.ts";

/** Scopes whose acts are about what is live: at the desk, the ERP's data, keys, where events go. */
const OF_PEOPLE = new Set<string>(["desk", "sync", "keys", "webhooks"]);

/** Throws where a test key would change something that is not a test's. */
export async function refuseTestKey(
  { method, address, scope }: Pick<Endpoint, "method" | "address" | "scope">,
  { holder, services }: Caller,
  number: string | undefined,
): Promise<void> {
  if (!holder.test || method === "get") return;
  if (OF_PEOPLE.has(scope))
    throw new Problem(
      "scope-missing",
      `${address} with a test key: a test key never touches what is live. Use a live one.`,
    );
  if (number === undefined || !address.startsWith("/v1/orders/{number}/")) return;
  const order = await services.orders.show(number).catch(() => null);
  // One that is not there is told so by the endpoint itself.
  if (order === null || order.test) return;
  throw new Problem(
    "scope-missing",
    `${address} with a test key: ${number} is no test order, and a test key changes test orders ` +
      "only. Use a live one.",
  );
}
