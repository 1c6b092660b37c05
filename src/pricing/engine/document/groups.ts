/** Exclusive groups: of each the one member with which the basket saves most. */

/** More ways than this are not all tried. */
const MOST_WAYS = 64;

/**
 * One of each group, so that what they come to together is the most; of equal ones the first. With
 * few groups every way is tried; with many, one group after the other, until no single change is
 * better.
 */
export function bestOfEach<Member>(
  groups: readonly (readonly Member[])[],
  savingWith: (chosen: readonly Member[]) => number,
): readonly Member[] {
  const first = groups.flatMap((group) => group.slice(0, 1));
  const open = groups.filter((group) => group.length > 1).length;
  const ways = groups.reduce((product, group) => product * group.length, 1);
  if (ways === 1) return first;
  if (open === 1 || ways <= MOST_WAYS) return best(waysOf(groups), savingWith) ?? first;
  return improved(groups, first, savingWith);
}

function waysOf<Member>(groups: readonly (readonly Member[])[]): readonly Member[][] {
  let ways: Member[][] = [[]];
  for (const group of groups) ways = ways.flatMap((way) => group.map((member) => [...way, member]));
  return ways;
}

function best<Member>(
  ways: readonly (readonly Member[])[],
  savingWith: (chosen: readonly Member[]) => number,
): readonly Member[] | undefined {
  let [found, most]: [readonly Member[] | undefined, number] = [undefined, -Infinity];
  for (const way of ways) {
    const saving = savingWith(way);
    if (saving > most) [found, most] = [way, saving];
  }
  return found;
}

/** Each step saves more than the one before, so it ends. */
function improved<Member>(
  groups: readonly (readonly Member[])[],
  first: readonly Member[],
  savingWith: (chosen: readonly Member[]) => number,
): readonly Member[] {
  let [chosen, most] = [first, savingWith(first)];
  for (let isBetter = true; isBetter;) {
    isBetter = false;
    for (const [at, group] of groups.entries())
      for (const member of group) {
        const way = chosen.with(at, member);
        const saving = savingWith(way);
        if (saving > most) [chosen, most, isBetter] = [way, saving, true];
      }
  }
  return chosen;
}
