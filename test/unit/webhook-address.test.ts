/** Where webhooks may go: by what an address says, and by what is really connected to. */
import https from "node:https";
import type { AddressInfo, LookupFunction } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { addressProblem, allowedOf } from "../../src/notify/webhooks/address.ts";
import { post } from "../../src/notify/webhooks/post.ts";
import { farSide, type Answering } from "../support/far-side.ts";
import { SELF_SIGNED } from "../support/far-side-tls.ts";

const nothing = allowedOf([]);
const MESSAGE = { headers: { "webhook-id": "1" }, body: "{}" };
const INSIDE = /^the address is none of the public internet/;

/** Names as a resolver of an attacker's would give them, one answer after the other. */
function resolver(...answers: readonly (readonly string[])[]): LookupFunction {
  let asked = 0;
  return (_hostname, options, done) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    if (options.all === true) return done(null, found);
    return done(null, found[0]?.address ?? "", found[0]?.family);
  };
}

async function receiver(answer: Answering = (_seen, response) => void response.end()) {
  const side = await farSide(answer);
  onTestFinished(() => side[Symbol.asyncDispose]());
  return { side, port: new URL(side.url).port };
}

describe("an address that is given", () => {
  test.for([
    ["https://shop.example/hooks", null],
    ["https://shop.example:8443/hooks?shop=1", null],
    ["shop.example/hooks", "it is no address; write https://shop.example/hooks/orders"],
    ["ftp://shop.example/", "it begins with ftp:, and webhooks go by https"],
    ["file:///etc/passwd", "it begins with file:, and webhooks go by https"],
    [
      "http://shop.example/",
      "it is plain http, which is refused unless webhooks.allow of the settings names shop.example",
    ],
    [
      "https://shop.example:5432/",
      "port 5432 is neither 443 nor 8443, unless webhooks.allow of the settings names shop.example",
    ],
    [
      "https://me:secret@shop.example/",
      "it holds a name or password; a receiver knows us by the signature",
    ],
    ["https://shop.example/#here", "it has a # part, which is never sent"],
    [
      "https://Hooks.localhost/",
      "it is this machine itself, which is refused unless webhooks.allow of the settings names hooks.localhost",
    ],
  ] as const)("%s: %s", ([url, problem]) => {
    expect(addressProblem(url, nothing)).toBe(problem);
  });

  test.for([
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://0.0.0.0/",
    "https://１２７.０.０.１/",
  ])("%s names no host, and is refused", (url) => {
    expect(addressProblem(url, nothing)).toMatch(/^it names the address \S+ and no host/);
  });

  test("is taken as the settings allow it: a host, an address, a network", () => {
    const allowed = allowedOf(["shop.intern", "10.1.0.0/16", "fd00::/8"]);
    for (const url of [
      "http://shop.intern:8080/hooks",
      "http://SHOP.intern/",
      "http://10.1.2.3:81/",
      "https://[fd00::1]/",
    ])
      expect(addressProblem(url, allowed)).toBeNull();
    for (const url of ["http://10.2.0.1/", "http://other.intern/", "http://sub.shop.intern/"])
      expect(addressProblem(url, allowed)).not.toBeNull();
  });
});

describe("what is really connected to", () => {
  const context = { allowed: nothing, timeoutMs: 1_000 };

  test.for([
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
  ])("a name that leads to %s is refused", async (address) => {
    const { port } = await receiver();
    const lookup = resolver([address]);
    const url = `http://shop.example:${port}/`;
    expect(await post({ ...context, lookup }, url, MESSAGE)).toMatchObject({
      status: null,
      problem: expect.stringMatching(INSIDE),
    });
  });

  test.for([
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://[::1]:PORT/",
    "http://2130706433:PORT/",
  ])("%s is refused though somebody listens there", async (url) => {
    const { side, port } = await receiver();
    const outcome = await post(context, url.replace("PORT", port), MESSAGE);
    expect(outcome.problem).toMatch(INSIDE);
    expect(side.seen).toEqual([]);
  });

  test("one address inside the house among public ones refuses the name", async () => {
    const { side, port } = await receiver();
    const lookup = resolver(["93.184.215.14", "127.0.0.1"]);
    const outcome = await post({ ...context, lookup }, `http://shop.example:${port}/`, MESSAGE);
    expect(outcome.problem).toMatch(INSIDE);
    expect(side.seen).toEqual([]);
  });

  test("a name that leads somewhere else after its first answer is judged again", async () => {
    const { side, port } = await receiver();
    const lookup = resolver(["127.0.0.1"], ["169.254.169.254"]);
    const allowed = allowedOf(["127.0.0.1"]);
    const url = `http://shop.example:${port}/`;
    // Looked up once where it is allowed; again for each message.
    expect(await post({ ...context, allowed, lookup }, url, MESSAGE)).toMatchObject({
      status: 200,
    });
    expect((await post({ ...context, allowed, lookup }, url, MESSAGE)).problem).toMatch(INSIDE);
    expect(side.seen).toHaveLength(1);
  });

  test("a network that the settings allow is reached by a name, and no other network", async () => {
    const { side, port } = await receiver();
    const allowed = allowedOf(["127.0.0.0/8"]);
    const url = `http://shop.example:${port}/`;
    const to = (address: string) =>
      post({ ...context, allowed, lookup: resolver([address]) }, url, MESSAGE);
    expect(await to("127.0.0.1")).toMatchObject({ status: 200, problem: null });
    expect((await to("10.0.0.1")).problem).toMatch(INSIDE);
    expect((await to("::1")).problem).toMatch(INSIDE);
    expect(side.seen).toHaveLength(1);
  });

  test("a receiver that cannot show whose it is gets nothing", async () => {
    let heard = 0;
    const server = https.createServer(SELF_SIGNED, (_request, response) => {
      heard += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const allowed = allowedOf(["127.0.0.1"]);
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect((await post({ ...context, allowed }, url, MESSAGE)).problem).toBe(
      "its certificate has signed itself (DEPTH_ZERO_SELF_SIGNED_CERT)",
    );
    expect(heard).toBe(0);
  });

  test("a redirect into the house is not followed", async () => {
    const inside = await receiver();
    const { port } = await receiver((_seen, response) => {
      response.writeHead(307, { location: inside.side.url }).end();
    });
    const allowed = allowedOf(["127.0.0.1"]);
    expect(await post({ ...context, allowed }, `http://127.0.0.1:${port}/`, MESSAGE)).toMatchObject(
      {
        status: 307,
        problem: "answered 307, and redirects are not followed",
      },
    );
    expect(inside.side.seen).toEqual([]);
  });

  test("of an endless answer the beginning is shown, on one line, and the rest not read", async () => {
    const { port } = await receiver((_seen, response) => {
      response.writeHead(500);
      response.on("error", () => undefined);
      const more = () => {
        while (!response.destroyed && response.write("no\u001b[31m\n".repeat(1_000)));
      };
      response.on("drain", more);
      more();
    });
    const allowed = allowedOf(["127.0.0.1"]);
    const { problem } = await post({ ...context, allowed }, `http://127.0.0.1:${port}/`, MESSAGE);
    expect(problem).toMatch(/^answered 500: no \[31m no/);
    expect(problem?.length).toBeLessThan(240);
  });
});
