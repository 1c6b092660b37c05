/** A company's alarms, told as its settings say. */
import type { Context } from "../company.ts";
import { durationSeconds, type CompanySettings, type Settings } from "../config.ts";
import { openAlarms, type Alarms } from "../notify/index.ts";
import type { Checked } from "./check.ts";

/** A secret that is missing is found by `tradepost check`, and not by the first alarm. */
export function checkAlarms(settings: Settings, { alarms }: CompanySettings): Checked[] {
  const { urlSecret } = alarms.webhook ?? {};
  const named = [
    ...(urlSecret === undefined ? [] : [{ name: urlSecret, is: "the webhook's address" }]),
    ...(alarms.email?.user === undefined
      ? []
      : [{ name: "alarms_email", is: "the mail user's password" }]),
  ];
  return named.map(({ name, is }) => {
    const given = settings.secret(name) !== null;
    return {
      part: "alarms",
      state: given ? "fine" : "warning",
      about: given ? `${is} is the secret ${name}` : `${is}, the secret ${name}, is not set`,
      instruction: given
        ? null
        : `Set TRADEPOST_SECRET_${name.toUpperCase()} in the environment; nobody is told until then.`,
    };
  });
}

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
