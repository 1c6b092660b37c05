/**
 * The pay engine: lines of the sales ledger, assignments and a plan in; who earned what, and why,
 * out. Promises exact arithmetic (rounded once per rep, component and period), that the shares of
 * reps, house and unassigned add up to the base to the penny, and the same result whatever the
 * order of its input. Knows no clock, disk or database, and keeps nothing between calls.
 *
 *     const sales = attribute({ ledger, assignments, entities, cashAccounts, rules });
 *     const result = pay(sales, plan);          // cells, and the pence of every line
 *     const both = compare(result, pay(sales, otherPlan));
 */
export { attribute, AssignmentError, shareAt } from "./attribute.ts";
export { firstInvoices } from "./classify.ts";
export { compare } from "./compare.ts";
export { HOUSE, SALES_CLASSES } from "./facts.ts";
export { openLedger } from "./ledger.ts";
export { pay } from "./pay.ts";
export { holderCode, percentText } from "./share.ts";
export type { Attribution, AttributionInput, Bridge, Excluded, Share } from "./attribute.ts";
export type { ClassEvidence } from "./classify.ts";
export type { ComparedHolder, ComparedPay, Comparison } from "./compare.ts";
export type {
  AssignmentFact,
  EntityFact,
  FirstInvoice,
  LineFact,
  PayRules,
  SalesClass,
} from "./facts.ts";
export type { Ledger, OpenLedger } from "./ledger.ts";
export type { Link } from "./origin.ts";
export type { ComponentPay, PayCell, PayResult } from "./pay.ts";
export type { Component, Plan, PlanVersion, RateComponent, RateRow } from "./plan.ts";
export type { Rate } from "./rate.ts";
export type { Holder, Part } from "./share.ts";
