/** An alarm as a person reads it and as a program is given it. */
import { momentText } from "../model/index.ts";

export type Occasion = "raised" | "again" | "over" | "test";

export interface AlarmFacts {
  readonly id: string;
  readonly company: string;
  readonly key: string;
  readonly level: "warning" | "error";
  readonly title: string;
  readonly detail: string;
  readonly instruction: string;
  readonly since: Temporal.Instant;
  /** Null while it holds. */
  readonly overAt: Temporal.Instant | null;
}

export interface Letter {
  /** Of this telling: the same one sent twice has the same. */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  /** What a webhook is given; `text` is what chat programs show. */
  readonly body: Readonly<Record<string, unknown>>;
}

export function letterOf(
  alarm: AlarmFacts,
  { id, occasion, timeZone }: { id: string; occasion: Occasion; timeZone: string },
): Letter {
  const subject = `[Tradepost ${alarm.company}] ${SUBJECTS[occasion](alarm)}`;
  const text = [subject, "", ...lines(alarm, occasion, timeZone)].join("\n");
  const { overAt, since } = alarm;
  return {
    id,
    subject,
    text,
    body: {
      id,
      occasion,
      text,
      alarm: { ...alarm, since: since.toString(), overAt: overAt?.toString() ?? null },
    },
  };
}

const SUBJECTS: Readonly<Record<Occasion, (alarm: AlarmFacts) => string>> = {
  raised: ({ level, title }) => `${level === "error" ? "Alarm" : "Warning"}: ${title}`,
  again: ({ title }) => `Still: ${title}`,
  over: ({ title }) => `Over: ${title}`,
  test: ({ title }) => title,
};

function lines(alarm: AlarmFacts, occasion: Occasion, timeZone: string): string[] {
  const since = `Since: ${momentText(alarm.since, timeZone)}`;
  if (occasion === "over")
    return [since, `Over:  ${alarm.overAt === null ? "–" : momentText(alarm.overAt, timeZone)}`];
  return [alarm.detail, "", since, `Do:    ${alarm.instruction}`];
}
