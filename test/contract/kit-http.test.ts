import { createHash } from "node:crypto";
import { inspect } from "node:util";
import https from "node:https";
import type { AddressInfo } from "node:net";
import net from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { AccessTokens, HttpClient, HttpOptions } from "../../src/connector/http/index.ts";
import { HttpFault, linkedPages, numberedPages, openHttp } from "../../src/connector/http/index.ts";
import { ConnectorFault } from "../../src/connector/index.ts";
import { farSide, json, type Answering, type FarSide } from "../support/far-side.ts";
import { SELF_SIGNED } from "../support/far-side-tls.ts";
import { kitHost, type KitHost } from "../support/kit-host.ts";

interface World extends AsyncDisposable {
  readonly far: FarSide;
  readonly host: KitHost;
  readonly http: HttpClient;
}

async function world(answer: Answering, options: Partial<HttpOptions> = {}): Promise<World> {
  const far = await farSide(answer);
  const host = kitHost();
  const http = openHttp({ baseUrl: `${far.url}/api`, perSecond: 5, ...options }, host);
  return {
    far,
    host,
    http,
    [Symbol.asyncDispose]: async () => {
      host.stop();
      await far[Symbol.asyncDispose]();
    },
  };
}

async function faultOf(asked: Promise<unknown>): Promise<HttpFault> {
  const error: unknown = await asked.then(
    () => new Error("it was answered"),
    (reason: unknown) => reason,
  );
  if (error instanceof HttpFault) return error;
  throw error;
}

describe("a request", () => {
  test("waits for its turn, and its answer is the parsed body with its address and digest", async () => {
    await using w = await world((_, response) => {
      json(response, { rows: [1] });
    });
    const shape = z.object({ rows: z.array(z.number()) });
    const query = { $filter: "name eq 'Ash & Co'", page: 2, none: undefined };
    const answer = await w.http.get("/customers", { query, shape });
    expect(answer.body.rows).toEqual([1]);
    expect(answer.url).toBe(
      `${w.far.url}/api/customers?%24filter=name%20eq%20%27Ash%20%26%20Co%27&page=2`,
    );
    expect(answer.digest()).toBe(createHash("sha256").update('{"rows":[1]}').digest("hex"));
    expect(w.host.turns).toEqual([5]);
  });

  test("is never rounded: a number that a double cannot keep comes as its text", async () => {
    await using w = await world((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(
        '{"id":12345678901234567890,"price":220.8083,"net":0.1,"text":"1234567890123456"}',
      );
    });
    expect((await w.http.get("x")).body).toEqual({
      id: "12345678901234567890",
      price: 220.8083,
      net: 0.1,
      text: "1234567890123456",
    });
  });

  test("uses its connection again, and a POST a fresh one, so that none that just closed leaves it in doubt", async () => {
    const ports: (number | undefined)[] = [];
    await using w = await world((request, response) => {
      ports.push(response.socket?.remotePort);
      json(response, request.method);
    });
    await w.http.get("a");
    await w.http.get("b");
    await w.http.post("c", { json: {} });
    expect(ports[1]).toBe(ports[0]);
    expect(ports[2]).not.toBe(ports[0]);
  });

  test("unpacks gzip, and refuses a bomb before it fills the memory", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
    await using w = await world(
      ({ url }, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
        response.end(url.endsWith("bomb") ? bomb : gzipSync('{"fine":true}'));
      },
      { maxBodyBytes: 1_000_000, retries: 0 },
    );
    expect((await w.http.get("small")).body).toEqual({ fine: true });
    expect(bomb.length).toBeLessThan(1_000_000);
    const fault = await faultOf(w.http.get("bomb"));
    expect(fault.kind).toBe("config");
    expect(fault.message).toContain("unpacked it is larger than 1000000 bytes");
  });

  test("takes no gzip body that was cut off for a whole one", async () => {
    const whole = gzipSync(Buffer.from(JSON.stringify({ text: "a".repeat(9_000) })));
    await using w = await world(
      (_, response) => {
        response.writeHead(200, { "content-encoding": "gzip", "content-type": "text/plain" });
        response.end(whole.subarray(0, whole.length - 10));
      },
      { retries: 0 },
    );
    const fault = await faultOf(w.http.getText("x"));
    expect(fault).toMatchObject({ kind: "transient", inDoubt: true });
    expect(fault.message).toContain("cut off or damaged");
  });

  test("is refused before it is sent when its body is larger than allowed", async () => {
    await using w = await world(
      (_, response) => {
        json(response, {});
      },
      { maxSentBytes: 100 },
    );
    const sent = w.http.post("orders", { json: { text: "a".repeat(200) } });
    await expect(sent).rejects.toThrow("has 211 bytes, and at most 100 are sent");
    expect(w.far.seen).toEqual([]);
  });
});

