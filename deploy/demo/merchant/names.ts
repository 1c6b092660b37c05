/** Names of people, firms, streets and postcodes, from names.yaml. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { at, type Random } from "./random.ts";

export interface Place {
  readonly branch: string;
  readonly town: string;
  /** Letters that its postcodes begin with. */
  readonly area: string;
}

interface Names {
  readonly surnames: readonly string[];
  readonly forenames: readonly string[];
  readonly streets: readonly string[];
  readonly places: readonly Place[];
  readonly works: Readonly<Record<string, readonly string[]>>;
  readonly tradingAs: readonly string[];
}

const NAMES: Names = parse(readFileSync(new URL("names.yaml", import.meta.url), "utf8"));

/** The first towns of the list, and numbered ones where a merchant has more branches. */
export function places(count: number): readonly Place[] {
  return Array.from({ length: count }, (_, i) =>
    i < NAMES.places.length
      ? at(NAMES.places, i)
      : {
          ...at(NAMES.places, i % NAMES.places.length),
          branch: `B${String(i + 1).padStart(3, "0")}`,
        },
  );
}

export function postcode(random: Random, place: Place): string {
  const letters = "ABDEFGHJLNPQRSTUWXYZ";
  const letter = () => letters.charAt(random.whole(0, letters.length - 1));
  return `${place.area}${random.whole(1, 28)} ${random.whole(1, 9)}${letter()}${letter()}`;
}

export function street(random: Random): string {
  return random.chance(0.2)
    ? `Unit ${random.whole(1, 30)}, ${random.pick(NAMES.streets)}`
    : `${random.whole(1, 240)} ${random.pick(NAMES.streets)}`;
}

export function personName(random: Random): string {
  return `${random.pick(NAMES.forenames)} ${random.pick(NAMES.surnames)}`;
}

export function firmName(random: Random, trade: string): string {
  const work = random.pick(NAMES.works[trade] ?? ["Trading Ltd"]);
  const surname = random.pick(NAMES.surnames);
  switch (random.whole(0, 6)) {
    case 0:
      return `${random.pick(NAMES.forenames)} ${surname} ${work}`;
    case 1:
      return `${surname} & ${random.pick(NAMES.surnames)} ${work}`;
    case 2:
      return `${surname}'s ${work}`;
    case 3:
      return `${random.pick(NAMES.forenames).charAt(0)} ${surname}, ${work}`;
    case 4:
      return `${surname} ${work}, t/a "${random.pick(NAMES.tradingAs)}"`;
    default:
      return `${surname} ${work}`;
  }
}
