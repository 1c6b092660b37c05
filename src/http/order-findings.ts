/** What speaks against an order, as programs and people read it, and where it stands. */
import type { OrderFinding } from "../orders/index.ts";
import { z } from "./endpoint.ts";
import type { Fault } from "./problem.ts";
import { orNull, text } from "./words.ts";

export const finding = z
  .strictObject({
    check: text("Which check found it."),
    policy: z
      .enum(["accept", "hold", "refuse"])
      .describe("What the merchant's policy makes of it."),
    code: text("Stable code of the reason."),
    line: orNull(z.number().int(), "Line of the order, from 1; null: the order as a whole."),
    charge: z.number().int().optional().describe("Charge of the order, from 1; absent: none."),
    found: text("What the order says."),
    expected: text("What it should say."),
    about: text("The same as a sentence."),
    instruction: text("What to do about it."),
    offers: z
      .array(z.string())
      .optional()
      .describe("Products to offer in place of the line's; never swapped by us."),
    offeredCharge: z
      .strictObject({ charge: z.string(), net: z.string(), vatCode: z.string() })
      .optional()
      .describe("The charge with which the order would be taken as it is."),
  })
  .openapi("OrderFinding");

export function faultOf(found: OrderFinding): Fault {
  const { code, policy, expected, instruction, about, offers, offeredCharge } = found;
  return {
    in: "body",
    pointer: pointerTo(found),
    code,
    policy,
    found: found.found,
    expected,
    detail: about,
    instruction,
    ...(offers === undefined ? {} : { offers }),
    ...(offeredCharge === undefined ? {} : { offeredCharge }),
  };
}

/** RFC 6901; "" where it is about the order as a whole. */
function pointerTo({ check, code, line, charge }: OrderFinding): string {
  if (charge !== undefined)
    return `/charges/${charge - 1}/${code === "charge-vat-differs" ? "vatCode" : "charge"}`;
  if (line === null) return OF_CODE[code] ?? OF_ORDER[check] ?? "";
  const ofLine = code.startsWith("token-") ? "/priceToken" : (LINE_OF_CODE[code] ?? OF_LINE[check]);
  return `/lines/${line - 1}${ofLine ?? ""}`;
}

type Pointers = Readonly<Record<string, string>>;

const OF_CODE: Pointers = {
  "currency-differs": "/currency",
  "net-differs": "/net",
  "vat-differs": "/vat",
  "gross-differs": "/gross",
  "penny-line": "/gross",
  "site-and-address": "/deliverTo",
  "payment-currency-differs": "/payment/currency",
  "payment-used-before": "/payment/reference",
  "lines-above-limit": "/lines",
  "promotion-code-unknown": "/codes",
  "guest-address-missing": "/deliverTo",
  "guest-not-paid": "/payment",
  "guest-paid-more": "/payment/amount",
  "account-request-unknown": "/accountRequest",
  "account-request-refused": "/accountRequest",
  "account-requested": "/accountRequest",
};

const OF_ORDER: Partial<Record<OrderFinding["check"], string>> = {
  account: "/account",
  stop: "/account",
  guest: "/guest",
  reference: "/customerReference",
  site: "/site",
  branch: "/branch",
  delivery: "/deliverTo/postcode",
  country: "/deliverTo/country",
  requested: "/requestedOn",
  date: "/orderedOn",
  agreement: "/quotation",
  payment: "/payment/amount",
};

const LINE_OF_CODE: Pointers = {
  "unit-unknown": "/unit",
  "line-net-differs": "/net",
};

const OF_LINE: Partial<Record<OrderFinding["check"], string>> = {
  product: "/product",
  visibility: "/product",
  quantity: "/quantity",
  stock: "/quantity",
  limit: "/quantity",
  agreement: "/quantity",
  price: "/unitPrice",
  stale: "/unitPrice",
};
