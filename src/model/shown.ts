/** Moments as a person reads them, wherever they are told. */

/** 31/03/2026 08:15, in the time zone. */
export function momentText(at: Temporal.Instant, timeZone: string): string {
  const local = at.toZonedDateTimeISO(timeZone);
  const day = local.toPlainDate().toString().split("-").toReversed().join("/");
  return `${day} ${local.toPlainTime().toString({ smallestUnit: "minute" })}`;
}
