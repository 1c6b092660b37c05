/** Going live without an ERP to try: every item of the checklist is waived and recorded so. */
import { openStandings } from "../../src/connections/index.ts";
import { CHECKLIST } from "../../src/main.ts";
import type { Store } from "../../src/store/index.ts";

export async function goLive(store: Store, company: string, connection = "erp"): Promise<void> {
  const now = () => Temporal.Now.instant();
  const standings = openStandings({ store, company, timeZone: "Europe/London", now });
  const items = CHECKLIST.map((item) => ({
    item,
    state: "waived" as const,
    about: "It was not looked at.",
    instruction: null,
    waivedBy: "test",
    why: "Its ERP is simulated.",
  }));
  await standings.record(store, connection, { who: "test", items });
}
