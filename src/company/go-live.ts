/**
 * Before a connection hands orders over: the checklist, gone through against the ERP as it is, and
 * recorded with its evidence when every item holds or was waived by somebody who says why. Nothing
 * is handed over until then, whatever the settings wish.
 */
import type { Context } from "../company.ts";
import type { CompanySettings } from "../config.ts";
import {
  stopInWords,
  type ChecklistItem,
  type Connection,
  type Standings,
} from "../connections/index.ts";
import { ConnectorFault } from "../connector/index.ts";
import { decimal } from "../model/index.ts";
import {
  orderRequest,
  trialHolds,
  type Orders,
  type TrialBody,
  type TrialOrder,
} from "../orders/index.ts";
import type { PriceProof } from "../parity/index.ts";
import type { Pricing } from "../pricing/index.ts";
import type { Sales } from "../sales/index.ts";
import { answersOf, answersRead } from "./answers.ts";
import type { Owned } from "./owners.ts";

export const CHECKLIST = ["prices", "month", "test-order", "rights", "answers", "shadow"] as const;
export type ChecklistName = (typeof CHECKLIST)[number];

export interface GoLiveAsked {
  readonly connection: string;
  readonly who: string;
  /** Why items are waived, or what was seen of the test order; null: nothing is. */
  readonly why: string | null;
  readonly waive: readonly string[];
  /** Whom and what the test order is for; null: the last one counts, if any. */
  readonly trial: { readonly account: string; readonly product: string } | null;
  /** A person saw the last test order in the ERP and cancelled it there, as `why` says. */
  readonly seen: boolean;
}

export interface GoneThrough {
  readonly items: readonly ChecklistItem[];
  /** True: every item holds or is waived, and that is recorded now. */
  readonly live: boolean;
}

export interface GoLiveDesk {
  /** Every item as it stands; nothing is placed, nothing is recorded. */
  checklist(connection: string): Promise<readonly ChecklistItem[]>;
  goLive(asked: GoLiveAsked): Promise<GoneThrough>;
  /** Back to shadow; false: it was not live. */
  undo(connection: string, deed: { readonly who: string; readonly why: string }): Promise<boolean>;
}

interface Parts {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly standings: Standings;
  readonly orders: Orders;
  readonly pricing: Pricing;
  readonly proof: Pick<PriceProof, "certifications">;
  readonly sales: Pick<Sales, "reconcile">;
  readonly connect: (name: string) => Promise<Connection>;
  readonly owned: Pick<Owned, "mappingsOf">;
}

export function goLiveOf(context: Context, parts: Parts): GoLiveDesk {
  return {
    checklist: (connection) => checklist(context, parts, connection),
    goLive: (asked) => goLive(context, parts, asked),
    undo: (connection, { who, why }) =>
      context.store.transaction(async (tx) => {
        const undone = await parts.standings.undo(tx, connection, { who, why });
        const company = parts.code;
        const entry = { company, who, action: "go-live-undone", subject: connection };
        if (undone) await context.access?.audit({ ...entry, details: { why } }, tx);
        return undone;
      }),
  };
}

async function goLive(context: Context, parts: Parts, asked: GoLiveAsked): Promise<GoneThrough> {
  const { connection, who, why, waive, trial } = asked;
  const { trials } = parts.orders;
  if (trial !== null) await refuseWhileStopped(parts, connection);
  if (trial !== null) await trials.place(connection, await trialBody(parts, trial), who);
  if (asked.seen) await trials.confirm(connection, { who, why: why ?? "" });
  const found = await checklist(context, parts, connection, waive);
  const items = found.map((item) =>
    item.state === "not" && waive.includes(item.item)
      ? { ...item, state: "waived" as const, waivedBy: who, why }
      : item,
  );
  if (items.some(({ state }) => state === "not")) return { items, live: false };
  await context.store.transaction(async (tx) => {
    await parts.standings.record(tx, connection, { who, items });
    const details = {
      items: items.map(({ item, state }) => `${item} ${state}`).join(", "),
      why: why ?? "",
    };
    const entry = { company: parts.code, who, action: "go-live", subject: connection, details };
    await context.access?.audit(entry, tx);
  });
  return { items, live: true };
}

/** Whoever works on the ERP does not expect an order there. */
async function refuseWhileStopped(
  { standings, settings }: Parts,
  connection: string,
): Promise<void> {
  const [stop] = await standings.stops(connection);
  if (stop === undefined) return;
  throw new ConnectorFault(
    "transient",
    `Placing a test order at ${connection}: nothing is handed over now, because of ` +
      `${stopInWords(stop, settings.timeZone)}.`,
    "Place it when that is over: `tradepost maintenance` shows it.",
  );
}

