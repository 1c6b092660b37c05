/**
 * A test key tries out a shop: what it does never reaches a live ERP, and of orders, returns and
 * requests for an account it sees and changes those of test keys alone.
 */
import type { Caller, Endpoint } from "./endpoint.ts";
import { Problem } from "./problem.ts";

/** Scopes of what is live: the desk, the ERP's data, keys, where events go. */
const OF_PEOPLE = new Set<string>(["desk", "sync", "keys", "webhooks"]);

/** Throws where a test key asks for what is not a test's. */
export function refuseTestKey(
  { address, scope }: Pick<Endpoint, "address" | "scope">,
  { holder }: Caller,
): void {
  if (!holder.test || !OF_PEOPLE.has(scope)) return;
  throw new Problem(
    "scope-missing",
    `${address} with a test key: a test key never touches what is live. Use a live one.`,
  );
}
