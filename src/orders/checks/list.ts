/**
 * Every check of an order with the codes of what it finds: what a program switches on and a person
 * looks up. The table in README.md is drawn from it.
 */
export const CHECKS = {
  account: {
    "account-unknown": "The ERP has no such account.",
    "account-closed": "The account is closed.",
    "account-request-unknown": "No account request has this id.",
    "account-request-refused": "The account request was refused.",
    "account-requested": "The order waits for its account.",
    "account-differs": "An amendment to another account; always refused.",
  },
  stop: { "account-on-stop": "The account is on stop." },
  guest: {
    "guests-not-taken": "The settings name no cash account.",
    "guest-has-account": "A guest, and an account that is not the cash account.",
    "guest-address-missing": "Nowhere to deliver to, and nothing is collected.",
    "guest-not-paid": "A guest's order that is not paid in full.",
    "guest-paid-more": "A guest paid more than the order comes to.",
  },
  credit: { "over-credit-limit": "Owed, not yet invoiced and this order exceed the limit." },
  reference: { "reference-missing": "The customer needs a reference of its own on each order." },
  product: {
    "product-unknown": "The ERP has no such product.",
    "product-replaced": "Another product took its place: offered, never swapped.",
    "product-not-active": "The product is blocked or discontinued.",
    "product-not-on-web": "The product is not sold on the web.",
  },
  visibility: { "product-not-visible": "The assortment hides the product from this customer." },
  quantity: {
    "quantity-below-least": "Less than the least quantity of a line.",
    "quantity-not-a-multiple": "Not a multiple of what the product is sold in.",
    "quantity-comes-to-nothing":
      "So little of a price above zero that the line comes to 0.00; always refused.",
    "unit-unknown": "The product is not sold in this unit; always refused.",
    "below-delivered": "An amendment to less than is despatched or invoiced; always refused.",
  },
  stock: { "stock-short": "Less is free than the order wants." },
  minimum: { "below-minimum-order": "The goods come to less than the least order." },
  charge: {
    "charge-unknown": "The settings have no such charge.",
    "charge-is-product": "A charge under the code of a product; always refused.",
    "charge-vat-differs": "Another VAT code than the settings give the charge.",
  },
  site: {
    "site-unknown": "The account has no such site.",
    "site-closed": "The site is closed.",
    "site-and-address": "A site and an address of its own: only one can be meant.",
  },
  branch: { "branch-unknown": "The ERP has no such branch." },
  delivery: {
    "postcode-missing": "An address of a country with postcodes has none.",
    "postcode-not-valid": "No postcode of the United Kingdom looks like it.",
  },
  country: { "country-differs": "Delivery to another country than VAT was worked out for." },
  requested: {
    "requested-in-past": "Delivery is wanted on a day that is over.",
    "requested-on-closed-day": "Delivery is wanted on a day without deliveries.",
  },
  price: {
    "price-differs": "Our price now is another.",
    "price-unknown": "We know no price.",
    "token-malformed": "The price token cannot be read.",
    "token-key-unknown": "The price token was made with a key that is not there any more.",
    "token-bad-signature": "The price token was changed, or is not ours.",
    "token-expired": "The time of the price token is over, and the price is another now.",
    "token-other-company": "The price token is of another company.",
    "token-other-account": "The price token is for another customer.",
    "token-other-product": "The price token is for another product.",
    "token-other-quantity": "The price token is for another quantity.",
    "token-other-terms": "The price token is for another price, unit or condition.",
    "promotion-code-unknown": "No promotion of now has the code; always let pass.",
  },
  stale: { "price-stale": "Whether the price still is the ERP's, nobody can say now." },
  agreement: {
    "quotation-unknown": "The account has no such quotation.",
    "quotation-not-open": "The quotation is over, lost or withdrawn.",
    "quotation-ordered": "Another order took the quotation up.",
    "quotation-used-up": "More than the quotation has left.",
    "contract-used-up": "More than the contract has left.",
  },
  date: {
    "ordered-long-ago": "Dated longer ago than orders may be.",
    "ordered-in-future": "Dated after today, in the company's time zone.",
  },
  totals: {
    "currency-differs": "The account is kept in another currency.",
    "totals-do-not-add-up": "The net and VAT that the shop says do not come to its gross.",
    "line-net-differs": "A line's net is not what its price and quantity come to.",
    "net-differs": "The order's net is not what it comes to in the ERP.",
    "vat-differs": "The order's VAT is not what it comes to in the ERP.",
    "gross-differs": "The order's gross is not what it comes to in the ERP.",
    "penny-line": "A penny line brings the ERP's gross to the shop's; always let pass.",
    "net-not-expressible": "No unit price comes to the agreed net; always refused.",
    "amount-too-large": "No ledger holds such an amount; always refused.",
    "vat-code-unknown": "A VAT code without a rate; always refused.",
  },
  payment: {
    "paid-too-much": "More was paid than the order comes to.",
    "paid-in-part": "The rest goes on account; always let pass.",
    "payment-currency-differs": "The payment is in another currency than the order.",
    "payment-used-before": "Another order came with the same payment.",
    "payment-owed-back": "The payment is to be given back, for an order that ended.",
    "payment-given-back": "The payment was given back, for an order that ended.",
  },
  limit: {
    "net-above-limit": "The order comes to more than one order may without a person.",
    "lines-above-limit": "More lines than one order may have without a person.",
    "quantity-above-limit": "More of one line than may be without a person.",
  },
  repeat: {
    "order-repeated": "The same order came a moment ago under another key and number.",
    "held-still": "An amended order waits for a person for what no change of it settles.",
  },
} as const;

export type CheckName = keyof typeof CHECKS;

export const CHECK_NAMES = Object.keys(CHECKS) as readonly CheckName[];
