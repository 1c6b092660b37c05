/** VAT rates of a company at a moment, for whatever bears a code of its own and is no line. */
import { calendar, ruleOf } from "./engine/index.ts";
import type { PricingSettings } from "./load.ts";

type Rated = Pick<PricingSettings, "vat" | "vatRules" | "timeZone">;

/** VAT code → its rate in percent at a moment (milliseconds since 1970); without one: absent. */
export function vatRatesAt(settings: Rated, moment: number): Readonly<Record<string, string>> {
  const { vat, vatRules, timeZone } = settings;
  const stated = Object.entries(vatRules?.codes ?? vat);
  const started = (from: string | null) =>
    from === null || calendar.startOfDay(from, timeZone) <= moment;
  return Object.fromEntries(
    stated.flatMap(([code, rule]) => {
      const rate = ruleOf(rule).rates.findLast(({ from }) => started(from));
      return rate === undefined ? [] : [[code, rate.percent]];
    }),
  );
}

/** The same on a business date. */
export function vatRatesOn(settings: Rated, date: string): Readonly<Record<string, string>> {
  return vatRatesAt(settings, calendar.startOfDay(date, settings.timeZone));
}
