/** What a shop needs beside prices: products, stock, customers, documents, each with a feed. */
import { CHANNELS } from "../model/index.ts";
import { CURSOR, type Kind, type Page } from "../shop/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Shown } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";
import { amount, instant, limited, orNull, text } from "./words.ts";

const words = (about: string) => orNull(z.string(), about);

const product = z
  .strictObject({
    product: text("Product code."),
    name: text("Name shown to buyers."),
    description: words("Long description."),
    productGroup: words("Product group."),
    productGroupName: words("Its name."),
    barcode: words("Barcode."),
    sellingUnit: text("Unit that quantities count."),
    pricingUnit: text("Unit that prices are per."),
    sellingUnitsPerPricingUnit: amount("Selling units in one pricing unit."),
    packQuantity: amount("Selling units in a pack."),
    units: z
      .array(z.strictObject({ unit: z.string(), sellingUnits: amount("Selling units in it.") }))
      .describe("Further units that it is sold in."),
    vatCode: text("VAT code."),
    weightKg: words("Weight of a selling unit in kilograms."),
    state: z.enum(["active", "blocked", "discontinued"]),
    soldOnWeb: z.boolean().describe("False: not to be shown or sold."),
    leastQuantity: words("Least quantity of an order line."),
    multipleQuantity: words("Order quantities are multiples of it."),
    replacedBy: words("Product that replaces it: to be offered, never swapped."),
  })
  .openapi("ShopProduct");

const figures = {
  free: amount("On hand less allocated, less our orders that the ERP has not allocated."),
  onHand: amount("Selling units that lie there."),
  allocated: amount("Of these, promised by the ERP."),
  waiting: amount("In our orders that the ERP has not allocated."),
  onOrder: amount("On purchase orders."),
  nextDueOn: orNull(z.iso.date(), "When the next purchase order is due."),
};

const stock = z
  .strictObject({
    product: text("Product code."),
    ...figures,
    branches: z.array(
      z.strictObject({
        branch: text("Branch."),
        ...figures,
        countedAt: instant("Moment that the ERP's figures are of."),
      }),
    ),
  })
  .openapi("ShopStock");

const site = z.strictObject({
  site: text("Code of the site inside the account."),
  name: text("Name on the delivery."),
  address1: words("First address line."),
  address2: words("Second address line."),
  address3: words("Third address line."),
  town: words("Town."),
  county: words("County."),
  postcode: words("Postcode."),
  country: text("ISO country."),
  standard: z.boolean().describe("True: the usual delivery address."),
  state: z.enum(["active", "closed"]),
});

const customer = z
  .strictObject({
    account: text("Account."),
    name: text("Account name."),
    tradingEntity: words("Trading entity it belongs to."),
    headOffice: words("Account of the head office."),
    buyingGroup: words("Buying group."),
    customerGroup: words("Customer group."),
    priceList: words("Price list."),
    furtherPriceLists: z.array(z.string()).describe("Further lists it is on, first ones first."),
    branch: words("Branch that serves it."),
    currency: text("ISO currency."),
    country: words("ISO country."),
    vatNumber: words("VAT registration."),
    termsDays: orNull(z.number().int(), "Days until payment is due."),
    termsBasis: words("What the days count from."),
    settlementPercent: words("Settlement discount."),
    settlementDays: orNull(z.number().int(), "Days within which it holds."),
    creditLimit: words("Credit limit."),
    balance: words("Balance owed as the ERP states it."),
    openOrders: amount("Gross of our orders that the ledger does not show yet."),
    creditLeft: words("Limit less balance and open orders."),
    onStop: z.boolean().describe("True: orders are not taken."),
    stopReason: words("Why."),
    cashAccount: z.boolean(),
    state: z.enum(["active", "closed"]),
    email: words("E-mail."),
    telephone: words("Telephone."),
    postcode: words("Postcode."),
    sites: z.array(site),
  })
  .openapi("ShopCustomer");

const document = z
  .strictObject({
    documentType: z.enum(["invoice", "credit"]),
    document: text("Number."),
    account: text("Account."),
    documentOn: z.iso.date(),
    channel: z.enum(CHANNELS),
    currency: text("ISO currency."),
    customerReference: words("The customer's reference."),
    erpOrder: words("ERP order."),
    webOrder: words("Web order that it came from."),
    net: amount("Net."),
    vat: amount("VAT."),
    gross: amount("Gross."),
    outstanding: words("Still owed on it, as the ledger says."),
    dueOn: orNull(z.iso.date(), "When it is due."),
    lines: z
      .array(
        z.strictObject({
          line: z.number().int(),
          lineClass: text("goods, charge, carriage or text."),
          product: words("Product."),
          description: words("Description."),
          quantity: amount("Selling units."),
          unitPrice: amount("Price per pricing unit."),
          net: amount("Net."),
          vat: amount("VAT."),
          vatCode: words("VAT code."),
        }),
      )
      .optional()
      .describe("Only when asked for."),
  })
  .openapi("ShopDocument");

