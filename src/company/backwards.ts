/**
 * Stops a connection whose ERP went backwards, and says what it lost: the web orders, and the
 * documents pulled since the last order that still stands there.
 */
import type { Context } from "../company.ts";
import type { CompanySettings } from "../config.ts";
import type { Standings } from "../connections/index.ts";
import { decimal, momentText } from "../model/index.ts";
import type { Alarms } from "../notify/index.ts";
import type { GoneOrder, KnownOrder, Orders, WentBackwards } from "../orders/index.ts";
import type { RunResult } from "../sync/index.ts";
import { backwardsAlarm } from "./maintenance.ts";

export interface Backwards {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly standings: Standings;
  readonly alarms: Alarms;
  readonly orders: Orders;
}

/** True: it did, and was stopped now. Nothing is looked for unless orders are handed over. */
export async function stopIfBackwards(
  context: Context,
  parts: Backwards,
  how: { readonly ask: boolean },
): Promise<boolean> {
  const { settings, standings, orders } = parts;
  const { connection } = settings.orders;
  const wished = settings.connections[connection]?.mode ?? "read-only";
  const { mode, paused } = await standings.of(connection, wished);
  if (mode !== "live" || paused !== null) return false;
  const found = await orders.wentBackwards(how);
  if (found === null) return false;
  await stop(context, parts, connection, found);
  return true;
}

/** What an order is read from, and what an invoice is. */
const ORDERS = ["erp-order", "erp-order-line"];
const DOCUMENTS = ["sales-document", "sales-line", "ledger-transaction"];
/** Where no order tells since when, what was learned of this long before may be lost. */
const DOUBTED_HOURS = 48;

/**
 * The newest row of a stream can be deleted by anybody; that of the orders and that of the invoices
 * gone at a time is an ERP that was restored. One alone makes one look for orders there.
 */
export async function stopIfStampsFell(
  context: Context,
  parts: Backwards,
  pulled: {
    readonly connection: string;
    readonly results: readonly Pick<RunResult, "stream" | "fellBack">[];
    readonly recordsOf: (stream: string) => readonly string[];
  },
): Promise<void> {
  const { connection, results, recordsOf } = pulled;
  const fell = results.filter(({ fellBack }) => fellBack !== undefined);
  if (fell.length === 0) return;
  const records = fell.flatMap(({ stream }) => recordsOf(stream));
  const isOf = (names: readonly string[]) => records.some((record) => names.includes(record));
  if (!isOf(ORDERS) || !isOf(DOCUMENTS)) {
    await stopIfBackwards(context, parts, { ask: true });
    return;
  }
  const takesOrders = connection === parts.settings.orders.connection;
  const found = takesOrders
    ? await parts.orders.wentBackwards({ ask: true }).catch(() => null)
    : null;
  const said = fell.map(({ fellBack }) => fellBack ?? "");
  await stop(context, parts, connection, {
    lost: found?.lost ?? [],
    standing: found?.standing ?? null,
    reused: found?.reused ?? [],
    about: [`The newest rows are gone there: ${said.join("; ")}.`, found?.about ?? ""]
      .join(" ")
      .trim(),
  });
}

type Found = Omit<WentBackwards, "standing"> & { readonly standing: KnownOrder | null };

async function stop(
  { store, access, now }: Context,
  { code: company, settings, standings, alarms, orders }: Backwards,
  connection: string,
  found: Found,
): Promise<void> {
  const since = found.standing?.acceptedAt ?? now().subtract({ hours: DOUBTED_HOURS });
  const documents = await documentsSince(store, company, connection, since);
  const lost = found.lost.map((order) => lostText(order, settings));
  const evidence = {
    lost: found.lost.map(({ order, erpOrder }) => ({ order, erpOrder })),
    standing: found.standing?.order ?? null,
    reused: found.reused,
    documents,
  };
  await store.transaction(async (tx) => {
    const why = found.about;
    const stopped = { kind: "went-backwards", scope: connection, who: "tradepost", why } as const;
    await standings.stop(tx, { ...stopped, until: null, evidence });
    await orders.noteLost(tx, connection, found.lost);
    await alarms.raise(
      {
        key: backwardsAlarm(connection),
        level: "error",
        title: `the ERP of ${connection} went backwards`,
        detail:
          `${found.about} It looks as if it was restored from its backup. Nothing is read or ` +
          `handed over any more; orders are taken as ever.\n` +
          `Lost: ${lost.length === 0 ? "no web order that can be named" : lost.join("; ")}.\n` +
          documentsText(documents),
        instruction:
          "See `tradepost orders lost`; let each order be sent again or leave it, then go on with " +
          `\`tradepost maintenance off ${connection} --who NAME --why WHY\`.`,
      },
      tx,
    );
    const details = { about: why, orders: found.lost.length, documents: documents.length };
    const entry = { company, who: "tradepost", action: "went-backwards", subject: connection };
    await access?.audit({ ...entry, details }, tx);
  });
}

/** "WEB-1 as SO-1001 of HAR001, £120.00, accepted 31/03/2026 09:12 (BRICK: 1 despatched of 2)" */
function lostText(
  { order, erpOrder, account, net, acceptedAt, cameOfIt }: GoneOrder,
  { timeZone, currency }: CompanySettings,
): string {
  const money = decimal.readable(decimal.parse<"money">(net), currency);
  const accepted = `accepted ${momentText(acceptedAt, timeZone)}`;
  const came = cameOfIt === null ? "" : ` (${cameOfIt})`;
  return `${order} as ${erpOrder} of ${account}, ${money}, ${accepted}${came}`;
}

const NAMED = 20;

function documentsText(documents: readonly string[]): string {
  if (documents.length === 0) return "No invoice or credit note was learned of since then.";
  const more = documents.length > NAMED ? `, and ${documents.length - NAMED} more` : "";
  return (
    "Invoices and credit notes learned of since then, which it may have lost as well: " +
    `${documents.slice(0, NAMED).join(", ")}${more}.`
  );
}

/** They cannot be looked for one by one. */
async function documentsSince(
  store: Context["store"],
  company: string,
  connection: string,
  since: Temporal.Instant,
): Promise<readonly string[]> {
  const rows = await store.query<{ document: string }>(
    `select document from sales_document
      where company = $1 and feed like $2 and learned_at > $3
      order by learned_at, document limit 1000`,
    [company, `${connection}/%`, since],
  );
  return rows.map(({ document }) => document);
}
