/** The words that other systems use where a field has a closed list, and what they mean. */

type Words = Readonly<Record<string, readonly string[]>>;

/** Texts of sources for the words of a closed list; compared without capitals and signs. */
export const CHOICE_WORDS: Readonly<Record<string, Words>> = {
  "customer.state": {
    active: ["a", "active", "open", "live", "accountstatusactive"],
    closed: ["c", "closed", "inactive", "dormant", "deleted", "hidden", "accountstatushidden"],
  },
  "site.state": { active: ["a", "active", "open"], closed: ["c", "closed", "inactive"] },
  "product.state": {
    active: ["a", "active", "live", "current"],
    blocked: ["b", "blocked", "hold", "onhold"],
    discontinued: ["d", "discontinued", "inactive", "obsolete", "deleted"],
  },
  documentType: {
    invoice: [
      "i",
      "in",
      "inv",
      "invoice",
      "si",
      "sin",
      "salesinvoice",
      "productinvoice",
      "enuminvoicecredittypeinvoice",
    ],
    credit: [
      "c",
      "cr",
      "cn",
      "crn",
      "credit",
      "sc",
      "scn",
      "creditnote",
      "salescredit",
      "productcredit",
      "enuminvoicecredittypecredit",
    ],
  },
  "ledger-transaction.kind": {
    invoice: ["i", "si", "inv", "invoice", "tradingaccountentrytypeinvoice"],
    credit: ["c", "sc", "crn", "credit", "creditnote", "tradingaccountentrytypecreditnote"],
    receipt: ["r", "sr", "sa", "receipt", "payment", "tradingaccountentrytypereceipt"],
    refund: ["f", "sp", "refund", "tradingaccountentrytyperefund"],
    journal: ["j", "jd", "jc", "journal"],
  },
  "customer.termsBasis": {
    "invoice-date": ["invoicedate", "documentdate", "invoice", "paymentduefromdocumentdate"],
    "end-of-month": ["endofmonth", "eom", "monthend", "paymentduefromendofmonth"],
  },
  "sales-line.lineClass": {
    goods: ["goods", "s", "stock", "standard", "enumlinetypestandard"],
    charge: ["charge", "enumlinetypecharge", "service"],
    carriage: ["carriage", "delivery"],
    text: ["text", "comment", "message", "enumlinetypecomment"],
  },
};

/** Columns whose yes means the opposite of the field's first word. */
export const ABOUT_THE_END = /inactive|dormant|closed|discontinu|hidden|deleted|obsolete/;

/** VAT codes of the most common UK numbering. */
export const VAT_CODES: Readonly<Record<string, string>> = {
  T0: "ZERO",
  T1: "STANDARD",
  T5: "REDUCED",
};
