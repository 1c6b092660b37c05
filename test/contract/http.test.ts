import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openAccess } from "../../src/access/index.ts";
import { createApp } from "../../src/http/index.ts";
import { LIMITS } from "../../src/http/limits.ts";
import { useApi } from "../support/api.ts";
import type { Answered, AskOptions } from "../support/api.ts";

const company = "HARROW";
const api = useApi([company]);
type Body = Record<string, unknown>;

const ask = (method: string, address: string, options?: AskOptions) =>
  api.ask<Body>(method, address, options);

/** A problem without what differs from run to run. */
async function problemOf(answering: Promise<Answered<Body>>): Promise<Body> {
  const { requestId, ...rest } = (await answering).body;
  expect(requestId).toBeTypeOf("string");
  return rest;
}

const json = { "content-type": "application/json", "idempotency-key": "k1" };

describe("a client that hangs up in the middle of its body", () => {
  it("is no database that is away", async () => {
    const { hostname, port } = new URL(api.url);
    const key = await api.keyWith({});
    const before = api.logged.length;
    for (const framing of ["Content-Length: 500", "Transfer-Encoding: chunked"]) {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      socket.write(
        `POST /v1/orders HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer ${key}\r\n` +
          `Idempotency-Key: cut\r\nContent-Type: application/json\r\n${framing}\r\n\r\n` +
          'b\r\n{"webOrder"',
      );
      await sleep(100);
      socket.destroy();
    }
    // A whole request behind them: what they came to is told by then.
    await sleep(200);
    expect((await ask("GET", "/v1/events")).status).toBe(200);
    expect(api.logged.slice(before).filter((line) => line.includes("/v1/orders"))).toEqual([]);
  });
});

describe("an address", () => {
  it("that is not there is answered with the nearest one", async () => {
    expect(await problemOf(ask("GET", "/v1/run"))).toMatchInlineSnapshot(`
      {
        "code": "route-unknown",
        "detail": "There is nothing at GET /v1/run. The nearest is /v1/runs. /v1/openapi.json lists every address.",
        "status": 404,
        "title": "There is nothing at this address",
        "type": "urn:tradepost:problem:route-unknown",
      }
    `);
  });

  it("that is there with another method names the methods it takes", async () => {
    const answer = ask("DELETE", "/v1/orders/W-1");
    expect((await answer).headers.get("allow")).toBe("GET, HEAD");
    expect(await problemOf(answer)).toMatchInlineSnapshot(`
      {
        "code": "method-not-allowed",
        "detail": "/v1/orders/W-1 takes GET, HEAD, and the request was DELETE. Use one of these.",
        "status": 405,
        "title": "The address does not take this method",
        "type": "urn:tradepost:problem:method-not-allowed",
      }
    `);
  });

  it("answers HEAD with the headers of GET", async () => {
    const { status, body } = await ask("HEAD", "/v1/runs");
    expect({ status, body }).toEqual({ status: 200, body: null });
  });
});

describe("a request's key", () => {
  it("is asked for when it is not there", async () => {
    const answer = ask("GET", "/v1/runs", { key: null });
    expect((await answer).headers.get("www-authenticate")).toBe('Bearer realm="tradepost"');
    expect(await problemOf(answer)).toMatchInlineSnapshot(`
      {
        "code": "key-missing",
        "detail": "There is no Authorization header. Send \`Authorization: Bearer tp_live_…\` (or tp_test_…); \`tradepost keys create --name SHOP --scopes prices --who NAME\` makes a key.",
        "status": 401,
        "title": "An API key is needed",
        "type": "urn:tradepost:problem:key-missing",
      }
    `);
  });

  it("is refused when nobody made it", async () => {
    const key = `tp_live_${"a".repeat(43)}`;
    expect(await problemOf(ask("GET", "/v1/runs", { key }))).toMatchInlineSnapshot(`
      {
        "code": "key-unknown",
        "detail": "The API key is not known, or was revoked. \`tradepost keys\` shows those that are good.",
        "status": 401,
        "title": "The API key is not good",
        "type": "urn:tradepost:problem:key-unknown",
      }
    `);
  });

  it("opens only what its scopes say", async () => {
    const key = await api.keyWith({ scopes: ["prices", "pay"] });
    expect(await problemOf(ask("GET", "/v1/runs", { key }))).toMatchInlineSnapshot(`
      {
        "code": "scope-missing",
        "detail": "The API key "Shop" opens prices, pay, and this needs sync. Make a key with that scope.",
        "status": 403,
        "title": "The API key does not open this",
        "type": "urn:tradepost:problem:scope-missing",
      }
    `);
  });

  it("of a company that is not served here opens nothing", async () => {
    const key = await api.keyWith({ company: "OTHER" });
    expect(await problemOf(ask("GET", "/v1/runs", { key }))).toMatchInlineSnapshot(`
      {
        "code": "company-unknown",
        "detail": "The API key is of company OTHER, which is not in this service's settings. Ask the address that serves this company.",
        "status": 403,
        "title": "The API key's company is not served here",
        "type": "urn:tradepost:problem:company-unknown",
      }
    `);
  });
});

