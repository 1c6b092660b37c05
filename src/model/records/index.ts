/** Every canonical record, in the order in which a first load reads best. */
import { assignment, branch, customer, rep, site, tradingEntity } from "./customers.ts";
import {
  controlTotal,
  ledgerTransaction,
  receipt,
  salesDocument,
  salesLine,
  settlement,
} from "./documents.ts";
import { despatch, despatchLine, erpOrder, erpOrderLine, orderAcknowledgement } from "./orders.ts";
import {
  customerPriceList,
  priceFormula,
  priceList,
  priceRule,
  promotion,
  quotation,
  quotationLine,
} from "./prices.ts";
import { assortment, product, productGroup, productUnit, stock } from "./products.ts";
import type { RecordOf } from "../record.ts";

export const records = {
  "trading-entity": tradingEntity,
  branch,
  rep,
  customer,
  site,
  assignment,
  "product-group": productGroup,
  product,
  "product-unit": productUnit,
  assortment,
  stock,
  "price-list": priceList,
  "customer-price-list": customerPriceList,
  "price-formula": priceFormula,
  "price-rule": priceRule,
  promotion,
  quotation,
  "quotation-line": quotationLine,
  "erp-order": erpOrder,
  "erp-order-line": erpOrderLine,
  "order-acknowledgement": orderAcknowledgement,
  despatch,
  "despatch-line": despatchLine,
  "sales-document": salesDocument,
  "sales-line": salesLine,
  receipt,
  settlement,
  "ledger-transaction": ledgerTransaction,
  "control-total": controlTotal,
} as const;

export type RecordName = keyof typeof records;
/** The value of one kind of record: `Canonical<"price-rule">`. */
export type Canonical<N extends RecordName> = RecordOf<(typeof records)[N]>;