const paging = {
  after: z.string().max(200).optional().describe("`next` of the page before."),
  limit: limited(500, LIMITS.listEntries),
};

/** The endpoints of one kind: its list, one of it, its feed. */
interface Described {
  readonly kind: Kind;
  /** /v1/products */
  readonly address: string;
  /** In words: "products". */
  readonly many: string;
  readonly name: string;
  readonly body: z.ZodType;
}

function listOf({ kind, address, many, name, body }: Described): Endpoint {
  return endpoint({
    method: "get",
    address,
    scope: "shop",
    tag: "shop",
    summary: `All ${many}, a page at a time`,
    description:
      "Read all pages once and keep the first page's `cursor`: the feed from there misses nothing.",
    query: z.strictObject(paging),
    answers: { 200: "One page, by code." },
    answer: pageOf(name, body),
    problems: [],
    async handle({ query: { after, limit }, services }) {
      return { body: shownPage(await services.shop.page(kind, { after, limit })) };
    },
  });
}

/** The list of products, for everybody or as one customer is shown it. */
function listProducts({ address, many, name, body }: Described): Endpoint {
  return endpoint({
    method: "get",
    address,
    scope: "shop",
    tag: "shop",
    summary: `All ${many}, a page at a time`,
    description:
      "Read all pages once and keep the first page's `cursor`: the feed from there misses nothing. " +
      "With `account` those are left out that the ERP's assortment hides from the customer; the " +
      "feed tells of all.",
    query: z.strictObject({
      ...paging,
      account: z.string().min(1).max(40).optional().describe("As this customer is shown them."),
    }),
    answers: { 200: "One page, by code." },
    answer: pageOf(name, body),
    problems: ["account-unknown"],
    async handle({ query: { account, after, limit }, services: { shop, orders } }) {
      const except = account === undefined ? [] : await orders.hiddenProducts(account);
      if (except === null) throw unknownAccount(account);
      return { body: shownPage(await shop.page("product", { after, limit, except })) };
    },
  });
}

function unknownAccount(account: string | undefined): Problem {
  return new Problem(
    "account-unknown",
    `There is no account "${account}"; accounts come from the ERP, and are compared exactly.`,
  );
}

function pageOf(name: string, body: z.ZodType) {
  return z
    .strictObject({
      entries: z.array(body),
      next: orNull(z.string(), "What to send as `after` for the next page."),
      cursor: text("Where the feed goes on."),
    })
    .openapi(`${name}Page`);
}

/** The database made the bodies as the schemas say; a test holds the two together. */
function shownPage<Body>({ bodies, next, cursor }: Page): {
  entries: Shown<Body>[];
  next: string | null;
  cursor: string;
} {
  return { entries: bodies as Shown<Body>[], next, cursor };
}

function feedOf({ kind, address, many, name, body }: Described): Endpoint {
  return endpoint({
    method: "get",
    address: `${address}/changes`,
    scope: "shop",
    tag: "shop",
    summary: `What changed of the ${many}`,
    description:
      "Without `after` from the beginning. An entry tells how a thing stands now; entries may come " +
      "again, and taking one twice changes nothing.",
    query: z.strictObject({
      after: z
        .string()
        .regex(CURSOR, "a cursor as an answer gave it")
        .default("0")
        .describe("`cursor` of the answer before, as it came."),
      limit: limited(500, LIMITS.listEntries),
    }),
    answers: { 200: "What changed, oldest change first." },
    answer: z
      .strictObject({
        changes: z.array(
          z.strictObject({
            key: text("What it is of."),
            changedAt: instant("When it was seen."),
            entry: body.nullable().describe("Null: it is not there any more."),
          }),
        ),
        cursor: text("Send it as `after` next time."),
        more: z.boolean().describe("True: there is more already."),
      })
      .openapi(`${name}Changes`),
    problems: ["cursor-of-another-feed"],
    async handle({ query: { after, limit }, services }) {
      const found = await services.shop.changes(kind, after, limit);
      if (found === null)
        throw new Problem(
          "cursor-of-another-feed",
          `The cursor ${after} lies ahead of this feed, or on another one: Tradepost was restored from a ` +
            `backup, or begun anew, or the cursor is older than 90 days. Read all ${many} again, ` +
            "from after=0 on, where each comes once; drop what is not among them, and go on from there.",
        );
      const shown = found.changes.map(({ key, body: entry, changedAt }) => ({
        key,
        changedAt: changedAt.toString(),
        entry,
      }));
      return { body: { changes: shown, cursor: found.cursor, more: found.more } };
    },
  });
}

