/** What each lane of the fault tests is given and gives back; `main.ts` runs and prints them. */

export interface LaneOptions {
  readonly seed: number;
  /** True: the small lane of fixed size that every change runs. */
  readonly ci: boolean;
  /** How many processes to kill, where the lane leaves a choice. */
  readonly kills?: number | undefined;
  /** How many web orders, and for which class of connector, where the lane leaves a choice. */
  readonly orders?: number | undefined;
  readonly class?: string | undefined;
  readonly say: (line: string) => void;
}

/** One line of the printed table. Every figure but `injected` and `forPerson` must be 0. */
export interface LaneRow {
  /** Row of the goals: `F2`. */
  readonly row: string;
  readonly experiment: string;
  readonly injected: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly stuck: number;
  readonly unaccounted: number;
  /** In the ERP otherwise than it was agreed. */
  readonly changed?: number;
  /** Share that waits for a person; at most 1 %. */
  readonly forPerson?: string;
  /** What went wrong, each to be repeated by the seed; empty when all is well. */
  readonly findings: readonly string[];
}

export type Lane = (options: LaneOptions) => Promise<readonly LaneRow[]>;
