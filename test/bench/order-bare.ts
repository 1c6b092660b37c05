/**
 * The limit of taking an order over HTTP: a hono route that parses the body, inserts it as one row
 * with its commit and answers what it was told to. First line of its input: where.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { Pool } from "pg";
import { openStore } from "../../src/store/index.ts";
import { asked, tell } from "./process.ts";

export interface BareOrders {
  readonly port: number;
  /** Of the service's own server. */
  readonly database: string;
  readonly answer: unknown;
}

const TEXT = "insert into bench_order (company, id, body) values ($1, $2, $3)";

await using scope = new AsyncDisposableStack();
for await (const line of asked()) {
  const { port, database, answer } = line as BareOrders;
  const store = scope.use(await openStore({ dataFolder: database, migrate: false }));
  const pool = new Pool({ connectionString: store.url, max: 10 });
  scope.defer(() => pool.end());
  const app = new Hono();
  app.post("/v1/orders", async (c) => {
    const body: unknown = await c.req.json();
    const values = ["BENCH", crypto.randomUUID(), JSON.stringify(body)];
    await pool.query({ name: "bare", text: TEXT, values });
    return c.json(answer, 201);
  });
  const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => {
    tell({ listening: true });
  });
  scope.defer(() => {
    server.close();
  });
}
