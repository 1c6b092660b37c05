/** The limit of a pull: the same file by SQL alone, with nothing of ours around it. */
import type { Store } from "../../src/store/index.ts";
import { columnOf, records } from "../../src/model/index.ts";
import { COLUMNS } from "./price-file.ts";

const RECORD = records["price-rule"];
const FIELDS = Object.keys(RECORD.fields).map(columnOf);
const KEY = RECORD.key.map(columnOf);
const BESIDES = "feed, row_hash, origin_id, origin_line, run_id, learned_at";
const NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid";

/** An unlogged table of the file's columns, with the types of the target. */
export async function prepareSql(store: Store): Promise<void> {
  await store.query("DROP TABLE IF EXISTS stage");
  await store.query(
    `CREATE UNLOGGED TABLE stage AS SELECT ${FIELDS.join(", ")} FROM price_rule WHERE false`,
  );
}

/** Read by the server itself: no client touches a row. */
export async function copySql(store: Store, path: string): Promise<void> {
  await store.query("TRUNCATE stage");
  const given = COLUMNS.map(columnOf).join(", ");
  await store.query(`COPY stage (${given}) FROM '${path}' (FORMAT csv, HEADER)`);
}

/** Only new and changed rows reach the upsert. */
export async function mergeSql(store: Store): Promise<void> {
  const set = [...FIELDS.filter((name) => !KEY.includes(name)), ...BESIDES.split(", ")]
    .map((name) => `${name} = excluded.${name}`)
    .join(", ");
  await store.query(
    `INSERT INTO price_rule (company, ${FIELDS.join(", ")}, ${BESIDES})
     SELECT 'BENCH', ${FIELDS.map((name) => `s.${name}`).join(", ")},
            'sql', s.digest, ${NOBODY}, 1, ${NOBODY}, now()
       FROM (SELECT stage.*, md5(stage::text)::uuid AS digest FROM stage) s
       LEFT JOIN price_rule t
         ON t.company = 'BENCH' AND ${KEY.map((name) => `t.${name} = s.${name}`).join(" AND ")}
      WHERE t.row_hash IS DISTINCT FROM s.digest
     ON CONFLICT (company, ${KEY.join(", ")}) DO UPDATE SET ${set}`,
  );
}

export async function removeSql(store: Store): Promise<void> {
  await store.query(
    `DELETE FROM price_rule t WHERE company = 'BENCH' AND NOT EXISTS
       (SELECT FROM stage s WHERE ${KEY.map((name) => `t.${name} = s.${name}`).join(" AND ")})`,
  );
}

/** Digest of all that the ERP said, whoever stored it. */
export async function contentOf(store: Store): Promise<string> {
  const [row] = await store.query<{ content: string }>(
    `SELECT count(*) || ' rows, ' || sum(hashtextextended(row(${FIELDS.join(", ")})::text, 0)::numeric)
            AS content
       FROM price_rule WHERE company = 'BENCH'`,
  );
  return row?.content ?? "";
}
