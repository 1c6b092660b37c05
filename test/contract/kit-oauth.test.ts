import { describe, expect, test } from "vitest";
import type { OAuthOptions } from "../../src/connector/oauth/index.ts";
import { openOAuth } from "../../src/connector/oauth/index.ts";
import { openHttp } from "../../src/connector/http/index.ts";
import { farSide, json, type FarSide } from "../support/far-side.ts";
import { kitHost, type KitHost } from "../support/kit-host.ts";

/**
 * A provider as Sage's: access tokens live 300 s, each refresh token is taken once. `grace`: the
 * one before is taken again, as some providers do for a while.
 */
interface Provider extends FarSide {
  grants: number;
  live: string;
  before: string;
  grace: boolean;
  /** Takes the request, gives new tokens away, and breaks the connection. */
  breaks: boolean;
}

async function provider(): Promise<Provider> {
  const far = await farSide((request, response) => {
    const form = new URLSearchParams(request.body);
    const given = form.get("refresh_token");
    if (form.get("client_secret") !== "client-s3cret")
      return json(response, { error: "invalid_client" }, 401);
    const renews = form.get("grant_type") === "refresh_token";
    if (renews && given !== self.live && !(self.grace && given === self.before))
      return json(response, { error: "invalid_grant", said: given }, 400);
    self.grants += 1;
    self.before = self.live;
    self.live = `refresh-${self.grants}`;
    if (self.breaks) return response.destroy() as unknown as void;
    json(response, {
      access_token: `access-${self.grants}`,
      expires_in: "300",
      ...(form.get("grant_type") === "client_credentials" ? {} : { refresh_token: self.live }),
    });
  });
  const self: Provider = Object.assign(far, {
    grants: 0,
    live: "refresh-seed",
    before: "",
    grace: false,
    breaks: false,
  });
  return self;
}

const options = (from: FarSide, more: Partial<OAuthOptions> = {}) =>
  ({
    grant: "refresh",
    tokenUrl: `${from.url}/token`,
    clientId: "tradepost",
    clientSecret: "client-s3cret",
    firstRefreshToken: "refresh-seed",
    ...more,
  }) as OAuthOptions;

/** Another session, or another instance, on what the first one keeps. */
const beside = (host: KitHost): KitHost => ({
  ...kitHost(),
  tokens: host.tokens,
  now: () => host.now(),
});