describe("a query", () => {
  it("with a misspelt parameter is refused with the nearest one", async () => {
    expect(await problemOf(ask("GET", "/v1/runs?steam=price-rules"))).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 1 error. First: query /steam: found the key "steam", expected one of stream, limit (nearest match "stream").",
        "errors": [
          {
            "expected": "one of stream, limit",
            "found": "the key "steam"",
            "in": "query",
            "nearest": "stream",
            "pointer": "/steam",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
        "type": "urn:tradepost:problem:request-invalid",
      }
    `);
  });

  it("is refused with what was found and what was expected", async () => {
    expect(await problemOf(ask("GET", "/v1/runs?limit=5000"))).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 1 error. First: query /limit: found the number 5000, expected a whole number from 1 to 1000.",
        "errors": [
          {
            "expected": "a whole number from 1 to 1000",
            "found": "the number 5000",
            "in": "query",
            "pointer": "/limit",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
        "type": "urn:tradepost:problem:request-invalid",
      }
    `);
    for (const limit of ["0", "-1", "1.5", "x", "", "1e9"])
      expect((await ask("GET", `/v1/runs?limit=${limit}`)).status, limit).toBe(400);
  });

  it("that says a parameter twice is refused", async () => {
    expect(await problemOf(ask("GET", "/v1/runs?limit=1&limit=2"))).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 1 error. First: query /limit: found it 2 times, expected it once.",
        "errors": [
          {
            "expected": "it once",
            "found": "it 2 times",
            "in": "query",
            "pointer": "/limit",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
        "type": "urn:tradepost:problem:request-invalid",
      }
    `);
  });

  it("with the character NUL is refused before it reaches the database", async () => {
    expect(await problemOf(ask("GET", "/v1/runs?stream=a%00b"))).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 1 error. First: query /stream: found text with the character NUL (\\u0000), expected text without it.",
        "errors": [
          {
            "expected": "text without it",
            "found": "text with the character NUL (\\u0000)",
            "in": "query",
            "pointer": "/stream",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
        "type": "urn:tradepost:problem:request-invalid",
      }
    `);
  });
});

