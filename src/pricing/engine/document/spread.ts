/** An amount over lines, to the last unit. */

/** Percent of the whole, with 4 places. */
export const WHOLE = 1_000_000;

/**
 * Shares of `amount` (not below 0) in proportion to `weights` that sum to it exactly: each gets the
 * whole units of its share, and those with the largest rest one more. On equal rests the larger
 * weight, then the lower `rank`, comes first, so that the order of lines makes no difference.
 */
export function spread(
  amount: number,
  weights: readonly number[],
  rank: readonly number[],
): number[] {
  let total = 0;
  let largest = 0;
  for (const weight of weights) {
    total += weight;
    if (weight > largest) largest = weight;
  }
  if (total === 0 || amount === 0) return weights.map(() => 0);
  const shares: number[] = [];
  const rests: number[] = [];
  const isSafe = amount * largest <= Number.MAX_SAFE_INTEGER;
  let left = amount;
  for (const weight of weights) {
    const { share, rest } = isSafe
      ? shareOf(amount, weight, total)
      : wideShareOf(amount, weight, total);
    shares.push(share);
    rests.push(rest);
    left -= share;
  }
  if (left === 0) return shares;
  const order = shares.map((_, line) => line).filter((line) => weights[line] !== 0);
  order.sort((a, b) => rests[b]! - rests[a]! || weights[b]! - weights[a]! || rank[a]! - rank[b]!);
  for (const line of order.slice(0, left)) shares[line]! += 1;
  return shares;
}

function shareOf(amount: number, weight: number, total: number) {
  const product = amount * weight;
  const rest = product % total;
  return { share: (product - rest) / total, rest };
}

function wideShareOf(amount: number, weight: number, total: number) {
  const product = BigInt(amount) * BigInt(weight);
  return { share: Number(product / BigInt(total)), rest: Number(product % BigInt(total)) };
}

/**
 * Each share rounded half away by itself; the largest line takes what is over, so that nothing is
 * lost.
 */
export function spreadRounded(
  amount: number,
  weights: readonly number[],
  rank: readonly number[],
): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0 || amount === 0) return weights.map(() => 0);
  const shares = weights.map((weight) => {
    const { share, rest } = wideShareOf(amount, weight, total);
    return rest * 2 >= total ? share + 1 : share;
  });
  const over = amount - shares.reduce((sum, share) => sum + share, 0);
  let largest = 0;
  weights.forEach((weight, line) => {
    const ahead = weight - weights[largest]!;
    if (ahead > 0 || (ahead === 0 && rank[line]! < rank[largest]!)) largest = line;
  });
  shares[largest]! += over;
  return shares;
}
