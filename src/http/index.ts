/**
 * The JSON API. Promises that every answer and every error has the documented shape, that a request
 * is either understood as a whole or told what is wrong where, and that a key sees its own company
 * only. Never decides a price, an order or a figure: the modules behind it do. Never logs a header
 * or body.
 *
 *     const app = createApp({ access, company, ready, log });
 *     const api = await listen(app, { host: "127.0.0.1", port: 4600 });
 */
export { createApp } from "./app.ts";
export { openBulkLane } from "./bulk.ts";
export { listen } from "./listen.ts";
export type { Listening } from "./listen.ts";
export { openApiDocument } from "./openapi.ts";
export type { CompanyServices, HttpServices, Readiness } from "./modules.ts";
