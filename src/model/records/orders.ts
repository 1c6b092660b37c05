/** What the ERP says of orders: its own orders, what it despatched, and its answers to ours. */
import {
  choice,
  code,
  date,
  defineRecord,
  integer,
  money,
  optional,
  otherwise,
  quantity,
  text,
  unitPrice,
} from "../record.ts";

export const erpOrder = defineRecord({
  name: "erp-order",
  about: "A sales order as the ERP holds it.",
  key: ["erpOrder"],
  posted: true,
  fields: {
    erpOrder: code(40, "Order number in the ERP."),
    account: code(40, "Account that ordered."),
    orderedOn: date("Date of the order."),
    state: otherwise(
      "open",
      choice(["open", "part", "complete", "cancelled", "held"], "How far the ERP has got with it."),
    ),
    webOrder: optional(code(60, "Our web order's number, where our push left it; null: not ours.")),
    customerReference: optional(text(60, "The customer's reference; null when blank.")),
    branch: optional(code(40, "Branch; null when not stated.")),
    takenBy: optional(code(40, "Who keyed it; null when not stated.")),
    net: optional(money("Net value; null when not stated.")),
    vat: optional(money("VAT; null when not stated.")),
  },
});

export const erpOrderLine = defineRecord({
  name: "erp-order-line",
  about: "A line of a sales order in the ERP.",
  key: ["erpOrder", "line"],
  posted: true,
  fields: {
    erpOrder: code(40, "Order number in the ERP."),
    line: integer("Line number."),
    product: optional(code(60, "Product code; null for text and charges.")),
    description: optional(text(400, "Text of the line; null when blank.")),
    quantity: quantity("Selling units ordered."),
    despatchedQuantity: otherwise("0", quantity("Of these, despatched.")),
    invoicedQuantity: otherwise("0", quantity("Of these, invoiced.")),
    unitPrice: unitPrice("Price per pricing unit."),
    net: money("Net value of the line."),
    webOrderLine: optional(integer("Line of our web order; null: not ours.")),
  },
});

export const orderAcknowledgement = defineRecord({
  name: "order-acknowledgement",
  about: "The ERP's answer to a web order that we handed over.",
  // Two answers with two numbers are two answers, also on one day: it is there twice.
  key: ["webOrder", "answeredOn", "outcome", "erpOrder"],
  posted: true,
  fields: {
    webOrder: code(60, "Our web order's number."),
    outcome: choice(["accepted", "refused"], "accepted: it is an order in the ERP now."),
    erpOrder: otherwise("-", code(40, "Its order number there; - when it has none.")),
    reason: optional(text(400, "Why it was refused; null when accepted.")),
    answeredOn: date("Date of the answer; a day of months before the order was sent is another's."),
    net: optional(money("Net value as the ERP holds it; null when not stated.")),
    vat: optional(money("VAT as the ERP holds it; null when not stated.")),
  },
});

export const despatch = defineRecord({
  name: "despatch",
  about: "A delivery that left.",
  key: ["despatch"],
  posted: true,
  fields: {
    despatch: code(40, "Number of the despatch note."),
    account: code(40, "Account delivered to."),
    despatchedOn: date("Date it left."),
    carrier: optional(text(60, "Carrier; null when own van or not stated.")),
    tracking: optional(text(100, "Tracking reference; null when none.")),
  },
});

export const despatchLine = defineRecord({
  name: "despatch-line",
  about: "A line of a despatch.",
  key: ["despatch", "line"],
  posted: true,
  fields: {
    despatch: code(40, "Number of the despatch note."),
    line: integer("Line number."),
    erpOrder: optional(code(40, "ERP order it fulfils; null: none.")),
    erpOrderLine: optional(integer("Line of that order; null: none.")),
    product: code(60, "Product code."),
    quantity: quantity("Selling units that left."),
  },
});
