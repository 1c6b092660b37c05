/** A request as it is sent: its address within the connection's origin, headers and body. */
import { ConnectorFault } from "../contract.ts";
import type { Hider } from "../hide.ts";

export type QueryValue = string | number | boolean | undefined;
export type Query = Readonly<Record<string, QueryValue | readonly string[]>>;

export type SentBody =
  | { readonly json: unknown }
  | { readonly form: Readonly<Record<string, string>> }
  | { readonly bytes: Uint8Array | string; readonly type: string };

/** How each request proves who sends it. Values come from `host.secret` or from tokens. */
export type HttpAuth =
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "header"; readonly name: string; readonly value: string }
  | { readonly kind: "query"; readonly name: string; readonly value: string }
  | AccessTokens;

/** Tokens that run out; `#connector/oauth` gives them. */
export interface AccessTokens {
  readonly kind: "tokens";
  current(): Promise<string>;
  /** Another one than that which the far side has just refused. */
  renew(refused: string): Promise<string>;
}

/** Headers whose values are no secrets; every other one that is set is hidden. */
const OPEN_HEADERS =
  /^(?:accept(?:-.*)?|content-.*|user-agent|prefer|if-.*|x-(?:site|company|business))$/;

export function baseOf(text: string): URL {
  const base = URL.parse(text);
  if (base === null || !/^https?:$/.test(base.protocol))
    throw new ConnectorFault(
      "config",
      base === null ? "The address of the far side is no address." : "It is no http address.",
      "Give an address such as https://erp.example.com/api/v1.",
    );
  if (base.username !== "" || base.password !== "")
    throw new ConnectorFault(
      "config",
      `The address of ${base.host} holds a user or a password.`,
      "Take them out of the address, and give the password as a secret of the environment.",
    );
  if (base.search !== "" || base.hash !== "")
    throw new ConnectorFault(
      "config",
      `The address ${base.origin}${base.pathname} goes on with a query, which would be lost.`,
      "Take away what stands behind the path.",
    );
  return base;
}

/** A path below the base, or a whole address of its origin, such as a page names the next one. */
export function addressOf(base: URL, path: string, query: Query = {}): URL {
  const whole = /^[a-z][a-z0-9+.-]*:/i.test(path);
  const below =
    path === "" ? base.href : `${base.href.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
  const url = URL.parse(whole ? path : below);
  if (url === null || url.origin !== base.origin || url.username !== "" || url.password !== "")
    throw new ConnectorFault(
      "config",
      `An address of ${url?.host ?? "nowhere"} was to be read through the connection to ${base.host}.`,
      "Requests go to the connection's own origin alone, since they carry its credentials.",
    );
  for (const [name, value] of Object.entries(query))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined) append(url, name, String(each));
  return url;
}

/** With %20 for a blank: + is one in forms, and not with every server in an address. */
function append(url: URL, name: string, value: string): void {
  const before = url.search === "" ? "?" : `${url.search}&`;
  url.search = `${before}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}

export function bodyOf(body: SentBody | null): { bytes: Buffer | null; type: string | null } {
  if (body === null) return { bytes: null, type: null };
  if ("json" in body)
    return { bytes: Buffer.from(JSON.stringify(body.json)), type: "application/json" };
  if ("form" in body)
    return {
      bytes: Buffer.from(new URLSearchParams(body.form).toString()),
      type: "application/x-www-form-urlencoded",
    };
  return { bytes: Buffer.from(body.bytes), type: body.type };
}

export function hideHeaders(headers: Readonly<Record<string, string>>, hider: Hider): void {
  for (const [name, value] of Object.entries(headers))
    if (!OPEN_HEADERS.test(name.toLowerCase())) hider.add(value);
}

/** What proves the sender, put to the request; the values are hidden from now on. */
export function credentials(
  auth: Exclude<HttpAuth, AccessTokens>,
  hider: Hider,
): { readonly header?: readonly [string, string]; readonly query?: readonly [string, string] } {
  switch (auth.kind) {
    case "basic": {
      const pair = `${auth.user}:${auth.password}`;
      hider.add(auth.password);
      hider.add(pair);
      return { header: ["authorization", `Basic ${Buffer.from(pair).toString("base64")}`] };
    }
    case "bearer":
      hider.add(auth.token);
      return { header: ["authorization", `Bearer ${auth.token}`] };
    case "header":
      hider.add(auth.value);
      return { header: [auth.name, auth.value] };
    case "query":
      hider.add(auth.value);
      return { query: [auth.name, auth.value] };
    default:
      return auth satisfies never;
  }
}
