/**
 * What must be told to somebody. Alarms for people: what holds is told once, again after a while,
 * and once when it is over. Events for shops: a feed in which whoever has read up to a number has
 * missed nothing below it, and webhooks that carry the same events, each until it was taken or
 * every try over three days has failed, under one id however often it is sent. All of it survives a
 * kill and an outage of the far side. Never puts a secret, a price or a name into what it tells;
 * never sends anything into the house that the settings do not allow. See README.md.
 *
 *     const alarms = openAlarms({ store, jobs, company: "HARROW", settings, … });
 *     await alarms.raise({ key: "late/erp/price-rules", level: "error", title, detail, … });
 *     await noteEvents(tx, "HARROW", [{ type: "order.accepted", subject: "order/W-1", at, data }]);
 */
export { openAlarms, TELL_JOB } from "./alarms.ts";
export type { Alarm, Alarms, AlarmsContext, NewAlarm } from "./alarms.ts";
export type { AlarmSettings, Channel } from "./channels.ts";
export { noteEvents } from "./events/note.ts";
export type { NewEvent } from "./events/note.ts";
export { openEvents } from "./events/events.ts";
export type { Events } from "./events/events.ts";
export { CURSOR, ORDERS_TOLD } from "./events/feed.ts";
export type { CursorProblem, EventsPage, OrdersTold, ShopEvent } from "./events/feed.ts";
export { openWebhooks } from "./webhooks/webhooks.ts";
export type { Untaken, Webhooks } from "./webhooks/webhooks.ts";
export { WebhookError } from "./webhooks/context.ts";
export type { Webhook } from "./webhooks/endpoints.ts";
