/**
 * The database: an own PostgreSQL or a given one, its schema, transactions, COPY and the bulk
 * merge of canonical records. Promises that what was committed is on disk, that a transaction is
 * all or nothing, and that an unchanged row costs no write. Never reads a clock for a business
 * moment, never knows an ERP.
 *
 *     await using store = await openStore({ dataFolder: ".tradepost/data", service: true });
 *     await store.transaction(async (tx) => {
 *       await tx.affect("UPDATE stream_state SET cursor = $1 WHERE …", [cursor]);
 *     });
 */
export { openStore } from "./open.ts";
export type { Store, StoreOptions } from "./open.ts";
export { isDeadlock, isLockTimeout, StoreError } from "./error.ts";
export type { StoreErrorCode } from "./error.ts";
export { copyTable } from "./copy-table.ts";
export type { Cell } from "./copy-table.ts";
export type { CopyChunks, Queryable, Reading, Transaction } from "./connection.ts";
export { readMigrations } from "./migrate.ts";
export type { Migration } from "./migrate.ts";
export { dropStagingOf, stagedRuns } from "./drop-staging.ts";
export { adoptStaging, openStaging, stagedRows, stagingIn } from "./staging.ts";
export { keyText } from "./table-sql.ts";
export type { Staged, Staging } from "./staging.ts";
export { changesTell } from "./changes.ts";
export { removeRows } from "./remove-rows.ts";
export { countRemovals, mergeStaging } from "./merge.ts";
export { differences, plannedRows } from "./differences.ts";
export type { Change, Differences, RecordChange } from "./differences.ts";
export type { MergeConflict, MergeOptions, MergeResult, Spared } from "./merge.ts";
export { tidySuperseded } from "./superseded.ts";
export type { Overruled } from "./repeats.ts";