describe("what waiting may mend is tried again", () => {
  test("429 with Retry-After in seconds is waited for by the host's clock", async () => {
    await using w = await world((_, response, number) => {
      if (number === 1) json(response, {}, 429, { "retry-after": "7" });
      else json(response, "fine");
    });
    expect((await w.http.get("x")).body).toBe("fine");
    expect(w.host.waits).toEqual([7_000]);
    expect(w.host.turns).toHaveLength(2);
  });

  test("Retry-After as a date is waited for too", async () => {
    await using w = await world((_, response, number) => {
      if (number === 1) json(response, {}, 503, { "retry-after": "Tue, 31 Mar 2026 08:00:20 GMT" });
      else json(response, "fine");
    });
    await w.http.get("x");
    expect(w.host.waits).toEqual([20_000]);
  });

  test("a wait longer than allowed is not waited for: the fault says when to come back", async () => {
    await using w = await world((_, response) => {
      json(response, {}, 429, { "retry-after": "3600" });
    });
    const fault = await faultOf(w.http.get("x"));
    expect(fault.kind).toBe("throttled");
    expect(fault.retryAt?.toString()).toBe("2026-03-31T09:00:00Z");
    expect(w.far.seen).toHaveLength(1);
  });

  test("500 and then fine is fine, with waits that grow and differ", async () => {
    await using w = await world((_, response, number) => {
      if (number < 4) json(response, {}, 500);
      else json(response, "fine");
    });
    expect((await w.http.get("x")).body).toBe("fine");
    const [first = 0, second = 0, third = 0] = w.host.waits;
    expect(w.host.waits).toHaveLength(3);
    expect([first >= 250 && first <= 500, second >= 500, third >= 1_000]).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("an answer that breaks off is asked for again", async () => {
    await using w = await world((_, response, number) => {
      if (number > 1) return json(response, { rows: [1, 2] });
      response.writeHead(200, { "content-type": "application/json", "content-length": "400" });
      response.write('{"rows":[1,');
      setTimeout(() => response.destroy(), 20);
    });
    expect((await w.http.get("x")).body).toEqual({ rows: [1, 2] });
    expect(w.host.lines[0]).toContain("cut off");
  });

  test("JSON that ends early is asked for again, though its length is right", async () => {
    await using w = await world((_, response, number) => {
      response.setHeader("content-type", "application/json");
      response.end(number === 1 ? '{"rows":[1,' : '{"rows":[1]}');
    });
    expect((await w.http.get("x")).body).toEqual({ rows: [1] });
  });

  test("a web page of maintenance in place of JSON is asked for again, and then told", async () => {
    await using w = await world(
      (_, response) => {
        response.setHeader("content-type", "text/html; charset=utf-8");
        response.end("<html>Back soon</html>");
      },
      { retries: 1 },
    );
    const fault = await faultOf(w.http.get("x"));
    expect(fault.kind).toBe("transient");
    expect(fault.message).toContain(
      "a web page (text/html; charset=utf-8) where JSON was expected",
    );
    expect(w.far.seen).toHaveLength(2);
  });

  test("a body that drips for ever ends with the time-out of the whole request", async () => {
    await using w = await world(
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        const drip = setInterval(() => response.write(" "), 20);
        response.on("close", () => {
          clearInterval(drip);
        });
      },
      { timeoutMs: 150, retries: 0 },
    );
    const fault = await faultOf(w.http.get("x"));
    expect(fault).toMatchObject({ kind: "transient", inDoubt: true });
    expect(fault.message).toContain("no whole answer within 0.15 s");
  });
});

describe("what may have been done is not sent again", () => {
  test.each([
    [
      "500",
      (response: Parameters<Answering>[1]) => {
        json(response, {}, 500);
      },
    ],
    [
      "a broken connection",
      (response: Parameters<Answering>[1]) => {
        response.destroy();
      },
    ],
  ])("a POST after %s is in doubt", async (_, answer) => {
    await using w = await world((__, response) => {
      answer(response);
    });
    const fault = await faultOf(w.http.post("orders", { json: { order: "W1" } }));
    expect(fault).toMatchObject({ kind: "transient", inDoubt: true });
    expect(w.far.seen).toHaveLength(1);
  });

  test("a POST that was turned away unread, or that says it may be repeated, is", async () => {
    await using w = await world((request, response, number) => {
      if (number === 1) json(response, {}, 429, { "retry-after": "1" });
      else if (number === 3) json(response, {}, 500);
      else json(response, request.url);
    });
    await w.http.post("orders", { json: {} });
    await w.http.post("search", { json: {} }, { idempotent: true });
    expect(w.far.seen.map(({ url }) => url)).toEqual([
      "/api/orders",
      "/api/orders",
      "/api/search",
      "/api/search",
    ]);
  });

  test("a POST to a port where nothing listens never left, so it is tried again and not in doubt", async () => {
    const gone = await farSide(() => undefined);
    await gone[Symbol.asyncDispose]();
    const host = kitHost();
    const http = openHttp({ baseUrl: gone.url, perSecond: 5, retries: 2 }, host);
    const fault = await faultOf(http.post("orders", { json: {} }));
    expect(fault).toMatchObject({ kind: "transient", inDoubt: false, status: null });
    expect(fault.message).toContain("nothing listens there (ECONNREFUSED)");
    expect(host.waits).toHaveLength(2);
  });
});

describe("an answer's fault is of the kind by what the reader must do", () => {
  test.each([
    [400, "refused"],
    [401, "auth"],
    [403, "auth"],
    [404, "config"],
    [409, "refused"],
    [422, "refused"],
    [501, "config"],
  ])("%i is %s, and not tried again", async (status, kind) => {
    await using w = await world((_, response) => {
      json(response, { message: "SageNullFieldException", field: "customer_id" }, status);
    });
    const fault = await faultOf(w.http.get("sop_orders"));
    expect(fault).toMatchObject({ kind, status });
    expect(fault.message).toContain("SageNullFieldException");
    expect(fault.answer).toMatchObject({ field: "customer_id" });
    expect(fault.instruction).not.toBe("");
    expect(w.far.seen).toHaveLength(1);
  });

  test("an answer of another shape than known is a defect that names the difference", async () => {
    await using w = await world((_, response) => {
      json(response, { rows: [{ id: "x" }] });
    });
    const shape = z.object({ rows: z.array(z.object({ id: z.number() })) });
    const fault = await faultOf(w.http.get("x", { shape }));
    expect(fault.kind).toBe("defect");
    expect(fault.message).toContain("rows.0.id: Invalid input: expected number, received string");
  });

  test("an answer that is too big says so instead of filling the memory", async () => {
    await using w = await world(
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(Buffer.alloc(300_000, 0x31));
      },
      { maxBodyBytes: 100_000 },
    );
    const fault = await faultOf(w.http.get("x"));
    expect(fault.kind).toBe("config");
    expect(fault.message).toContain("larger than 100000 bytes");
  });
});

