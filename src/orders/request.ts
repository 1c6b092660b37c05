/** What a shop may send as an order. Strict: an unknown field is an error, not a silence. */
import { createHash } from "node:crypto";
import { z } from "zod";

const decimalText = (places: number, about: string) =>
  z
    .string()
    .regex(
      new RegExp(`^\\d{1,12}(\\.\\d{1,${places}})?$`),
      `expected a decimal in quotes with at most ${places} places, such as "12.50"`,
    )
    .describe(about);
/**
 * Text of one line. A line break in it is a second row to whoever reads the order's file line by
 * line, and other control characters are nothing that an ERP shows or prints.
 */
export const oneLine = (text: z.ZodString): z.ZodString =>
  text.regex(
    /^[^\p{Cc}\u2028\u2029]*$/u,
    "expected one line of text, without line breaks, tabs and other control characters",
  );
const code = (max: number, about: string) => oneLine(z.string().min(1).max(max)).describe(about);
const isoDate = (about: string) => z.iso.date().describe(about);

const MOST_CONDITIONS = 20;

const orderLine = z.strictObject({
  product: code(60, "Product code."),
  quantity: decimalText(5, "In its unit, more than 0.").refine(
    (text) => /[1-9]/.test(text),
    "expected more than 0",
  ),
  unit: code(20, "Unit that the quantity counts; absent: the selling unit.").optional(),
  unitPrice: decimalText(
    6,
    "Price that the customer saw and agreed to, per pricing unit of the price answer.",
  ),
  priceToken: z
    .string()
    .min(1)
    .max(8_192)
    .describe("Token of the price answer: the price is honoured until the token's moment.")
    .optional(),
  net: decimalText(2, "Net of the line as the shop computed it; compared, never taken.").optional(),
});

const orderCharge = z.strictObject({
  charge: code(40, "Charge code; never a product."),
  description: oneLine(z.string().max(400)).nullable().default(null),
  net: decimalText(2, "Net of the charge."),
  vatCode: code(
    20,
    "VAT code of the charge; absent: as the settings say, else STANDARD.",
  ).optional(),
});

const orderPayment = z.strictObject({
  provider: code(60, "Who took the payment."),
  reference: code(100, "The provider's reference."),
  amount: decimalText(2, "Amount taken, more than 0.").refine(
    (text) => /[1-9]/.test(text),
    "expected more than 0; an order on account has no payment",
  ),
  currency: z.string().length(3).describe("ISO currency of it; absent: the order's.").optional(),
});

const blankable = (max: number, about: string) =>
  oneLine(z.string().min(1).max(max)).nullable().default(null).describe(about);

const orderAddress = z.strictObject({
  name: code(200, "Who receives it."),
  address1: code(100, "First address line."),
  address2: blankable(100, "Second address line; null: none."),
  address3: blankable(100, "Third address line; null: none."),
  town: blankable(100, "Town; null: none."),
  county: blankable(100, "County; null: none."),
  postcode: blankable(12, "Postcode; null only where the country has none."),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "expected an ISO country such as GB")
    .default("GB")
    .describe("ISO country."),
  contact: blankable(100, "Whom the driver asks for; null: nobody by name."),
  telephone: blankable(40, "Telephone of the delivery; null: none."),
  email: blankable(200, "E-mail of the delivery; null: none."),
});

const orderGuest = z.strictObject({
  name: code(200, "Name of the buyer."),
  email: code(200, "E-mail of the buyer."),
  telephone: blankable(40, "Telephone of the buyer; null: none."),
});

