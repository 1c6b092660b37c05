/**
 * What the hostile ERP does wrong. Drawn from the seed, the order and how often it was asked about
 * it, so that an order meets the same faults whatever else goes on at the time.
 */
import { randomOf } from "../../../deploy/demo/merchant/index.ts";

export type PlacingFault =
  | "429"
  | "429 with Retry-After"
  | "500 before commit"
  | "500 after commit"
  | "reset before commit"
  | "reset after commit"
  | "slow"
  | "commit after the client gave up"
  | "cut answer"
  | "draft";

export type FindingFault = "429" | "500" | "reset" | "slow" | "cut answer";

/** Of all calls. */
export const FAULT_SHARE = 0.24;

const PLACING: readonly (readonly [PlacingFault, number])[] = [
  ["429", 2],
  ["429 with Retry-After", 1],
  ["500 before commit", 3],
  ["500 after commit", 3],
  ["reset before commit", 2],
  ["reset after commit", 3],
  ["slow", 2],
  ["commit after the client gave up", 4],
  ["cut answer", 2],
  ["draft", 2],
];

const FINDING: readonly (readonly [FindingFault, number])[] = [
  ["429", 2],
  ["500", 3],
  ["reset", 2],
  ["slow", 2],
  ["cut answer", 2],
];

/** Shares of orders that the ERP itself will not have, or changes. */
const REFUSED = 0.004;
const TAMPERED = 0.004;

export interface Draws {
  placing(key: string, call: number): PlacingFault | null;
  finding(key: string, call: number): FindingFault | null;
  /** The ERP refuses this order, always. */
  refuses(key: string): boolean;
  /** The ERP charges another price for this order, always. */
  tampers(key: string): boolean;
  /** A number from 0 to 1 for anything else about an order. */
  of(purpose: string, key: string, call?: number): number;
}

export function drawsOf(seed: number, share: number = FAULT_SHARE): Draws {
  const of = (purpose: string, key: string, call = 0) => randomOf(seed, purpose, key, call).next();
  const fault = <Kind>(
    purpose: string,
    choices: readonly (readonly [Kind, number])[],
    key: string,
    call: number,
  ): Kind | null => {
    const random = randomOf(seed, purpose, key, call);
    return random.next() < share ? random.weighted(choices) : null;
  };
  return {
    placing: (key, call) => fault("placing", PLACING, key, call),
    finding: (key, call) => fault("finding", FINDING, key, call),
    refuses: (key) => of("refused", key) < REFUSED,
    tampers: (key) => of("tampered", key) < TAMPERED,
    of,
  };
}
