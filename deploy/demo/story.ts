/** The demo's voice: steps with figures, and assertions that are counted. */
import { isDeepStrictEqual } from "node:util";

export interface Story {
  /** Begins a step. */
  step(title: string): void;
  say(...lines: readonly string[]): void;
  /** A statement that must hold; when it does not, found and expected are shown and counted. */
  holds(statement: string, found: unknown, expected: unknown): void;
  /** Runs a piece of work and says how long it took. */
  timed<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** The closing line; how many statements did not hold. */
  end(): number;
}

export function tellStory(write: (text: string) => void): Story {
  let steps = 0;
  let held = 0;
  let broken = 0;
  const began = performance.now();
  const say = (...lines: readonly string[]) => {
    for (const line of lines) write(line === "" ? "\n" : `   ${line.replaceAll("\n", "\n   ")}\n`);
  };
  return {
    step(title) {
      steps += 1;
      write(`\n${steps}. ${title}\n`);
    },
    say,
    holds(statement, found, expected) {
      if (isDeepStrictEqual(found, expected)) {
        held += 1;
        say(`✓ ${statement}`);
        return;
      }
      broken += 1;
      say(`✗ ${statement}`, `    found    ${show(found)}`, `    expected ${show(expected)}`);
    },
    async timed(what, work) {
      const since = performance.now();
      const result = await work();
      say(`${what} (${seconds(since)} s)`);
      return result;
    },
    end() {
      write(
        `\n${held} of ${held + broken} statements held, in ${seconds(began)} s.${broken === 0 ? "" : " Those marked ✗ did not."}\n`,
      );
      return broken;
    },
  };
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 600 ? text : `${text.slice(0, 600)}…`;
}