/** One of the product at our price of now, checked as any order. */
async function trialBody(
  { orders, pricing }: Parts,
  { account, product }: { readonly account: string; readonly product: string },
): Promise<TrialBody> {
  await pricing.refresh();
  const lines = [{ product, quantity: "1" }];
  const [answer] = pricing.price({ account, lines });
  const unitPrice = answer !== undefined && "unitPrice" in answer ? (answer.unitPrice ?? "0") : "0";
  const body = orderRequest.parse({
    account,
    customerReference: "TEST ORDER, DO NOT DELIVER",
    lines: lines.map((line) => ({ ...line, unitPrice })),
  });
  return (await orders.check(body)).order;
}

async function checklist(
  context: Context,
  parts: Parts,
  connection: string,
  waived: readonly string[] = [],
): Promise<readonly ChecklistItem[]> {
  const isWaived = (name: ChecklistName) => waived.includes(name);
  return [
    await prices(context, parts),
    await month(context, parts),
    testOrder(await parts.orders.trials.last(connection)),
    isWaived("rights") ? notLooked("rights") : await rights(parts, connection),
    isWaived("answers") ? notLooked("answers") : await answers(parts, connection),
    await shadow(parts),
  ];
}

function ok(item: ChecklistName, about: string): ChecklistItem {
  return { item, state: "ok", about, instruction: null, waivedBy: null, why: null };
}

function not(item: ChecklistName, about: string, instruction: string): ChecklistItem {
  return { item, state: "not", about, instruction, waivedBy: null, why: null };
}

function notLooked(item: ChecklistName): ChecklistItem {
  return not(item, "It was not looked at.", "Go through it without the waiver.");
}

/** A certificate says less of prices that have been changed since for long. */
const CERTIFIED_WITHIN_DAYS = 31;

async function prices({ now }: Context, { proof, settings }: Parts): Promise<ChecklistItem> {
  const instruction = "Make one, and mend what it groups: `tradepost price certify`.";
  const [newest] = await proof.certifications();
  if (newest === undefined)
    return not("prices", "No certificate says that our prices are the ERP's.", instruction);
  const { certificate } = newest;
  const at = Temporal.Instant.from(certificate.madeAt);
  const days = Math.floor(at.until(now()).total("hours") / 24);
  const { certifyPercent } = settings.parity;
  const said =
    `Certificate ${certificate.id.slice(-8)} of ${dayText(at, settings.timeZone)}: ` +
    `${certificate.percent}% of ${certificate.sample.lines} lines fit, ${certificate.verdict}; ` +
    `the settings want ${certifyPercent}%`;
  if (certificate.policy !== settings.pricing.policy)
    return not("prices", `${said}. It is of the policy ${certificate.policy}.`, instruction);
  if (days > CERTIFIED_WITHIN_DAYS)
    return not("prices", `${said}. It is ${days} days old.`, instruction);
  return certificate.verdict === "certified"
    ? ok("prices", `${said}.`)
    : not("prices", `${said}. ${certificate.because}`, instruction);
}

async function month({ now }: Context, { sales, settings }: Parts): Promise<ChecklistItem> {
  const today = now().toZonedDateTimeISO(settings.timeZone).toPlainDate();
  const period = today.subtract({ months: 1 }).toString().slice(0, 7);
  const shown = `${period.slice(5)}/${period.slice(0, 4)}`;
  const { periods } = await sales.reconcile(period);
  const stated = periods.filter(({ erp }) => erp !== null);
  const instruction = `See \`tradepost reconcile ${period}\`, and pull what is missing.`;
  if (stated.length === 0)
    return not(
      "month",
      `The ERP states no totals for ${shown}, the last closed month.`,
      instruction,
    );
  const off = periods.filter(({ equal }) => !equal);
  const [first] = off;
  if (first === undefined) {
    const documents = stated.reduce((sum, { ledger }) => sum + ledger.documents, 0);
    return ok("month", `${shown}: ${documents} documents, no difference to the ERP's totals.`);
  }
  const net = first.difference?.net ?? null;
  const by =
    net === null ? "" : ` by ${decimal.readable(decimal.parse(net), settings.currency)} net`;
  const about = `${shown}: ${first.documentType}s differ${by} from the ERP's totals.`;
  return not("month", about, instruction);
}