describe("a body", () => {
  const post = (raw: NonNullable<AskOptions["raw"]>, headers: Record<string, string> = json) =>
    problemOf(ask("POST", "/v1/orders", { headers, raw }));

  it("that is not JSON is refused with the place", async () => {
    expect(await post('{"account": "A001",}')).toMatchInlineSnapshot(`
      {
        "code": "request-malformed",
        "detail": "Reading the body: it is not JSON (Expected double-quoted property name in JSON at position 19 (line 1 column 20)). Mend it there.",
        "status": 400,
        "title": "The request cannot be read",
        "type": "urn:tradepost:problem:request-malformed",
      }
    `);
    expect(await post("")).toMatchInlineSnapshot(`
      {
        "code": "request-malformed",
        "detail": "Reading the body: it is empty. Send a JSON object.",
        "status": 400,
        "title": "The request cannot be read",
        "type": "urn:tradepost:problem:request-malformed",
      }
    `);
  });

  it("of another type is refused", async () => {
    expect(await post("a=1", { "content-type": "text/plain" })).toMatchInlineSnapshot(`
      {
        "code": "content-type-unsupported",
        "detail": "Reading the body: its Content-Type is "text/plain", expected "application/json" (UTF-8). Send that header and a JSON body.",
        "status": 415,
        "title": "The body must be JSON",
        "type": "urn:tradepost:problem:content-type-unsupported",
      }
    `);
    const latin = { "content-type": "application/json; charset=latin1" };
    expect(await post("{}", latin)).toMatchObject({ code: "content-type-unsupported" });
    const vendor = { "content-type": 'application/vnd.shop+json; charset="UTF-8"' };
    expect(await post("{}", vendor)).toMatchObject({ code: "request-invalid" });
  });

  it("that is not UTF-8 is refused, since it would travel to the ERP", async () => {
    expect(await post(new Uint8Array([0x22, 0xe9, 0x22]))).toMatchInlineSnapshot(`
      {
        "code": "request-malformed",
        "detail": "Reading the body: it is not UTF-8 throughout (or holds the replacement character U+FFFD). Send JSON encoded as UTF-8.",
        "status": 400,
        "title": "The request cannot be read",
        "type": "urn:tradepost:problem:request-malformed",
      }
    `);
  });

  it("with the character NUL is refused with its place", async () => {
    const body = JSON.stringify({ account: "A001", lines: [{ product: "P\0" }] });
    expect(await post(body)).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 1 error. First: body /lines/0/product: found text with the character NUL (\\u0000), expected text without it.",
        "errors": [
          {
            "expected": "text without it",
            "found": "text with the character NUL (\\u0000)",
            "in": "body",
            "pointer": "/lines/0/product",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
        "type": "urn:tradepost:problem:request-invalid",
      }
    `);
    // The six characters \u0000, escaped themselves, are not NUL.
    expect(await post('{"account":"\\\\u0000"}')).toMatchObject({ code: "request-invalid" });
  });

  it("over the limit is refused, whether it says its length or not", async () => {
    const large = new Uint8Array(LIMITS.orderBodyBytes + 1).fill(0x20);
    expect(await post(large)).toMatchInlineSnapshot(`
      {
        "code": "body-too-large",
        "detail": "Reading the body: found 1048577 bytes, at most 1048576 bytes are taken. One order may have no more: leave out what it does not need, or send several.",
        "status": 413,
        "title": "The body is too large",
        "type": "urn:tradepost:problem:body-too-large",
      }
    `);
    expect(await post(new Blob([large]).stream())).toMatchInlineSnapshot(`
      {
        "code": "body-too-large",
        "detail": "Reading the body: found more, at most 1048576 bytes are taken. One order may have no more: leave out what it does not need, or send several.",
        "status": 413,
        "title": "The body is too large",
        "type": "urn:tradepost:problem:body-too-large",
      }
    `);
  });

  it("is told everything that is wrong in it at once, each with its place", async () => {
    const body = JSON.stringify({
      acount: "A001",
      lines: [{ product: "P", quantity: 1, unitPrice: "1,50" }],
    });
    expect(await post(body)).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 4 errors. First: body /lines/0/quantity: found the number 1, expected text (put it in quotes).",
        "errors": [
          {
            "expected": "text (put it in quotes)",
            "found": "the number 1",
            "in": "body",
            "pointer": "/lines/0/quantity",
          },
          {
            "expected": "a decimal in quotes with at most 6 places, such as "12.50"",
            "found": "the text "1,50"",
            "in": "body",
            "pointer": "/lines/0/unitPrice",
          },
          {
            "expected": "one of webOrder, account, guest, accountRequest, orderedOn, placedBy, placedByName, customerReference, site, deliverTo, branch, requestedOn, quotation, conditions, currency, lines, charges, codes, payment, net, vat, gross",
            "found": "the key "acount"",
            "in": "body",
            "nearest": "account",
            "pointer": "/acount",
          },
          {
            "expected": "the account; absent only with a guest or an accountRequest",
            "found": "nothing",
            "in": "body",
            "pointer": "/account",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
        "type": "urn:tradepost:problem:request-invalid",
      }
    `);
  });

  it("with ten thousand errors lists a hundred of them", async () => {
    const body = JSON.stringify({
      account: "A001",
      lines: Array.from({ length: 900 }, () => ({})),
    });
    const { detail, errors } = (await post(body)) as { detail: string; errors: unknown[] };
    expect(detail).toContain("2700 errors");
    expect(errors).toHaveLength(100);
  });
});

describe("an order", () => {
  const ORDER = JSON.stringify({
    account: "A001",
    lines: [{ product: "P", quantity: "1", unitPrice: "1.50" }],
  });

  it("without an Idempotency-Key is not looked at", async () => {
    const headers = { "content-type": "application/json" };
    expect(await problemOf(ask("POST", "/v1/orders", { headers, raw: ORDER })))
      .toMatchInlineSnapshot(`
      {
        "code": "idempotency-key-missing",
        "detail": "Taking an order: the Idempotency-Key header is not there, expected 1 to 255 visible ASCII characters without spaces. Make a new one (a UUID, say) for every order and send it with every try of that order.",
        "status": 400,
        "title": "The Idempotency-Key header is missing",
        "type": "urn:tradepost:problem:idempotency-key-missing",
      }
    `);
  });

  it("with an Idempotency-Key that is too long is told how long it is", async () => {
    const headers = { "content-type": "application/json", "idempotency-key": "k".repeat(300) };
    expect(await problemOf(ask("POST", "/v1/orders", { headers, raw: ORDER }))).toMatchObject({
      code: "idempotency-key-missing",
      detail: expect.stringMatching(
        /header is too long: found 300 characters, expected 1 to 255 visible/,
      ) as string,
    });
  });
});

