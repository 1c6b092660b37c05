/** Settings as they may be shown: an address can hold a password, or be one as a whole. */

/** `companies.HARROW.alarms.webhook.url`: whoever knows its path may post there. */
const WEBHOOK = /\.alarms\.webhook\.url$/;

/** Of a webhook scheme and host; of any other address all but user, password and query. */
export function shownSetting(name: string, value: unknown): unknown {
  if (typeof value !== "string" || !URL.canParse(value)) return value;
  const { protocol, host, username, password, pathname, search } = new URL(value);
  if (WEBHOOK.test(name)) return `${protocol}//${host}/…`;
  if (`${username}${password}${search}` === "" || host === "") return value;
  const who = `${username}${password}` === "" ? "" : "…@";
  return `${protocol}//${who}${host}${pathname}${search === "" ? "" : "?…"}`;
}
