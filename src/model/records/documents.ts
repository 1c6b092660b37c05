/** What was posted: invoices, credit notes, receipts, the ledger and its control totals. */
import { CHANNELS } from "../channel.ts";
import {
  choice,
  code,
  date,
  defineRecord,
  integer,
  money,
  optional,
  otherwise,
  percent,
  quantity,
  text,
  unitPrice,
} from "../record.ts";

export const DOCUMENT_TYPES = ["invoice", "credit"] as const;
export type DocumentType = (typeof DOCUMENT_TYPES)[number];
export const LINE_CLASSES = [
  "goods",
  "carriage",
  "charge",
  "deposit",
  "rebate",
  "settlement",
  "text",
] as const;

export const salesDocument = defineRecord({
  name: "sales-document",
  about: "A posted invoice or credit note.",
  key: ["documentType", "document"],
  posted: true,
  fields: {
    documentType: choice(DOCUMENT_TYPES, "Invoice or credit note."),
    document: code(40, "Document number."),
    account: code(40, "Account charged."),
    documentOn: date("Date of the document (its tax point)."),
    period: optional(code(10, "Accounting period of the ERP, YYYY-MM; null: that of the date.")),
    currency: otherwise("GBP", code(3, "ISO currency.")),
    branch: optional(code(40, "Branch that sold; null when not stated.")),
    channel: optional(choice(CHANNELS, "Channel, where the ERP states it; null: work it out.")),
    takenBy: optional(code(40, "Order taker, till or analysis code; null when not stated.")),
    erpOrder: optional(code(40, "ERP order it invoices; null: none or several.")),
    webOrder: optional(code(60, "Our web order's number, where our push left it; null: none.")),
    customerReference: optional(text(60, "The customer's reference; null when blank.")),
    rep: optional(code(40, "Rep on the document; null when none.")),
    net: money("Net as the ERP posted it, positive on both types."),
    vat: money("VAT as the ERP posted it, positive on both types."),
    gross: money("Gross as the ERP posted it, positive on both types."),
  },
  sense: [{ kind: "sum", field: "gross", of: ["net", "vat"] }],
});

export const salesLine = defineRecord({
  name: "sales-line",
  about: "A line of a posted invoice or credit note.",
  key: ["documentType", "document", "line"],
  posted: true,
  fields: {
    documentType: choice(DOCUMENT_TYPES, "Invoice or credit note."),
    document: code(40, "Document number."),
    line: integer("Line number."),
    lineClass: otherwise(
      "goods",
      choice(LINE_CLASSES, "What the line is; only goods are products."),
    ),
    product: optional(code(60, "Product code; null for charges and text.")),
    description: optional(text(400, "Text of the line; null when blank.")),
    quantity: quantity("Selling units, positive on both types."),
    unitPrice: unitPrice("Price per pricing unit before discount."),
    discountPercent: otherwise("0", percent("Discount of the line in percent.")),
    net: money("Net as the ERP posted it, positive on both types."),
    vat: money("VAT as the ERP posted it, positive on both types."),
    vatCode: optional(code(20, "VAT code; null when not stated.")),
    cost: optional(money("Cost of the line; null when not known.")),
    erpOrder: optional(code(40, "ERP order it invoices; null: none.")),
    erpOrderLine: optional(integer("Line of that order; null: none.")),
    creditsDocument: optional(
      code(40, "Invoice that a credit corrects; null: none or not stated."),
    ),
    creditsLine: optional(integer("Line of that invoice; null: not stated.")),
  },
});

export const receipt = defineRecord({
  name: "receipt",
  about: "Money received from, or refunded to, a customer.",
  key: ["receipt"],
  posted: true,
  fields: {
    receipt: code(40, "Number of the receipt."),
    account: code(40, "Account that paid."),
    receivedOn: date("Date received."),
    kind: otherwise(
      "cash",
      choice(["cash", "refund", "contra", "write-off"], "Contra and write-off are not cash."),
    ),
    amount: money("Amount, negative for a refund."),
    currency: otherwise("GBP", code(3, "ISO currency.")),
  },
});

export const settlement = defineRecord({
  name: "settlement",
  about: "What part of a document a receipt or credit note settled.",
  key: ["settlement"],
  posted: true,
  fields: {
    settlement: code(60, "Identity of the allocation in the ERP."),
    receipt: optional(code(40, "Receipt used; null: a credit note was.")),
    creditDocument: optional(code(40, "Credit note used; null: a receipt was.")),
    document: code(40, "Invoice settled."),
    settledOn: date("Date of the allocation."),
    amount: money("Gross amount settled."),
  },
});

export const ledgerTransaction = defineRecord({
  name: "ledger-transaction",
  about: "A row of the ERP's sales ledger.",
  key: ["transaction"],
  posted: true,
  fields: {
    transaction: code(60, "Identity in the ledger."),
    kind: choice(
      ["invoice", "credit", "receipt", "refund", "journal", "opening"],
      "What the ledger calls it.",
    ),
    document: optional(code(40, "Document number; null for journals.")),
    account: code(40, "Account."),
    postedOn: date("Date in the ledger."),
    period: optional(code(10, "Accounting period, YYYY-MM; null: that of the date.")),
    net: optional(money("Net, positive; null when the ledger keeps only gross.")),
    vat: optional(money("VAT, positive; null when the ledger keeps only gross.")),
    gross: money("Gross, positive."),
    outstanding: optional(money("Still owed; null when not known.")),
    dueOn: optional(date("When due; null when not known.")),
  },
});

export const controlTotal = defineRecord({
  name: "control-total",
  about: "What the ERP's ledger says a period's documents add up to.",
  key: ["period", "documentType"],
  fields: {
    period: code(10, "Accounting period, YYYY-MM."),
    documentType: choice(DOCUMENT_TYPES, "Invoices or credit notes."),
    documents: integer("How many documents."),
    net: money("Sum of net, positive on both types."),
    vat: money("Sum of VAT, positive on both types."),
  },
});
