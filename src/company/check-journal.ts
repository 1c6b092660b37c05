/**
 * Whether the folder that takes the orders is the one in which those on their way were dropped: one
 * that the settings name since has neither them nor their answers.
 */
import type { CompanySettings } from "../config.ts";
import type { Connection } from "../connections/index.ts";
import type { Store } from "../store/index.ts";
import type { Checked } from "./check.ts";

const LOOKED_AT = 3;

export async function checkJournal(
  store: Store,
  { code, settings }: { readonly code: string; readonly settings: CompanySettings },
  connect: (name: string) => Promise<Connection>,
): Promise<Checked[]> {
  const name = settings.orders.connection;
  const dropped = await store.query<{ number: string; all: number }>(
    `select number, count(*) over ()::int as all from web_order
      where company = $1 and state in ('handedOver', 'inDoubt') and handed_over_at is not null
        and not test order by handed_over_at desc, id desc limit ${LOOKED_AT}`,
    [code],
  );
  const [first] = dropped;
  if (first === undefined) return [];
  // A connection that does not open is told by itself.
  const connection = await connect(name).catch(() => null);
  if (connection === null) return [];
  await using opened = connection;
  const { orders } = opened.session;
  if (orders?.finding !== "file-drop") return [];
  for (const { number } of dropped) if ((await orders.find(number)).kind !== "absent") return [];
  return [
    {
      part: `connection ${name}`,
      state: "warning",
      about:
        `${first.all} web orders were handed over and have no answer yet, and its journal lacks ` +
        `${dropped.map(({ number }) => number).join(", ")}: they were dropped elsewhere.`,
      instruction:
        "Name the folder in which they were dropped again; or, where it was moved, move its " +
        "orders/.journal to the one that is named now.",
    },
  ];
}