function testOrder(last: TrialOrder | null): ChecklistItem {
  const again = "Place one: --account ACCOUNT --product PRODUCT (one of it is ordered).";
  if (last === null) return not("test-order", "No test order was placed in the ERP.", again);
  const { number, erpOrder, found, cancelled, outcome, evidence, confirmedBy, confirmedWhy } = last;
  const as = erpOrder === null ? number : `${number}, ${erpOrder} there,`;
  if (confirmedBy !== null)
    return ok("test-order", `${as} was seen and cancelled by ${confirmedBy}: ${confirmedWhy}`);
  if (trialHolds(last)) return ok("test-order", `${as} was placed, found and cancelled.`);
  if (outcome !== "accepted" && outcome !== "handedOver" && outcome !== "inDoubt")
    return not("test-order", `${as} was not taken: ${evidence ?? "nothing was said to it"}`, again);
  const missing = [...(found ? [] : ["found"]), ...(cancelled ? [] : ["cancelled"])].join(" and ");
  return not(
    "test-order",
    `${as} is placed, and not ${missing} yet. ${evidence ?? ""}`.trim(),
    `Look for ${number} in the ERP and cancel it there; the next pull shows that, or say so: ` +
      '--seen --why "seen as SO-1001 and cancelled there".',
  );
}

async function rights({ connect }: Parts, name: string): Promise<ChecklistItem> {
  const instruction = "Mend it in the ERP or in the settings; `tradepost check` shows it too.";
  try {
    await using connection = await connect(name);
    const findings = await connection.session.check?.();
    if (findings === undefined)
      return not(
        "rights",
        "The connector cannot tell what its user may do in the ERP.",
        instruction,
      );
    if (connection.session.orders === undefined)
      return not("rights", "The connector takes no orders.", instruction);
    const faults = findings.filter(({ level }) => level === "error");
    const [first] = faults;
    if (first !== undefined) return not("rights", first.what, first.instruction);
    const warnings = findings.length === 0 ? "" : ` ${findings.length} warnings.`;
    return ok("rights", `The connection may do what it must.${warnings}`);
  } catch (error) {
    return not("rights", error instanceof Error ? error.message : String(error), instruction);
  }
}

/** Of a connection that cannot be opened `rights` says why. */
async function answers({ connect, settings, owned }: Parts, name: string): Promise<ChecklistItem> {
  try {
    await using connection = await connect(name);
    const { orders } = connection.session;
    if (orders === undefined) return notLooked("answers");
    const { fine, about, instruction } = answersRead(settings, answersOf(settings, owned), orders);
    return fine ? ok("answers", about) : not("answers", about, instruction ?? "");
  } catch {
    return notLooked("answers");
  }
}

async function shadow({ orders, settings }: Parts): Promise<ChecklistItem> {
  const { counts, equalPercent, orders: all } = await orders.shadowReport();
  const missing = all.filter(({ verdict }) => NOT_KEYED.has(verdict)).map(({ order }) => order);
  if (all.length === 0) return ok("shadow", "No order was shadowed: there is nothing to compare.");
  const { shadowEqualPercent: least } = settings.orders.goLive;
  const said =
    `${counts.equal} of ${all.length} shadowed orders are as staff keyed them ` +
    `(${equalPercent === null ? "none compared" : `${equalPercent} %`}), ${counts.different} differ, ` +
    `${counts["keyed-twice"]} were keyed twice, ${counts["not-keyed"]} not at all; ` +
    `the settings want ${least}%.${stillToKey(missing)}`;
  const instruction = "See `tradepost orders shadow`, and mend what differs.";
  return Number(equalPercent ?? "0") >= least
    ? ok("shadow", said)
    : not("shadow", said, instruction);
}

const NOT_KEYED: ReadonlySet<string> = new Set(["not-keyed", "not-keyed-yet", "not-rendered"]);
const NAMED = 10;

/** Going live sends none of what was shadowed: whoever goes live is told which nobody has keyed. */
function stillToKey(missing: readonly string[]): string {
  if (missing.length === 0) return "";
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : "";
  return (
    ` Nobody has keyed ${missing.slice(0, NAMED).join(", ")}${more}, and going live does not send them: ` +
    "key each, or release it once live (`tradepost orders release ORDER --who NAME --why WHY`)."
  );
}

function dayText(at: Temporal.Instant, timeZone: string): string {
  const date = at.toZonedDateTimeISO(timeZone).toPlainDate().toString();
  return date.split("-").toReversed().join("/");
}