describe("a refresh token that rotates", () => {
  test("is used once, and what came for it is kept for every other session", async () => {
    await using far = await provider();
    const host = kitHost();
    expect(await openOAuth(options(far), host).current()).toBe("access-1");
    expect(await openOAuth(options(far), beside(host)).current()).toBe("access-1");
    host.pass(250);
    expect(await openOAuth(options(far), beside(host)).current()).toBe("access-2");
    expect(far.seen.map(({ body }) => new URLSearchParams(body).get("refresh_token"))).toEqual([
      "refresh-seed",
      "refresh-1",
    ]);
  });

  test("is renewed by one at a time, however many requests and instances find it too old", async () => {
    await using far = await provider();
    const host = kitHost();
    const [one, two] = [openOAuth(options(far), host), openOAuth(options(far), beside(host))];
    const tokens = await Promise.all([one.current(), one.current(), two.current(), two.current()]);
    expect(new Set(tokens)).toEqual(new Set(["access-1"]));
    const renewed = await Promise.all([
      one.renew("access-1"),
      one.renew("access-1"),
      two.renew("access-1"),
    ]);
    expect(new Set(renewed)).toEqual(new Set(["access-2"]));
    expect(far.grants).toBe(2);
  });

  test("survives a crash between the answer and our write where the provider takes the old one again", async () => {
    await using far = await provider();
    const host = kitHost();
    await openOAuth(options(far), host).current();
    far.breaks = true;
    await expect(openOAuth(options(far), beside(host)).renew("access-1")).rejects.toThrow("broke");
    far.breaks = false;
    far.grace = true;
    expect(await openOAuth(options(far), beside(host)).current()).toBe("access-3");
  });

  test("that was used up by a renewal whose answer was lost says since when, and to sign in again", async () => {
    await using far = await provider();
    const host = kitHost();
    const oauth = openOAuth(options(far), host);
    await oauth.current();
    far.breaks = true;
    await expect(oauth.renew("access-1")).rejects.toThrow("broke");
    far.breaks = false;
    const error: unknown = await oauth.renew("access-1").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: "auth" });
    expect(String(error)).toContain("A renewal that began at 2026-03-31T08:00:00Z ended before");
    expect(String(error)).not.toContain("refresh-1");
    expect((error as { instruction: string }).instruction).toContain("Sign in again");
  });

  test("is not cut off by the session's end once the provider was asked", async () => {
    const host = kitHost();
    await using far = await farSide((_, response) => {
      host.stop();
      setTimeout(() => {
        json(response, { access_token: "access-1", refresh_token: "refresh-1" });
      }, 30);
    });
    expect(await openOAuth(options(far), host).current()).toBe("access-1");
    expect(host.kept.get("oauth")?.value).toContain("refresh-1");
  });

  test("a new sign-in in the settings counts before what is kept", async () => {
    await using far = await provider();
    const host = kitHost();
    await openOAuth(options(far), host).current();
    far.live = "refresh-by-hand";
    const again = options(far, { firstRefreshToken: "refresh-by-hand" });
    expect(await openOAuth(again, beside(host)).current()).toBe("access-2");
    expect(await openOAuth(again, beside(host)).current()).toBe("access-2");
  });

  test("without any sign-in the fault says that nobody has signed in yet", async () => {
    await using far = await provider();
    const oauth = openOAuth(options(far, { firstRefreshToken: null }), kitHost());
    await expect(oauth.current()).rejects.toMatchObject({ kind: "auth" });
    await expect(oauth.current()).rejects.toThrow("nobody has signed in yet");
    await oauth.redeem("code-of-the-browser", "https://tradepost.example/back");
    expect(await oauth.current()).toBe("access-1");
  });

  test("one whose renewal was given up for dead and comes back late brings its tokens home", async () => {
    await using far = await provider();
    const host = kitHost();
    await openOAuth(options(far), host).current();
    // The late one has its answer, but is held up before it writes.
    const late = beside(host);
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let writes = 0;
    const slow: KitHost = {
      ...late,
      tokens: {
        ...late.tokens,
        alone: (_, refresh) => refresh(),
        write: async (...given) => {
          writes += 1;
          if (writes === 2) await held;
          return host.tokens.write(...given);
        },
      },
    };
    const renewal = openOAuth(options(far), slow).renew("access-1");
    while (far.grants < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = openOAuth(options(far), beside(host)).renew("access-1");
    await expect(second).rejects.toMatchObject({ kind: "auth" });
    letGo();
    expect(await renewal).toBe("access-2");
    expect(await openOAuth(options(far), beside(host)).current()).toBe("access-2");
  });
});

describe("client credentials", () => {
  test("are asked once for all sessions until the token is old", async () => {
    await using far = await provider();
    const host = kitHost();
    const grant = { grant: "client" } as const;
    expect(await openOAuth(options(far, grant), host).current()).toBe("access-1");
    expect(await openOAuth(options(far, grant), beside(host)).current()).toBe("access-1");
    host.pass(299);
    expect(await openOAuth(options(far, grant), beside(host)).current()).toBe("access-2");
  });

  test("that are wrong say so, and show nothing", async () => {
    await using far = await provider();
    const host = kitHost();
    const wrong = options(far, { grant: "client", clientSecret: "wrong-secret" });
    const error: unknown = await openOAuth(wrong, host)
      .current()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      kind: "auth",
      instruction: expect.stringContaining("client secret") as unknown,
    });
    expect(`${String(error)}${host.lines.join()}`).not.toContain("wrong-secret");
  });
});

test("a token that expires in the middle of a read costs one renewal and no page", async () => {
  await using far = await provider();
  const host = kitHost();
  let good = "access-1";
  await using api = await farSide(({ url, headers }, response) => {
    const fine = headers.authorization === `Bearer ${good}`;
    json(response, fine ? url : { error: "expired" }, fine ? 200 : 401);
  });
  const http = openHttp(
    { baseUrl: api.url, perSecond: 5, auth: openOAuth(options(far), host) },
    host,
  );
  expect((await http.get("page/1")).body).toBe("/page/1");
  good = "access-2";
  const pages = await Promise.all([2, 3, 4].map((page) => http.get(`page/${page}`)));
  expect(pages.map(({ body }) => body)).toEqual(["/page/2", "/page/3", "/page/4"]);
  expect(far.grants).toBe(2);
});

test("an order is not in doubt because a token could not be renewed: it has not left", async () => {
  await using far = await farSide((_, response) => {
    json(response, {}, 500);
  });
  const host = kitHost();
  await using api = await farSide((_, response) => {
    json(response, "placed");
  });
  const http = openHttp(
    { baseUrl: api.url, perSecond: 5, auth: openOAuth(options(far), host) },
    host,
  );
  await expect(http.post("orders", { json: {} })).rejects.toMatchObject({
    kind: "transient",
    inDoubt: false,
  });
  expect(api.seen).toEqual([]);
});
