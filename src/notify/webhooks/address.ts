/**
 * Where a webhook may go. Whoever may add one chooses what this machine connects to; so addresses
 * inside the house are refused by the address that is really connected to, whatever a name said
 * before, unless the settings allow them.
 */
import { lookup as systemLookup } from "node:dns";
import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from "request-filtering-agent";

/** What the settings allow beside public addresses. */
export interface Allowed {
  /** Host names: any address and port, and plain http. */
  readonly names: ReadonlySet<string>;
  readonly addresses: BlockList;
  /** True: no address is allowed, so that none has to be looked for. */
  readonly noAddresses: boolean;
}

const PREFIX_BITS = { 4: 32, 6: 128 } as const;

/** Of names, addresses and networks such as 10.1.0.0/16. */
export function allowedOf(entries: readonly string[]): Allowed {
  const names = new Set<string>();
  const addresses = new BlockList();
  let noAddresses = true;
  for (const entry of entries) {
    const [host = "", bits] = entry.split("/");
    const family = isIP(host);
    if (family === 4 || family === 6) {
      addresses.addSubnet(host, Number(bits ?? PREFIX_BITS[family]), `ipv${family}`);
      noAddresses = false;
    } else names.add(entry.toLowerCase());
  }
  return { names, addresses, noAddresses };
}

/** HTTPS and what stands for it; a port of something else could be made to act by a request. */
const PORTS = new Set(["", "443", "8443"]);
const LONGEST_URL = 2_000;

/** What is wrong with an address before anything is connected to; null: nothing. */
export function addressProblem(text: string, allowed: Allowed): string | null {
  if (text.length > LONGEST_URL) return `it is longer than ${LONGEST_URL} characters`;
  if (!URL.canParse(text)) return "it is no address; write https://shop.example/hooks/orders";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return `it begins with ${url.protocol}, and webhooks go by https`;
  if (url.username !== "" || url.password !== "")
    return "it holds a name or password; a receiver knows us by the signature";
  if (url.hash !== "") return "it has a # part, which is never sent";
  const host = hostOf(url);
  if (isAllowed(host, allowed)) return null;
  const unless = `unless webhooks.allow of the settings names ${host}`;
  // Judged here already, so that it is known before anything is sent. No certificate is lost: they
  // are made out to names.
  if (isIP(host) !== 0)
    return `it names the address ${host} and no host, which is refused ${unless}`;
  if (/(?:^|\.)localhost$/.test(host) && !isAllowedAddress("127.0.0.1", allowed.addresses))
    return `it is this machine itself, which is refused ${unless}`;
  if (url.protocol === "http:") return `it is plain http, which is refused ${unless}`;
  if (!PORTS.has(url.port)) return `port ${url.port} is neither 443 nor 8443, ${unless}`;
  return null;
}

/** Without the brackets of an IPv6 address; names are lower case already. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function isAllowed(host: string, { names, addresses }: Allowed): boolean {
  return names.has(host) || isAllowedAddress(host, addresses);
}

function isAllowedAddress(address: string, addresses: BlockList): boolean {
  const family = isIP(address);
  return (family === 4 || family === 6) && addresses.check(address, `ipv${family}`);
}

/** One address of the public internet answers for the machine itself, at one cloud's machines. */
const GUARD = { denyIPAddressList: ["168.63.129.16"] };

/**
 * The ways to an address, to be tried in order: the next where one ends with `NotInside`. Each
 * judges the very address that it connects to. Made for one request: a connection that is kept
 * would outlive what was judged.
 */
export function waysTo(
  url: URL,
  allowed: Allowed,
  lookup: LookupFunction = systemLookup,
): readonly (HttpAgent | HttpsAgent)[] {
  const Agent = url.protocol === "http:" ? RequestFilteringHttpAgent : RequestFilteringHttpsAgent;
  if (isAllowed(hostOf(url), allowed))
    return [new Agent({ ...GUARD, lookup, allowPrivateIPAddress: true })];
  const outside = new Agent({ ...GUARD, lookup });
  if (allowed.noAddresses) return [outside];
  const inside = onlyTo(allowed.addresses, lookup);
  return [new Agent({ ...GUARD, lookup: inside, allowPrivateIPAddress: true }), outside];
}

/** The name stands for an address that the settings do not allow. */
export class NotInside extends Error {
  override readonly name = "NotInside";
}

function onlyTo(addresses: BlockList, lookup: LookupFunction): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null || typeof found === "string") return done(error, found);
      if (found.some(({ address }) => !isAllowedAddress(address, addresses)))
        return done(new NotInside(hostname), "");
      if (options.all === true) return done(null, found);
      return done(null, found[0]?.address ?? "", found[0]?.family);
    });
  };
}
