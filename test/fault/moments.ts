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

/** In the order in which they come, each with how often it is aimed at, beside the others. */
const KINDS = [
  ["opening", 2],
  ["staging", 3],
  ["publishing", 5],
  ["posting", 3],
  ["placing", 2],
  ["dropping", 4],
  ["delivering", 2],
] as const;
type Kind = (typeof KINDS)[number][0];

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
  const order = KINDS.map(([kind]) => kind);
  const kinds = Array.from({ length: kills }, () => random.weighted(KINDS)).sort(
    (one, other) => order.indexOf(one) - order.indexOf(other),
  );
  return {
    isLast: (mark) => lasts.has(mark),
    next(world, answered) {
      const waiting = new Set(readdirSync(join(world.folder, "erp", "out")));
      const left = steps.filter(({ kind, about }) => {
        if (about === null) return true;
        return kind === "placing" ? !answered.has(about) : waiting.has(about);
      });
      for (let kind = kinds.shift(); kind !== undefined; kind = kinds.shift()) {
        const aim = kind === "dropping" ? dropping(left, random) : within(kind, left, random);
        if (aim !== null) return aim;
      }
      return null;
    },
  };
}

function within(kind: Kind, left: readonly Step[], random: Random): Aim | null {
  const fitting = left.filter((step) => step.kind === kind);
  if (fitting.length === 0) return null;
  const { after, lastsMs } = random.pick(fitting);
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
