import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createApp, listen } from "../../src/http/index.ts";
import type { Listening } from "../../src/http/index.ts";

const open: Listening[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

async function started(options: { wait?: Promise<void> } = {}): Promise<Listening> {
  const app = createApp({
    access: { verify: () => Promise.resolve(null) },
    company: () => undefined,
    ready: async () => {
      await options.wait;
      return [{ name: "all", ready: true, about: "" }];
    },
    log: () => undefined,
  });
  const api = await listen(app, { port: 0 });
  open.push(api);
  return api;
}

/** What the server answers to these bytes, until it ends the connection. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => (answer += text));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

function bodyOf(answer: string): Record<string, unknown> {
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  expect(head.toLowerCase()).toContain("content-type: application/problem+json");
  const { requestId, ...rest } = JSON.parse(body) as Record<string, unknown>;
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  return rest;
}

describe("the API on a port", () => {
  it("listens on this machine only, unless told otherwise", async () => {
    const api = await started();
    expect(api.url).toBe(`http://127.0.0.1:${api.port}`);
    const answer = await fetch(`${api.url}/livez`);
    expect(await answer.json()).toEqual({ state: "live" });
  });

  it("answers a problem to what is not HTTP", async () => {
    const { port } = await started();
    expect(bodyOf(await raw(port, "hello\r\n\r\n"))).toMatchInlineSnapshot(`
      {
        "code": "request-malformed",
        "detail": "Reading the request: it is not HTTP/1.1 (Parse Error: Invalid method encountered). Use an HTTP client.",
        "status": 400,
        "title": "The request cannot be read",
        "type": "urn:tradepost:problem:request-malformed",
      }
    `);
  });

  it("answers a problem to headers that are too large", async () => {
    const { port } = await started();
    const bytes = `GET /livez HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(20_000)}\r\n\r\n`;
    expect(bodyOf(await raw(port, bytes))).toMatchInlineSnapshot(`
      {
        "code": "headers-too-large",
        "detail": "Reading the request: its headers are over 16 KiB. Send fewer.",
        "status": 431,
        "title": "The headers are too large",
        "type": "urn:tradepost:problem:headers-too-large",
      }
    `);
  });

  it("answers a problem to a Host header that is none", async () => {
    const { port } = await started();
    const bytes = "GET /livez HTTP/1.1\r\nhost: a b/c\r\nconnection: close\r\n\r\n";
    expect(bodyOf(await raw(port, bytes))).toMatchInlineSnapshot(`
      {
        "code": "request-malformed",
        "detail": "Reading the request: Invalid URL. Send an address and a Host header that are whole.",
        "status": 400,
        "title": "The request cannot be read",
        "type": "urn:tradepost:problem:request-malformed",
      }
    `);
  });

  it("answers once, and without waiting for a body that nobody will read", async () => {
    const { port } = await started();
    const bytes =
      "POST /v1/orders HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n" +
      "content-length: 99999999\r\n\r\n{";
    expect(bodyOf(await raw(port, bytes))).toMatchObject({ code: "key-missing" });
  });

  it("lets a running request end when it closes, and takes no new one", async () => {
    const gate = Promise.withResolvers<void>();
    const api = await started({ wait: gate.promise });
    const running = fetch(`${api.url}/readyz`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closing = api.close();
    gate.resolve();
    expect((await running).status).toBe(200);
    await closing;
    await expect(fetch(`${api.url}/livez`)).rejects.toThrow("fetch failed");
  });

  it("says what to do when the port is taken", async () => {
    const { port } = await started();
    const app = { fetch: () => new Response() };
    await expect(listen(app, { port })).rejects.toThrow(
      `Listening on 127.0.0.1:${port}: listen EADDRINUSE: address already in use ` +
        `127.0.0.1:${port}. Choose another port under http in the settings, or stop what listens there.`,
    );
  });
});
