/**
 * A mapping file → a function from a raw row to canonical records, and one from a web order to the
 * far side's tables. Promises that a row becomes records that are right, or a reason: nothing is
 * guessed, cut, rounded or joined unless the file says so. Pure: files are given as text, nothing
 * is read.
 *
 *     const mapping = compileMapping({ file: "mappings/tradepost-csv/customer.yaml", text });
 *     mapping.apply({ account: "A100", name: "Ashby Joinery" }); // { kind: "records", records }
 */
export { checkRecord } from "./check.ts";
export type { RecordProblem } from "./check.ts";
export { compileMapping } from "./compile.ts";
export type { MappedRow, Mapping, Misspelling, RowKeys } from "./compile.ts";
export { draftMapping } from "./draft.ts";
export type { Draft, DraftSource } from "./draft.ts";
export { checkExamples } from "./examples.ts";
export type { RowProblem } from "./field.ts";
export { mappingFileSchemas } from "./file-schemas.ts";
export { compileOutbound, RenderError } from "./outbound.ts";
export type { Outbound, RenderedTable } from "./outbound.ts";