describe("a request stays within its origin", () => {
  test("a redirect within it is followed, three times at most", async () => {
    await using w = await world(({ url }, response) => {
      const hops = Number(/(\d)$/.exec(url)?.[1]);
      if (hops === 0) return json(response, "there");
      response.writeHead(302, { location: `/api/${hops - 1}` });
      response.end();
    });
    expect((await w.http.get("3")).body).toBe("there");
    await expect(w.http.get("4")).rejects.toThrow("and 3 redirects were followed already");
  });

  test("a redirect to another host gets nothing, least of all the credentials", async () => {
    await using thief = await farSide((_, response) => {
      json(response, "thanks");
    });
    await using w = await world(
      (_, response) => {
        response.writeHead(302, { location: `${thief.url}/steal?token=abc` });
        response.end();
      },
      { auth: { kind: "bearer", token: "s3cret-token" } },
    );
    const fault = await faultOf(w.http.get("x"));
    expect(fault.kind).toBe("config");
    expect(fault.message).toContain(
      `to ${thief.url}/steal, and credentials go to ${w.far.url} alone`,
    );
    expect(thief.seen).toEqual([]);
  });

  test("a POST is not sent on", async () => {
    await using w = await world((_, response) => {
      response.writeHead(307, { location: "/api/other" });
      response.end();
    });
    await expect(w.http.post("x", { json: {} })).rejects.toThrow("a POST is not sent on");
  });

  test("a whole address is read in its origin alone", async () => {
    await using w = await world(({ url }, response) => {
      json(response, url);
    });
    expect((await w.http.get(`${w.far.url}/api/customers?page=2`)).body).toBe(
      "/api/customers?page=2",
    );
    await expect(w.http.get("https://example.com/customers")).rejects.toThrow(
      "An address of example.com was to be read through the connection to 127.0.0.1",
    );
  });
});

