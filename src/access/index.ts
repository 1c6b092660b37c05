/**
 * Who may use the API, and the book of who did what. Promises that a secret is shown once and kept
 * only as its digest, that a key names its company, and that the book is only ever added to. Never
 * decides what a scope opens: the routes say which one they need.
 *
 *     const access = openAccess({ store, now: () => Temporal.Now.instant() });
 *     const { secret } = await access.createKey({ company, name: "Shop", scopes: ["prices"], … });
 *     const holder = await access.verify(secret); // { company, keyId, name, scopes, test } or null
 */
export { openAccess } from "./access.ts";
export type { Access, AuditEntry, KeyRequest } from "./access.ts";
export type { BookEntry, BookQuestion } from "./book.ts";
export { AccessError } from "./error.ts";
export { SCOPES, SCOPE_MEANINGS } from "./key.ts";
export type { ApiKey, KeyHolder, Scope } from "./key.ts";
