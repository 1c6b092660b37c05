/**
 * A web order as the shop gives it and as it travels to the ERP. Unlike the pulled records it is
 * nested, since it is accepted, rendered and compared as a whole.
 */

export interface WebOrder {
  /** Number of the order, unique per company for ever; the key we search the ERP by. */
  readonly webOrder: string;
  readonly account: string;
  /** Business date of the order in the company's time zone, ISO. */
  readonly orderedOn: string;
  /** `assisted`: staff keyed it for the customer; it counts in no web share. */
  readonly placedBy: "customer" | "assisted";
  /** Who placed it: a login or a staff code; null when the shop does not say. */
  readonly placedByName: string | null;
  /** The customer's own reference (purchase order); null when none. */
  readonly customerReference: string | null;
  /** Delivery site's code; null: the account's usual address. */
  readonly site: string | null;
  /** Where it goes when that is no site; null: the site's address, or the account's. */
  readonly deliverTo: WebOrderAddress | null;
  /** Who bought it without an account of their own; null: the account's customer. */
  readonly guest: WebOrderGuest | null;
  /** Id of the account request that it waits for; null: it has an account. */
  readonly accountRequest: string | null;
  /** Branch that fulfils; null: the account's branch. */
  readonly branch: string | null;
  readonly requestedOn: string | null;
  /** What is so besides, and prices may hang on: attribute → value, `{ delivery: "collect" }`. */
  readonly conditions: Readonly<Record<string, string>>;
  readonly currency: string;
  readonly lines: readonly WebOrderLine[];
  /** Carriage and the like: charge codes, never products. */
  readonly charges: readonly WebOrderCharge[];
  /** Payment already taken; null: on account. */
  readonly payment: WebOrderPayment | null;
  /** Sums over lines and charges as decimal text with 2 places. */
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
}

export interface WebOrderLine {
  /** 1, 2, 3 … in the order given. */
  readonly line: number;
  readonly product: string;
  /** Selling units. */
  readonly quantity: string;
  /** Price per pricing unit that, with the discount, comes to what was agreed. */
  readonly unitPrice: string;
  /** Off quantity × price, so that the line comes to the agreed amount; mostly 0.00. */
  readonly discount: string;
  readonly net: string;
  readonly vatCode: string;
  readonly vat: string;
  /** Unit that the customer ordered in, and how many of it; null: the selling unit. */
  readonly orderedUnit: string | null;
  readonly orderedQuantity: string | null;
}

export interface WebOrderCharge {
  readonly charge: string;
  readonly description: string | null;
  readonly net: string;
  readonly vatCode: string;
  readonly vat: string;
}

export interface WebOrderPayment {
  readonly provider: string;
  readonly reference: string;
  readonly amount: string;
}

/** An address as the buyer typed it. */
export interface WebOrderAddress {
  readonly name: string;
  readonly address1: string;
  readonly address2: string | null;
  readonly address3: string | null;
  readonly town: string | null;
  readonly county: string | null;
  /** Null where the country has none. */
  readonly postcode: string | null;
  /** ISO country. */
  readonly country: string;
  /** Whom the driver asks for; null: nobody by name. */
  readonly contact: string | null;
  readonly telephone: string | null;
  readonly email: string | null;
}

export interface WebOrderGuest {
  readonly name: string;
  readonly email: string;
  readonly telephone: string | null;
}