describe("a secret is never shown", () => {
  const secret = "pa55/w0rd+with=signs";
  test.each([
    ["basic", { kind: "basic", user: "web", password: secret }],
    ["bearer", { kind: "bearer", token: secret }],
    ["header", { kind: "header", name: "AuthToken", value: secret }],
    ["query", { kind: "query", name: "key", value: secret }],
  ] as const)("%s credentials, though the far side says them back", async (_, auth) => {
    await using w = await world(
      (request, response) => {
        json(response, { said: [request.headers, request.url] }, 500);
      },
      { auth, headers: { "ocp-apim-subscription-key": "sub-key-123" }, retries: 1 },
    );
    const fault = await faultOf(w.http.get("x"));
    const shown = `${inspect(fault, { depth: 9 })}${fault.stack}${w.host.lines.join()}`;
    expect(shown).toContain("‹secret›");
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64"),
      Buffer.from(`web:${secret}`).toString("base64"),
      "sub-key-123",
    ])
      expect(shown).not.toContain(form);
  });

  test("an address with a password in it is refused without showing it", () => {
    const open = () =>
      openHttp({ baseUrl: "https://web:hunter22@erp.example.com", perSecond: 1 }, kitHost());
    expect(open).toThrow("The address of erp.example.com holds a user or a password.");
  });
});

