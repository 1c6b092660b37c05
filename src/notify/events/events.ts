/** The feed of events of one company, opened. */
import {
  readEvents,
  tidyEvents,
  type CursorProblem,
  type EventsContext,
  type EventsPage,
  type EventsQuestion,
} from "./feed.ts";

export interface Events {
  /** What follows a number, or why it cannot be gone on from. */
  after(question: EventsQuestion): Promise<EventsPage | CursorProblem>;
  /** Deletes what is older than it is kept; tells how many, which are bounded. */
  tidy(): Promise<number>;
}

export function openEvents(context: EventsContext & { readonly keepDays: number }): Events {
  return {
    after: (question) => readEvents(context, question),
    tidy: () => tidyEvents(context, context.keepDays),
  };
}
