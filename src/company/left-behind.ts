/**
 * What the database knows and the settings name no more: whoever renames a connection or a company
 * leaves behind what was said of it, and orders that nobody delivers.
 */
import type { CompanySettings, Settings } from "../config.ts";
import type { Standings } from "../connections/index.ts";
import { momentText } from "../model/index.ts";
import type { Store } from "../store/index.ts";
import type { Checked } from "./check.ts";

export interface LeftBehind {
  /** `connection erp`, `company WHOLE` */
  readonly part: string;
  readonly about: string;
  readonly instruction: string;
}

export function asWarning(left: LeftBehind): Checked {
  return { ...left, state: "warning" };
}

interface Waits {
  /** Taken, and not at the ERP. */
  readonly waiting: number;
  /** There, or perhaps there, and not confirmed. */
  readonly atErp: number;
}

const WAITING = "('received', 'checked', 'held', 'queued', 'sending', 'refused')";
const AT_ERP = "('handedOver', 'inDoubt', 'accepted', 'conflict')";

const COUNTED = `count(*) filter (where state in ${WAITING})::int as waiting,
  count(*) filter (where state in ${AT_ERP})::int as "atErp"`;

/** Connections that went live or were stopped, under names that are not those of now. */
export async function connectionsLeftBehind(
  store: Store,
  { code, settings }: { readonly code: string; readonly settings: CompanySettings },
  standings: Standings,
): Promise<readonly LeftBehind[]> {
  const goesTo = settings.orders.connection;
  const live = (await standings.liveOnes()).filter(({ connection }) => connection !== goesTo);
  const stops = (await standings.stops()).filter(
    ({ scope }) => scope !== "" && settings.connections[scope] === undefined,
  );
  if (live.length + stops.length === 0) return [];
  const [waits] = await store.query<Waits>(
    `select ${COUNTED} from web_order where company = $1 and not test`,
    [code],
  );
  return [
    ...live.map(({ connection, at, who }) => ({
      part: `connection ${connection}`,
      about:
        `${connection} went live ${momentText(at, settings.timeZone)}, by ${who}, and orders go to ` +
        `${goesTo} now. ${waitsText(waits)} Orders are held, as long as ${goesTo} is not live.`,
      instruction:
        `Where ${connection} is called ${goesTo} now, go through the checklist once more (tradepost go-live ${goesTo}) ` +
        `and release what is held, or name it ${connection} again. Where it is given up: ` +
        `tradepost go-live ${connection} --undo --who NAME --why WHY.`,
    })),
    ...stops.map(({ scope }) => ({
      part: `connection ${scope}`,
      about: `${scope} stands still, which the settings name no more, so that all of ${code} does.`,
      instruction: `It ends with tradepost maintenance off ${scope} --who NAME --why WHY.`,
    })),
  ];
}

function waitsText({ waiting, atErp }: Waits = { waiting: 0, atErp: 0 }): string {
  const orders = waiting === 1 ? "1 web order waits" : `${waiting} web orders wait`;
  const there = `${atErp} ${atErp === 1 ? "is" : "are"} at the ERP and not confirmed`;
  return `${orders}, ${there}.`;
}

interface Company extends Waits {
  readonly company: string;
  readonly tasks: number;
  readonly keys: number;
}

/** Companies for which no service runs, and that the settings do not name. */
export async function companiesLeftBehind(
  store: Store,
  { companies }: Pick<Settings, "companies">,
  now: Temporal.Instant,
): Promise<readonly LeftBehind[]> {
  const left = await store.query<Company>(
    `select company, sum(waiting)::int as waiting, sum("atErp")::int as "atErp",
            sum(tasks)::int as tasks, sum(keys)::int as keys
       from (select company, ${COUNTED}, 0 as tasks, 0 as keys
               from web_order where not test and company <> all($1) group by company
             union all
             select company, 0, 0, count(*)::int, 0 from web_order_task
              where state = 'open' and company <> all($1) group by company
             union all
             select company, 0, 0, 0, count(*)::int from api_key
              where revoked_at is null and company <> all($1) group by company) each
      where not exists (select 1 from service_instance s
                         where s.company = each.company and s.stopped_at is null
                           and s.seen_at > $2)
      group by company having sum(waiting + "atErp" + tasks + keys) > 0 order by company`,
    [Object.keys(companies), now.subtract({ minutes: 5 })],
  );
  return left.map(({ company, tasks, keys, ...waits }) => ({
    part: `company ${company}`,
    about:
      `The database has a company ${company}, which the settings name no more: nothing of it is ` +
      `read, handed over or watched. ${waitsText(waits)} ${count(tasks, "task")} open, ` +
      `${count(keys, "API key")} in force.`,
    instruction:
      `Name it ${company} again: a company keeps its code for good (its name may change). ` +
      "Where it is given up, settle its orders and revoke its keys under that code first.",
  }));
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? " is" : "s are"}`;
}
