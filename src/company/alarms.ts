/** A company's alarms, told as its settings say. */
import type { Context } from "../company.ts";
import { durationSeconds, type CompanySettings } from "../config.ts";
import { openAlarms, type Alarms } from "../notify/index.ts";

export function alarmsOf(
  { settings, store, jobs, now, log }: Context,
  company: string,
  { alarms, timeZone }: CompanySettings,
): Alarms {
  const { webhook, email, repeatEvery } = alarms;
  return openAlarms({
    store,
    jobs,
    company,
    timeZone,
    settings: { webhook, email, repeatSeconds: durationSeconds(repeatEvery) },
    secret: (name) => settings.secret(name),
    now,
    log,
  });
}
