/** The book in a file, for what measures or spoils it. */
export { loadSnapshot, saveSnapshot } from "../../src/pricing/snapshot.ts";
export type { SnapshotOf } from "../../src/pricing/snapshot.ts";
