/** The words that other systems use where a field has a closed list, and what they mean. */

type Words = Readonly<Record<string, readonly string[]>>;

/** Texts of sources for the words of a closed list; compared without capitals and signs. */
export const CHOICE_WORDS: Readonly<Record<string, Words>> = {
  "customer.state": {
    active: ["a", "open", "live", "accountstatusactive"],
    closed: ["c", "inactive", "dormant", "deleted", "hidden", "accountstatushidden"],
  },
  "site.state": { active: ["a", "open"], closed: ["c", "inactive"] },
  "product.state": {
    active: ["a", "live", "current"],
    blocked: ["b", "hold", "onhold"],
    discontinued: ["d", "inactive", "obsolete", "deleted"],
  },
  documentType: {
    invoice: [
      "i",
      "in",
      "inv",
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
      "sc",
      "scn",
      "creditnote",
      "salescredit",
      "productcredit",
      "enuminvoicecredittypecredit",
    ],
  },
  "ledger-transaction.kind": {
    invoice: ["i", "si", "inv", "tradingaccountentrytypeinvoice"],
    credit: ["c", "sc", "crn", "creditnote", "tradingaccountentrytypecreditnote"],
    receipt: ["r", "sr", "sa", "payment", "tradingaccountentrytypereceipt"],
    refund: ["f", "sp", "tradingaccountentrytyperefund"],
    journal: ["j", "jd", "jc"],
  },
  "customer.termsBasis": {
    "invoice-date": ["documentdate", "invoice", "paymentduefromdocumentdate"],
    "end-of-month": ["eom", "monthend", "paymentduefromendofmonth"],
  },
  "sales-line.lineClass": {
    goods: ["s", "stock", "standard", "enumlinetypestandard"],
    charge: ["enumlinetypecharge", "service"],
    carriage: ["delivery"],
    text: ["comment", "message", "enumlinetypecomment"],
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
