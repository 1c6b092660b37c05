/**
 * The canonical vocabulary: what every connector maps into and every other module speaks.
 * Promises exact values (no float ever holds money) and one description per record. Knows no clock,
 * disk, network or database, and no ERP.
 *
 *     const price: Canonical<"price-rule"> = …;
 *     decimal.round(decimal.parse("1.005"), { scale: 2, mode: "half-away" }); // 1.01
 */
export * as decimal from "./decimal.ts";
export type { Decimal, Money, Percent, Quantity, Rounding, RoundingMode } from "./decimal.ts";
export { columnOf, currencyIn, yearsOf } from "./record.ts";
export type {
  AnyRecord,
  Field,
  FieldKind,
  RecordDefinition,
  RecordOf,
  RecordValue,
} from "./record.ts";
export { senseOf } from "./sense.ts";
export type { Sense, SenseCheck } from "./sense.ts";
export { isOwnName, OWN_NAME } from "./own-name.ts";
export { momentText } from "./shown.ts";
export { records } from "./records/index.ts";
export type { Canonical, RecordName } from "./records/index.ts";
export { CHANNELS } from "./channel.ts";
export type { Channel } from "./channel.ts";
export type {
  WebOrder,
  WebOrderAddress,
  WebOrderCharge,
  WebOrderGuest,
  WebOrderLine,
  WebOrderPayment,
} from "./web-order.ts";
