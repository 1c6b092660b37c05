/** Going live: the checklist as it stands after the first pull, and what is waived of it. */
import { checklistItemText } from "../../../src/cli.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";

const WHO = "the demo";
const WHY = "The demo's ERP is simulated: nobody works in it who could look and cancel.";

/** Nothing is handed over before it. */
export async function goLive(story: Story, { company }: World): Promise<void> {
  story.step("Going live: the checklist before anything is handed over");
  const to = company.proof.today();
  const from = Temporal.PlainDate.from(to).subtract({ months: 3 }).toString();
  await story.timed("Prices certified on a sample", () =>
    company.proof.certify({ lines: 400, seed: 1, from, to }),
  );
  const found = await company.goLive.checklist("erp");
  const before = await company.status();
  story.holds("until it is recorded the connection is in shadow", before.orders.mode, "shadow");
  story.holds(
    "a test order was not placed yet, and that is said",
    found.filter(({ item, state }) => item === "test-order" && state === "not").length,
    1,
  );
  const waive = found.filter(({ state }) => state === "not").map(({ item }) => item);
  const { items } = await company.goLive.goLive({
    connection: "erp",
    who: WHO,
    why: WHY,
    waive,
    trial: null,
    seen: false,
  });
  story.say(...items.map(checklistItemText));
  const after = await company.status();
  story.holds("from here on orders are handed over", after.orders.mode, "live");
}