const PRODUCTS = {
  kind: "product",
  address: "/v1/products",
  many: "products",
  name: "ShopProduct",
  body: product,
} as const;
const STOCK = {
  kind: "stock",
  address: "/v1/stock",
  many: "stock",
  name: "ShopStock",
  body: stock,
} as const;
const CUSTOMERS = {
  kind: "customer",
  address: "/v1/customers",
  many: "customers",
  name: "ShopCustomer",
  body: customer,
} as const;
const DOCUMENTS = {
  kind: "document",
  address: "/v1/documents",
  many: "documents",
  name: "ShopDocument",
  body: document,
} as const;

const showCustomer = endpoint({
  method: "get",
  address: "/v1/customers/{account}",
  scope: "shop",
  tag: "shop",
  summary: "One customer with terms, credit and stop",
  path: z.strictObject({ account: text("Account.").min(1).max(40) }),
  answers: { 200: "The customer." },
  answer: customer,
  problems: ["account-unknown"],
  async handle({ path: { account }, services }) {
    return { body: (await known(services.shop, account)) as Shown<z.input<typeof customer>> };
  },
});

async function known(
  shop: { one(kind: Kind, key: string): Promise<Readonly<Record<string, unknown>> | null> },
  account: string,
): Promise<Readonly<Record<string, unknown>>> {
  const found = await shop.one("customer", account);
  if (found !== null) return found;
  throw unknownAccount(account);
}

const customerDocuments = endpoint({
  method: "get",
  address: "/v1/customers/{account}/documents",
  scope: "shop",
  tag: "shop",
  summary: "A customer's invoices and credit notes of all channels, with balance and stop",
  path: z.strictObject({ account: text("Account.").min(1).max(40) }),
  query: z.strictObject({
    from: z.iso.date().optional().describe("First date."),
    to: z.iso.date().optional().describe("Last date."),
    lines: z.enum(["true", "false"]).default("false").describe("true: with the lines of each."),
    ...paging,
  }),
  answers: { 200: "One page, newest first." },
  answer: z
    .strictObject({
      account: text("Account."),
      balance: words("Balance owed as the ERP states it."),
      creditLeft: words("Limit less balance and open orders."),
      onStop: z.boolean(),
      stopReason: words("Why."),
      entries: z.array(document),
      next: orNull(z.string(), "What to send as `after` for the next page."),
      cursor: text("Where the feed of documents goes on."),
    })
    .openapi("CustomerDocuments"),
  problems: ["account-unknown"],
  async handle({ path: { account }, query, services: { shop } }) {
    const stands = (await known(shop, account)) as z.input<typeof customer>;
    const { from, to, after, limit, lines } = query;
    const asked = { account, from, to, after, limit, lines: lines === "true" };
    const { balance, creditLeft, onStop, stopReason } = stands;
    const found = shownPage<z.input<typeof document>>(await shop.documents(asked));
    return { body: { account, balance, creditLeft, onStop, stopReason, ...found } };
  },
});

const listIncomplete = endpoint({
  method: "get",
  address: "/v1/products/incomplete",
  scope: "shop",
  tag: "shop",
  summary: "Products on the web that lack what a sale needs, or what a buyer looks for",
  query: z.strictObject({
    only: z.enum(["stops", "all"]).default("all").describe("stops: only what stops a sale."),
  }),
  answers: { 200: "Those that cannot be sold first." },
  answer: z
    .strictObject({
      stopped: z.number().int().describe("Products that cannot be sold."),
      lacking: z.number().int().describe("Products that lack something."),
      products: z.array(
        z.strictObject({
          product: text("Product code."),
          name: text("Name."),
          stops: z.array(z.string()).describe("What stops a sale."),
          lacks: z.array(z.string()).describe("What a buyer would look for."),
        }),
      ),
    })
    .openapi("IncompleteProducts"),
  problems: [],
  async handle({ query: { only }, services }) {
    const found = await services.shop.incomplete();
    const stopped = found.filter(({ stops }) => stops.length > 0);
    const shown = only === "stops" ? stopped : found;
    const products = shown
      .slice(0, LIMITS.totalRows)
      .map(({ product: code, name, stops, lacks }) => ({ product: code, name, stops, lacks }));
    return { body: { stopped: stopped.length, lacking: found.length, products } };
  },
});

/** Fixed addresses stand before those with a part that varies. */
export const SHOP_ENDPOINTS: readonly Endpoint[] = [
  listProducts(PRODUCTS),
  feedOf(PRODUCTS),
  listIncomplete,
  listOf(STOCK),
  feedOf(STOCK),
  listOf(CUSTOMERS),
  feedOf(CUSTOMERS),
  showCustomer,
  customerDocuments,
  feedOf(DOCUMENTS),
];
