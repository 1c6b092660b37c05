/**
 * The limit of an answer over HTTP: a hono route that parses the body and serialises an answer that
 * it has already; no key, no check, no price. First line of its input: the answers, by address.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { asked, tell } from "./process.ts";

export interface BareAnswers {
  readonly port: number;
  readonly answers: Readonly<Record<string, unknown>>;
}

const app = new Hono();
for await (const line of asked()) {
  const { port, answers } = line as BareAnswers;
  for (const [address, answer] of Object.entries(answers))
    app.post(address, async (c) => {
      const body: unknown = await c.req.json();
      return c.json(body === null ? null : answer);
    });
  serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => {
    tell({ listening: true });
  });
}
process.exit(0);
