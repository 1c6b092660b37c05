/**
 * Alarms: what a person must know of, from when it begins until it is over. Promises that an alarm
 * that holds is told once, again after a while, and once when it is over; that telling survives a
 * kill and an outage of the far side; and that a mail server that is away holds up nothing else.
 * Never puts a secret, or the address of a webhook, into a text.
 *
 *     const alarms = openAlarms({ store, jobs, company: "HARROW", settings, … });
 *     await alarms.raise({ key: "late/erp/price-rules", level: "error", title, detail, … });
 *     await alarms.clear("late/erp/price-rules");
 */
export { openAlarms, TELL_JOB } from "./alarms.ts";
export type { Alarm, Alarms, AlarmsContext, NewAlarm } from "./alarms.ts";
export type { AlarmSettings, Channel } from "./channels.ts";
export { noteEvents } from "./events/note.ts";
export type { NewEvent } from "./events/note.ts";
