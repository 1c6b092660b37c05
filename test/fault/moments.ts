/**
 * When to kill. A run without kills shows which steps a day has and how long each takes; a kill is
 * aimed at a moment inside a step that is still to come.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../deploy/demo/merchant/index.ts";
import type { Aim, Heard } from "./child.ts";
import type { World } from "./world.ts";

/** A step of the work, from one mark to the next. */
interface Step {
  readonly kind: Kind;
  readonly after: string;
  readonly lastsMs: number;
  /** What it is about: a file that waits, an order without an answer; null: it always comes. */
  readonly about: string | null;
}

/** In the order in which they come on a day. */
const KINDS = [
  "opening",
  "staging",
  "publishing",
  "posting",
  "placing",
  "dropping",
  "delivering",
] as const;
type Kind = (typeof KINDS)[number];

/** What is aimed at in turn, from a place of its own each day: the risky ones more often. */
const DECK: readonly Kind[] = [
  "publishing",
  "dropping",
  "staging",
  "posting",
  "publishing",
  "placing",
  "dropping",
  "delivering",
  "publishing",
  "staging",
  "opening",
];

export interface Moments {
  /** A moment in what is left of the day's work; null when nothing is left to aim at. */
  next(world: World, answered: ReadonlySet<string>): Aim | null;
  /** Whether a mark is that of a file's last rows. */
  isLast(mark: string): boolean;
}

/** Three files and a rename each: the order's lines, its manifest, its header. */
const EVENTS_PER_ORDER = 3;

/** Moments for so many kills in a day; what one leaves undone, the next can strike at. */
export function momentsOf(clean: readonly Heard[], random: Random, kills: number): Moments {
  const steps = stepsOf(clean);
  const lasts = new Set(
    steps.filter(({ kind }) => kind === "publishing").map(({ after }) => after),
  );
  const first = random.whole(0, DECK.length - 1);
  const turned = [...DECK.slice(first), ...DECK.slice(0, first)];
  const kinds = Array.from({ length: Math.ceil(kills / DECK.length) }, () => turned)
    .flat()
    .slice(0, kills)
    .sort((one, other) => KINDS.indexOf(one) - KINDS.indexOf(other));
  return {
    isLast: (mark) => lasts.has(mark),
    next(world, answered) {
      const waiting = new Set(readdirSync(join(world.folder, "erp", "out")));
      const left = steps.filter(({ kind, about }) => {
        if (about === null) return true;
        return kind === "placing" ? !answered.has(about) : waiting.has(about);
      });
      for (let kind = kinds.shift(); kind !== undefined; kind = kinds.shift()) {
        const fitting = left.filter((step) => step.kind === kind);
        // Early enough that something is left for the kills of this kind that are still to come.
        const later = kinds.filter((other) => other === kind).length;
        const early = fitting.slice(0, Math.ceil(fitting.length / (later + 1)));
        const aim = kind === "dropping" ? dropping(left, random) : within(early, random);
        if (aim !== null) return aim;
      }
      return null;
    },
  };
}

function within(steps: readonly Step[], random: Random): Aim | null {
  if (steps.length === 0) return null;
  const { kind, after, lastsMs } = random.pick(steps);
  return { kind, after, delayMs: Math.floor(random.next() * (lastsMs + 1)) };
}

function dropping(left: readonly Step[], random: Random): Aim | null {
  const orders = left.filter(({ kind }) => kind === "placing").length;
  const file = random.whole(1, Math.max(1, orders) * EVENTS_PER_ORDER);
  return { kind: "dropping", file, delayMs: random.whole(0, 3) };
}

function stepsOf(marks: readonly Heard[]): Step[] {
  return marks.slice(0, -1).flatMap((mark, index) => {
    const next = marks[index + 1];
    const [word = "", about = ""] = mark.name.split(" ");
    const kind = next === undefined ? null : kindOf(word, about, next);
    if (kind === null || next === undefined) return [];
    const isAbout = word === "rows" || word === "placing";
    return [{ kind, after: mark.name, lastsMs: next.at - mark.at, about: isAbout ? about : null }];
  });
}

function kindOf(word: string, about: string, next: Heard): Kind | null {
  switch (word) {
    case "opening":
    case "settling":
      return "opening";
    case "rows":
      // After a file's last rows come its merge, its commit and its way to the archive.
      return next.name.startsWith(`rows ${about} `) ? "staging" : "publishing";
    case "posting":
    case "placing":
    case "delivering":
      return word;
    default:
      return null;
  }
}
