/** One alarm a webhook, by how it stands: disabled by Tradepost, or with events it never took. */
import type { Transaction } from "../../store/index.ts";
import type { NewAlarm } from "../alarms.ts";
import type { WebhooksContext } from "./context.ts";

interface Standing {
  readonly url: string;
  readonly about: string;
  readonly because: string | null;
  readonly failed: number;
  readonly problem: string | null;
}

export async function tellStanding(
  { company, alarms }: WebhooksContext,
  tx: Transaction,
  id: string,
): Promise<void> {
  const [standing] = await tx.query<Standing>(
    `select w.url, w.about, w.disabled_because as because,
            (select count(*) from webhook_delivery d where d.company = w.company
                and d.webhook_id = w.id and d.state = 'failed')::int as failed,
            (select d.problem from webhook_delivery d where d.company = w.company
                and d.webhook_id = w.id and d.state = 'failed'
              order by d.tried_at desc limit 1) as problem
       from webhook w where w.company = $1 and w.id = $2`,
    [company, id],
  );
  const alarm = standing === undefined ? null : alarmOf(id, standing);
  if (alarm === null) await alarms.clear(`webhook/${id}`, tx);
  else await alarms.raise(alarm, tx);
}

function alarmOf(id: string, { url, about, because, failed, problem }: Standing): NewAlarm | null {
  const what = `${about === "" ? "a webhook" : about} (${new URL(url).host})`;
  if (because !== null)
    return {
      key: `webhook/${id}`,
      level: "error",
      title: `the webhook ${what} is disabled`,
      detail: `${because} The shop is told nothing until it is enabled again; what happens is kept for it.`,
      instruction:
        `Have the receiver mended, then \`tradepost webhooks enable ${id} --who NAME --why WHY\`: it goes ` +
        "on where it stopped.",
    };
  if (failed === 0) return null;
  return {
    key: `webhook/${id}`,
    level: "warning",
    title: `the webhook ${what} did not take events`,
    detail: `Every try over three days has failed for some of them; the last one met: ${problem ?? "nothing that was kept"}. Later events were not held up.`,
    instruction:
      `See \`tradepost webhooks failures ${id}\`; once the receiver is mended, ` +
      `\`tradepost webhooks replay ${id} --failed --who NAME --why WHY\`.`,
  };
}
