/** Every endpoint of the API, in the order in which the OpenAPI lists them. */
import type { Endpoint } from "./endpoint.ts";
import { askBasket } from "./basket-routes.ts";
import { BUYER_ENDPOINTS } from "./buyer-routes.ts";
import { askPrice, askPrices, explainPrice } from "./price-routes.ts";
import { followPriceChanges } from "./price-feed-routes.ts";
import { streamPriceList } from "./price-list-routes.ts";
import { lintPriceRules } from "./lint-routes.ts";
import { amendOrder, cancelOrder } from "./order-change-routes.ts";
import { ORDER_DESK_ENDPOINTS } from "./order-desk-routes.ts";
import { checkOrder, hiddenProducts, placeOrder } from "./order-routes.ts";
import { exportOrders, showOrder } from "./order-status.ts";
import {
  beginMaintenance,
  endMaintenance,
  listMaintenance,
  showShadow,
} from "./maintenance-routes.ts";
import { followEvents } from "./event-routes.ts";
import { ROUND_ENDPOINTS } from "./round-routes.ts";
import { reconciliation, salesTotals, traceLine } from "./sales-routes.ts";
import { comparePlans, showStatement } from "./pay-routes.ts";
import { priceImpact } from "./impact-routes.ts";
import {
  listCertifications,
  priceParity,
  priceParityAsKnown,
  priceParityLines,
} from "./parity-routes.ts";
import { showStatus } from "./status-routes.ts";
import { applyPlan, makePlan } from "./plan-routes.ts";
import { showCompleteness, showRun, startPull, stopRun } from "./pull-routes.ts";
import {
  dismissQuarantineItem,
  listQuarantine,
  reopenQuarantineItem,
  replayQuarantine,
  replayQuarantineItem,
  showQuarantineItem,
} from "./quarantine-routes.ts";
import { SHOP_ENDPOINTS } from "./shop-routes.ts";
import { listRuns } from "./sync-routes.ts";
import { WEBHOOK_ENDPOINTS } from "./webhook-routes.ts";

export const ENDPOINTS: readonly Endpoint[] = [
  askPrices,
  askPrice,
  explainPrice,
  streamPriceList,
  followPriceChanges,
  lintPriceRules,
  askBasket,
  ...ROUND_ENDPOINTS,
  ...SHOP_ENDPOINTS,
  placeOrder,
  checkOrder,
  hiddenProducts,
  showOrder,
  exportOrders,
  amendOrder,
  cancelOrder,
  ...ORDER_DESK_ENDPOINTS,
  ...BUYER_ENDPOINTS,
  showShadow,
  followEvents,
  ...WEBHOOK_ENDPOINTS,
  salesTotals,
  reconciliation,
  traceLine,
  priceParity,
  priceParityLines,
  priceParityAsKnown,
  listCertifications,
  priceImpact,
  showStatement,
  comparePlans,
  showStatus,
  listMaintenance,
  beginMaintenance,
  endMaintenance,
  listRuns,
  startPull,
  showRun,
  stopRun,
  makePlan,
  applyPlan,
  showCompleteness,
  listQuarantine,
  replayQuarantine,
  showQuarantineItem,
  replayQuarantineItem,
  dismissQuarantineItem,
  reopenQuarantineItem,
];
