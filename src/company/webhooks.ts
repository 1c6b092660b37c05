/** What a company's shops are told: the feed of events, and webhooks as the settings allow. */
import { dirname, join } from "node:path";
import type { Context } from "../company.ts";
import type { CompanySettings } from "../config.ts";
import { KEY_SECRET, readKeys, type TokenKeys } from "../connections/index.ts";
import {
  openEvents,
  openWebhooks,
  type Alarms,
  type Events,
  type Webhooks,
} from "../notify/index.ts";
import { EVENT_TYPES } from "../orders/index.ts";

/** The feed of what happened to orders, and whom it is sent to. */
export interface ToldShops {
  readonly events: Events;
  readonly webhooks: Webhooks;
}

export function toldShopsOf(
  { settings, store, now, log, access }: Context,
  {
    code: company,
    settings: { events, webhooks },
    alarms,
  }: { readonly code: string; readonly settings: CompanySettings; readonly alarms: Alarms },
): ToldShops {
  // Read when the first secret is: most companies have no webhook.
  let keys: Promise<TokenKeys> | null = null;
  const keyFile = join(dirname(settings.database.folder), "tokens.key");
  return {
    events: openEvents({ store, company, now, keepDays: events.keepDays }),
    webhooks: openWebhooks({
      ...webhooks,
      store,
      company,
      now,
      log,
      alarms,
      types: EVENT_TYPES,
      seal: () => (keys ??= readKeys(settings.secret(KEY_SECRET), keyFile)),
      audit: async (on, entry) => access?.audit({ company, ...entry }, on),
    }),
  };
}
