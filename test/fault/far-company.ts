/** Companies that pull from the far side, and what they hold in the end. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { columnOf, records } from "../../src/model/index.ts";
import type { Store } from "../../src/store/index.ts";
import { STREAMS } from "./far-side.ts";

export const PAGE_ROWS = 250;
export const SECRETS = {
  TRADEPOST_SECRET_FAR_SIDE: "far-side-secret",
  TRADEPOST_SECRET_TOKENS_KEY: "a key for the lanes of pulls alone",
};
export const RECORDS = [
  "customer",
  "product",
  "price-list",
  "price-rule",
  "sales-document",
  "sales-line",
] as const;

/** Rows that the one company has and the other lacks, word by word. */
export async function missing(
  store: Store,
  name: (typeof RECORDS)[number],
  has: string,
  lacks: string,
): Promise<string[]> {
  const { table, fields } = records[name];
  const columns = Object.keys(fields).map(columnOf).join(", ");
  const rows = await store.query<{ row: string }>(
    `select row(x.*)::text as row from (
       select ${columns} from ${table} where company = $1
       except select ${columns} from ${table} where company = $2) x limit 20`,
    [has, lacks],
  );
  return rows.map(({ row }) => `${name}: ${has} has, and ${lacks} has not: ${row}`);
}

/** `companies`: by code, whether its far side is `clean` or `faulty`. */
export async function writeSettings(
  folder: string,
  url: string,
  companies: Readonly<Record<string, "clean" | "faulty">>,
): Promise<string> {
  const file = join(folder, "tradepost.yaml");
  const company = (path: string) => ({
    name: path,
    connections: {
      erp: {
        connector: "json-http",
        mappings: "tradepost-csv",
        dropBrakePercent: 100,
        settings: {
          baseUrl: `${url}/${path}`,
          auth: {
            kind: "oauth-client",
            tokenUrl: `${url}/token`,
            clientId: "tradepost",
            clientSecret: "far_side",
          },
          perSecond: 1_000,
          pageRows: PAGE_ROWS,
          streams: Object.fromEntries(
            STREAMS.map(({ name, reading, key }) => [
              name,
              {
                path: `/${name}`,
                reading,
                key: [...key],
                ...(reading === "delta" ? { stamp: "changedAt", overlapSeconds: 5 } : {}),
              },
            ]),
          ),
        },
      },
    },
  });
  const entries = Object.entries(companies).map(([code, path]) => [code, company(path)]);
  await writeFile(file, stringify({ leaseSeconds: 2, companies: Object.fromEntries(entries) }));
  return file;
}
