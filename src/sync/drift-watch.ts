/** Looks at the shape of each origin of a run, before anything of it counts. */
import type { Origin, SourceRow } from "../connector/index.ts";
import { RunStopped } from "./brake.ts";
import {
  changesInWords,
  changesOf,
  grown,
  reactionTo,
  seenIn,
  type DriftPolicy,
  type Reaction,
  type Seen,
  type Shape,
  type ShapeChange,
} from "./drift.ts";

/** A shape that waits until a person accepts it. */
export interface PendingShape {
  readonly columns: Shape;
  readonly changes: readonly ShapeChange[];
  readonly origin: string;
  readonly reaction: Exclude<Reaction, "tell">;
}

/** The origin's shape is another one, and the settings say that it must not be applied so. */
export class ShapeChanged extends RunStopped {
  override readonly name = "ShapeChanged";
  readonly reaction: Exclude<Reaction, "tell">;
  readonly pending: PendingShape;
  readonly instruction: string;

  constructor(stream: string, pending: PendingShape) {
    const { origin, changes, reaction } = pending;
    const again =
      reaction === "quarantine"
        ? "put it back where it was found: it lies untouched where it was set aside"
        : "have it read again";
    const instruction =
      `If it is right from now on, run: drift accept ${stream} --who NAME, and ${again}. ` +
      "Otherwise have it sent as it was before.";
    super(
      `Reading ${origin}: its columns are not what they were: ${changesInWords(changes)}. ` +
        "Nothing of it was published.",
      instruction,
    );
    this.reaction = reaction;
    this.pending = pending;
    this.instruction = instruction;
  }
}

export interface ShapeWatch {
  /** Looks at the origin's columns, and with its first rows at its values; throws ShapeChanged. */
  look(id: string, origin: Origin, rows: readonly SourceRow[]): void;
  /** As if the origin had never been looked at. */
  forget(id: string): void;
  /** What a person is told of origins that were taken all the same; each is given once. */
  takeNotes(): readonly string[];
  /** The shape after all that was looked at and not forgotten; null: nothing was. */
  shape(): Shape | null;
}

export function watchShape(stream: string, known: Shape | null, policy: DriftPolicy): ShapeWatch {
  const seen = new Map<string, Seen>();
  const notes = new Map<string, string>();
  const shapeOf = (all: Iterable<Seen>): Shape | null => {
    let shape = known;
    for (const each of all) shape = grown(shape, each);
    return shape;
  };
  let current = known;
  return {
    look(id, origin, rows) {
      const before = seen.has(id) ? shapeOf(othersThan(seen, id)) : current;
      const now = seenIn(
        origin.columns,
        rows.map(({ values }) => values),
      );
      const changes = before === null ? [] : changesOf(before, now);
      const reaction = reactionTo(changes, policy);
      if (reaction === "tell") notes.set(id, told(origin.name, changes));
      else if (reaction !== null)
        throw new ShapeChanged(stream, {
          reaction: weighed(reaction, origin),
          columns: grown(before, now),
          changes,
          origin: origin.name,
        });
      seen.set(id, now);
      current = grown(before, now);
    },
    forget(id) {
      notes.delete(id);
      if (seen.delete(id)) current = shapeOf(seen.values());
    },
    takeNotes() {
      const taken = [...notes.values()];
      notes.clear();
      return taken;
    },
    shape: () => (seen.size === 0 ? null : current),
  };
}

function* othersThan(seen: ReadonlyMap<string, Seen>, id: string): Iterable<Seen> {
  for (const [each, what] of seen) if (each !== id) yield what;
}

/**
 * A file waits by itself. A page does not: a cursor would go past it for good, so the run stops.
 */
function weighed(
  reaction: Exclude<Reaction, "tell">,
  { keptAt }: Origin,
): Exclude<Reaction, "tell"> {
  return keptAt === undefined ? "stop" : reaction;
}

function told(origin: string, changes: readonly ShapeChange[]): string {
  return (
    `${origin}: its columns are not what they were: ${changesInWords(changes)}. ` +
    "It was read all the same."
  );
}