const orderFields = z.strictObject({
  webOrder: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/, "expected letters, digits, - and _, at most 60")
    // The number names the order's files: those of its lines end so, and devices cannot be files.
    .refine(
      (number) => !/-lines$|^(?:con|prn|aux|nul|com\d|lpt\d)$/i.test(number),
      'expected a number that does not end in "-lines" and is not the name of a device',
    )
    .describe("The shop's order number, unique for ever; absent: we make one.")
    .optional(),
  account: code(
    40,
    "Account of the customer; absent only for a guest or with an account request.",
  ).optional(),
  guest: orderGuest
    .nullable()
    .default(null)
    .describe("A buyer without an account: the order goes to the company's cash account."),
  accountRequest: blankable(40, "Id of the account request that the order waits for; null: none."),
  orderedOn: isoDate("Business date of the order; absent: today.").optional(),
  placedBy: z
    .enum(["customer", "assisted"])
    .default("customer")
    .describe("assisted: staff keyed it for the customer; it counts in no web share."),
  placedByName: oneLine(z.string().max(100)).nullable().default(null),
  customerReference: oneLine(z.string().max(60)).nullable().default(null),
  site: code(40, "Delivery site; null: the account's usual address.").nullable().default(null),
  deliverTo: orderAddress
    .nullable()
    .default(null)
    .describe("Address that is no site; null: the site's, or the account's usual one."),
  branch: code(40, "Branch that fulfils; null: the account's branch.").nullable().default(null),
  requestedOn: isoDate("Delivery wanted on; null: as soon as possible.").nullable().default(null),
  quotation: code(60, "Quotation of the ERP that the order takes up, once; null: none.")
    .nullable()
    .default(null),
  conditions: z
    .record(oneLine(z.string().min(1).max(40)), oneLine(z.string().min(1).max(60)))
    .refine((all) => Object.keys(all).length <= MOST_CONDITIONS, `at most ${MOST_CONDITIONS}`)
    .default({})
    .describe('What is so besides, as prices were asked for: { "delivery": "collect" }.'),
  currency: z.string().length(3).describe("ISO currency; absent: the company's.").optional(),
  lines: z.array(orderLine).min(1).max(1000),
  charges: z.array(orderCharge).max(50).default([]),
  codes: z
    .array(oneLine(z.string().min(1).max(60)))
    .max(20)
    .default([])
    .describe("Codes of promotions that the buyer gave."),
  payment: orderPayment.nullable().default(null),
  net: decimalText(2, "Net of the order as the shop computed it; compared.").optional(),
  vat: decimalText(2, "VAT of the order as the shop computed it; compared.").optional(),
  gross: decimalText(2, "Gross of the order as the shop computed it; compared.").optional(),
});

export const orderRequest = orderFields.superRefine(
  ({ account, guest, accountRequest }, context) => {
    const isGiven = (value: unknown): boolean => value !== null && value !== undefined;
    const says = (message: string, input: unknown): void => {
      context.addIssue({ code: "custom", path: ["account"], message, input });
    };
    if (![account, guest, accountRequest].some(isGiven))
      says("expected the account; absent only with a guest or an accountRequest", undefined);
    if (isGiven(accountRequest) && [account, guest].some(isGiven))
      says("expected no account and no guest beside an accountRequest: still to come", account);
  },
  // With everything else that is wrong, and not only once all else is right.
  { when: ({ value }) => typeof value === "object" && value !== null },
);

/** A request as it was kept; of a time when lines could break, too. Null: it is none any more. */
export function keptRequest(kept: unknown): OrderRequest | null {
  const unbroken: unknown = JSON.parse(JSON.stringify(kept), (_, part: unknown) =>
    typeof part === "string" ? part.replace(/[\p{Cc}\u2028\u2029]+/gu, " ") : part,
  );
  return orderRequest.safeParse(unbroken).data ?? null;
}

/** As it was sent: a guest and who waits for an account may have none yet. */
export type OrderRequest = z.infer<typeof orderRequest>;

/** With the account that it is taken on. */
export type AccountedOrder = OrderRequest & {
  readonly account: string;
  /** What is written as its account; absent: that account, and none that stands in for it. */
  readonly keptUnder?: string;
};

/** Where no account is found for the buyer, none is known: the account check says what it means. */
export function onAccount(request: OrderRequest, account = request.account): AccountedOrder {
  return { ...request, account: account ?? "" };
}

/**
 * Equal for equal requests whatever the order of their fields: what an idempotency key is bound
 * to. What is blank counts as absent, so that a field which a later release adds changes no key.
 */
export function requestHash(request: OrderRequest): string {
  return createHash("sha256").update(sortedJson(request)).digest("hex");
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part)
            .filter(([, held]) => !isBlank(held))
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : part,
  );
}

function isBlank(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