describe("over TLS", () => {
  async function secure(work: (url: string) => Promise<void>): Promise<void> {
    const server = https.createServer(SELF_SIGNED, (_, response) => {
      json(response, "sealed");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await work(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test("a certificate that nobody vouches for is a settings fault, and nothing was sent", () =>
    secure(async (baseUrl) => {
      const http = openHttp({ baseUrl, perSecond: 5 }, kitHost());
      const fault = await faultOf(http.post("orders", { json: {} }));
      expect(fault).toMatchObject({ kind: "config", inDoubt: false });
      expect(fault.message).toContain("its certificate is not trusted");
    }));

  test("its authority can be given", () =>
    secure(async (baseUrl) => {
      const host = kitHost();
      const http = openHttp({ baseUrl, perSecond: 5, authority: SELF_SIGNED.cert }, host);
      expect((await http.get("x")).body).toBe("sealed");
      expect((await http.post("x", { json: {} })).body).toBe("sealed");
      host.stop();
    }));

  test("a far side that takes the connection and never answers it ends with the connection's time-out", async () => {
    const silent = net.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const baseUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const host = kitHost();
    const http = openHttp({ baseUrl, perSecond: 5, retries: 0, connectTimeoutMs: 100 }, host);
    const fault = await faultOf(http.post("orders", { json: {} }));
    expect(fault).toMatchObject({ kind: "transient", inDoubt: false });
    expect(fault.message).toContain("no connection within 0.1 s");
    host.stop();
    silent.close();
  });
});

test("the session's end ends a request under way with the session's reason", async () => {
  await using w = await world(() => undefined);
  const asked = w.http.get("x");
  setTimeout(() => {
    w.host.stop();
  }, 50);
  await expect(asked).rejects.toThrow("the session ends");
});

test("a token that expires in the middle is renewed once, and a second refusal says to sign in again", async () => {
  let good = "second";
  const renewals: string[] = [];
  const auth: AccessTokens = {
    kind: "tokens",
    current: async () => "first",
    renew: async (refused) => {
      renewals.push(refused);
      return "second";
    },
  };
  await using w = await world(
    (request, response) => {
      const fine = request.headers.authorization === `Bearer ${good}`;
      json(response, fine ? "page" : { error: "expired" }, fine ? 200 : 401);
    },
    { auth },
  );
  expect((await w.http.get("page")).body).toBe("page");
  good = "none";
  const fault = await faultOf(w.http.get("page"));
  expect(fault.kind).toBe("auth");
  expect(fault.instruction).toContain("Sign in again");
  expect(renewals).toEqual(["first", "first"]);
  expect(w.far.seen).toHaveLength(4);
});

describe("pages", () => {
  const rowsOf = (body: unknown) => body as readonly unknown[];

  test("that are numbered come in order, four asked for at a time", async () => {
    let most = 0;
    let under = 0;
    await using w = await world(async ({ url }, response) => {
      under += 1;
      most = Math.max(most, under);
      const page = Number(/page=(\d+)/.exec(url)?.[1]);
      await new Promise((resolve) => setTimeout(resolve, page % 2 === 0 ? 30 : 5));
      under -= 1;
      json(response, page < 9 ? [page] : []);
    });
    const get = (page: number) => w.http.get("rows", { query: { page } });
    const pages = [];
    for await (const page of numberedPages({ get, rows: rowsOf })) pages.push(page.body);
    expect(pages).toEqual([[0], [1], [2], [3], [4], [5], [6], [7], [8], []]);
    expect(most).toBe(4);
  });

  test("that repeat because the far side takes no page number are told", async () => {
    await using w = await world((_, response) => {
      json(response, [1, 2, 3]);
    });
    const read = async () => {
      for await (const page of numberedPages({ get: () => w.http.get("x"), rows: rowsOf }))
        void page;
    };
    await expect(read()).rejects.toThrow("page 2 is the same as page 1, word by word");
    await expect(read()).rejects.toBeInstanceOf(ConnectorFault);
  });

  test("whose next one is themselves are told", async () => {
    await using w = await world(({ url }, response) => {
      json(response, { items: [url], next: url.endsWith("2") ? "/rows?page=2" : "/rows?page=2" });
    });
    const read = async () => {
      const get = (path: string) => w.http.get(path);
      const next = ({ body }: { body: unknown }) => (body as { next: string | null }).next;
      for await (const page of linkedPages({ first: "rows", get, next })) void page;
    };
    await expect(read()).rejects.toThrow(
      "/rows?page=2 is named as the next page, and was read already",
    );
  });

  test("a page beyond the last may fail without harm, and one within may not", async () => {
    await using w = await world(({ url }, response) => {
      const page = Number(/page=(\d+)/.exec(url)?.[1]);
      json(response, page < 3 ? [page] : { error: "no such page" }, page < 3 ? 200 : 404);
    });
    const get = (page: number) => w.http.get("rows", { query: { page } });
    const read = async (last: number) => {
      const pages = [];
      for await (const page of numberedPages({ get, rows: rowsOf, last: (_, at) => at === last }))
        pages.push(page.body);
      return pages;
    };
    expect(await read(2)).toEqual([[0], [1], [2]]);
    await expect(read(3)).rejects.toThrow("answered 404");
  });
});
