/**
 * The kit for systems that speak in files, the door `#connector/files`. Promises that only complete
 * files are read, that every byte of one belongs to a row or to a rejected span, that nothing is
 * deleted or overwritten, and that an order is dropped exactly once. Never maps a value and never
 * reads a clock.
 *
 *     open: (settings, host) => openFileSession({ folder: settings.folder, … }, host)
 */
export { openDropBox } from "./drop.ts";
export type { DropBoxOptions, DropStep } from "./drop-journal.ts";
export type { Completeness, FileStream } from "./inbox.ts";
export { patternProblem } from "./names.ts";
export type { Delimiter } from "./scan.ts";
export { openFileSession } from "./session.ts";
export type { FileSessionOptions } from "./session.ts";
export { createSplitter } from "./split.ts";
export type { SplitItem, SplitOptions, Splitter } from "./split.ts";
export type { TableFormat } from "./table.ts";
