/** A round's rules in the book, beside those of the canonical table that they follow. */
import type { Queryable } from "../store/index.ts";
import type { Round, RoundsReading } from "./round-store.ts";

/**
 * What stood until the start and what is to be from then on, instead of the canonical rows. At a
 * midnight of the company both are told by dates, as the ERP would.
 */
export async function coverRules(
  { company, timeZone, now }: RoundsReading,
  tx: Queryable,
  { id, startsAt }: Pick<Round, "id" | "startsAt">,
): Promise<void> {
  const local = startsAt.toZonedDateTimeISO(timeZone);
  const midnight = local.equals(local.startOfDay());
  const day = local.toPlainDate();
  const [until, from] = midnight
    ? [
        clip("valid_to", "date", "least", "$4::date"),
        clip("valid_from", "date", "greatest", "$5::date"),
      ]
    : [
        clip("ends_at", "timestamptz", "least", "$4::timestamptz"),
        clip("starts_at", "timestamptz", "greatest", "$5::timestamptz"),
      ];
  const bounds = midnight
    ? [day.subtract({ days: 1 }).toString(), day.toString()]
    : [startsAt.toString(), startsAt.toString()];
  const starts = midnight
    ? "(x.before ->> 'valid_from')::date > $4::date"
    : "(x.before ->> 'starts_at')::timestamptz >= $4::timestamptz";
  const open = "x.company = $1 and x.round_id = $2 and x.state in ('waiting', 'differs')";
  await tx.affect(
    `insert into price_overlay (company, rule, from_quantity, part, hides, row, source, source_id, learned_at)
     select $1, x.rule, x.from_quantity, part, true,
            case part when 0 then case when x.before is null or ${starts} then null
                                       else x.before || ${until("x.before")} end
                      else x.row || ${from("x.row")} end, 'round', $2, $3
       from price_round_rule x cross join generate_series(0, 1) part where ${open}
     on conflict (company, rule, from_quantity, part) do update
        set hides = true, row = excluded.row, source = excluded.source,
            source_id = excluded.source_id, learned_at = excluded.learned_at
      where price_overlay.row is distinct from excluded.row
         or price_overlay.source_id is distinct from excluded.source_id`,
    [company, id, now(), ...bounds],
  );
  await tx.query("analyze price_overlay");
}

/** SQL of the one column of a row that says when it starts or stops. */
function clip(column: string, type: string, which: "least" | "greatest", bound: string) {
  return (row: string) =>
    `jsonb_build_object('${column}', ${which}((${row} ->> '${column}')::${type}, ${bound}))`;
}
