/**
 * The kit for systems that speak HTTP, the door `#connector/http`. Promises that a request stays
 * within the connection's origin, rate, sizes and times; that what waiting may mend is tried again,
 * and what may have been done is not; and that every fault says what to do. Never shows a secret,
 * follows a redirect elsewhere, rounds a number, or sends a POST twice that may have arrived.
 *
 *     const http = openHttp({ baseUrl, auth: { kind: "bearer", token }, perSecond: 4 }, host);
 *     const { body } = await http.get("customers", { query: { page: 1 }, shape: customerPage });
 */
export type { HttpAnswer } from "./answer.ts";
export { openHttp } from "./client.ts";
export type { HttpClient, HttpOptions, JsonOptions, RequestOptions } from "./client.ts";
export { HttpFault } from "./fault.ts";
export { linkedPages, numberedPages } from "./pages.ts";
export type { LinkedPages, NumberedPages } from "./pages.ts";
export type { AccessTokens, HttpAuth, Query, SentBody } from "./request.ts";