describe("an answer", () => {
  it("is JSON, and a caller that cannot take it is told so", async () => {
    const refused = { accept: "text/html" };
    expect(await problemOf(ask("GET", "/v1/runs", { headers: refused }))).toMatchInlineSnapshot(`
      {
        "code": "not-acceptable",
        "detail": "Answering GET /v1/runs: the Accept header is "text/html", and the answer is application/json (errors: application/problem+json). Accept that, or send no Accept header.",
        "status": 406,
        "title": "The answer is JSON and nothing else",
        "type": "urn:tradepost:problem:not-acceptable",
      }
    `);
    for (const accept of [
      "*/*",
      "application/*;q=0.5",
      "text/html, application/json",
      "application/problem+json",
    ])
      expect((await ask("GET", "/v1/runs", { headers: { accept } })).status, accept).toBe(200);
    const none = { accept: "text/html, application/json;q=0" };
    expect((await ask("GET", "/v1/runs", { headers: none })).status).toBe(406);
  });

  it("carries the caller's request id where it is harmless, else one of ours", async () => {
    const given = async (id: string) =>
      (await ask("GET", "/livez", { headers: { "x-request-id": id } })).headers.get("x-request-id");
    expect(await given("shop-42")).toBe("shop-42");
    expect(await given('a" b')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await given("x".repeat(65))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is never kept by a cache, framed or sniffed, errors included", async () => {
    for (const address of ["/v1/runs", "/nowhere"]) {
      const { headers } = await ask("GET", address);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toBe(
        "default-src 'none'; frame-ancestors 'none'",
      );
    }
  });
});

describe("a defect of our own", () => {
  it("is a problem that names the log's entry, and the log holds no secret", async () => {
    const logged: string[] = [];
    const { store } = api.tradepost;
    const app = createApp({
      access: openAccess({ store, now: () => Temporal.Now.instant() }),
      company: () => Promise.reject(new Error("a pipe burst")),
      ready: () => Promise.resolve([]),
      log: (level, message, facts) => logged.push(`${level} ${message} ${JSON.stringify(facts)}`),
    });
    const secret = await api.keyWith({});
    const answer = await app.request("/v1/sales/totals?account=A001", {
      headers: { authorization: `Bearer ${secret}`, "x-request-id": "r-1" },
    });
    expect(await answer.json()).toMatchInlineSnapshot(`
      {
        "code": "defect",
        "detail": "Answering GET /v1/sales/totals failed, and the reason is in the log under request r-1. Nothing of it was kept unless its Idempotency-Key answers; sending it again is safe.",
        "requestId": "r-1",
        "status": 500,
        "title": "Tradepost has a defect",
        "type": "urn:tradepost:problem:defect",
      }
    `);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain("a pipe burst");
    expect(logged[0]).toContain('"requestId":"r-1"');
    expect(logged[0]).not.toContain(secret);
    expect(logged[0]).not.toContain("A001");
  });
});

describe("a database that is away", () => {
  it("is a problem that passes: send it again", async () => {
    const { store } = api.tradepost;
    const app = createApp({
      access: openAccess({ store, now: () => Temporal.Now.instant() }),
      // A statement that the server ends: what it says is what it says when it shuts down.
      company: async () => {
        await store.query("SELECT pg_terminate_backend(pg_backend_pid())");
        return undefined;
      },
      ready: () => Promise.resolve([]),
      log: () => undefined,
    });
    const headers = { authorization: `Bearer ${await api.keyWith({})}`, "x-request-id": "r-2" };
    const answer = await app.request("/v1/runs", { headers });
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await answer.json()).toMatchInlineSnapshot(`
      {
        "code": "database-away",
        "detail": "Answering GET /v1/runs: the database does not answer at the moment. Send it again in a few seconds; an order with the same Idempotency-Key is taken once.",
        "requestId": "r-2",
        "status": 503,
        "title": "The database does not answer",
        "type": "urn:tradepost:problem:database-away",
      }
    `);
  });
});

describe("the service", () => {
  it("lives and is ready without a key", async () => {
    const { body } = await ask("GET", "/livez", { key: null });
    expect(body).toEqual({ state: "live" });
    const document = await ask("GET", "/v1/openapi.json", { key: null });
    expect(document.body).toMatchObject({ openapi: "3.1.0", info: { title: "Tradepost" } });
    await (await api.tradepost.company(company)).pricing.publish();
    const ready = await ask("GET", "/readyz", { key: null });
    expect(ready.body).toMatchObject({ state: "ready" });
  });

  it("says what is missing while it is not ready", async () => {
    const waiting = createApp({
      access: { verify: () => Promise.resolve(null) },
      company: () => undefined,
      ready: () =>
        Promise.resolve([
          { name: "database", ready: true, about: "" },
          { name: "prices of HARROW", ready: false, about: "no price book yet; run a sync" },
        ]),
      log: () => undefined,
    });
    const answer = await waiting.request("/readyz");
    expect(answer.headers.get("retry-after")).toBe("2");
    expect(await answer.json()).toMatchObject({
      status: 503,
      code: "not-ready",
      detail: "Not ready: prices of HARROW: no price book yet; run a sync",
    });
  });
});
