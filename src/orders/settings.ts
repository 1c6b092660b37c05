/** What the orders module is told by the service. */
import type { Rounding } from "../model/index.ts";
import type { CheckName, Policy } from "./checks.ts";

export interface OrderSettings {
  readonly checks: Readonly<Record<CheckName, Policy>>;
  /** Least net of goods, decimal text; "0" for none. */
  readonly minimumNet: string;
  /** An order below the minimum is taken with this charge; absent: not at all. */
  readonly smallOrderCharge?:
    | { readonly charge: string; readonly net: string; readonly vatCode: string }
    | undefined;
  /** Charges by code; absent: any is taken. */
  readonly charges?:
    | Readonly<Record<string, { readonly about: string; readonly vatCode: string }>>
    | undefined;
  /** A charge without VAT for the pence by which a shop adds up otherwise; absent: none. */
  readonly pennyLine?:
    | { readonly charge: string; readonly vatCode: string; readonly most: string }
    | undefined;
  /** Beyond them a person looks at the order. */
  readonly limits?:
    | {
        readonly net?: string | undefined;
        readonly lines?: number | undefined;
        /** Selling units of one line. */
        readonly lineQuantity?: string | undefined;
      }
    | undefined;
  /** The same order again within so many minutes is found; 0 or absent: never. */
  readonly repeatedWithinMinutes?: number;
  /** Days with deliveries; absent: all. */
  readonly deliveryDays?:
    | { readonly weekdays: readonly string[]; readonly closed: readonly string[] }
    | undefined;
  /** ISO country that the company delivers from; absent: GB. */
  readonly country?: string;
  readonly answerWithinHours: number;
  /** An order that waits for a person longer is told of; absent: four hours. */
  readonly deskWithinSeconds?: number;
  /** An order may bear a date so many days ago; absent: 31. */
  readonly oldestDays?: number;
  /** Where guests' orders go; absent: guests are refused. */
  readonly guests?:
    | { readonly account: string; readonly forgetAfterDays?: number | undefined }
    | undefined;
  readonly accountRequests?: {
    /** At whose prices orders are checked until their account is there. */
    readonly pricesOf?: string | undefined;
    readonly forgetRefusedAfterDays?: number | undefined;
  };
  readonly currency: string;
  readonly timeZone: string;
  /** How the ERP rounds a line's net and its VAT. */
  readonly rounding: Rounding;
  /** So many are handed over at a time, by each instance. */
  readonly atOnce: number;
  /** A call that takes longer is given up. */
  readonly giveUpAfterSeconds: number;
  /** At least so long after that an order may still turn up. */
  readonly quietSeconds: number;
  readonly retryFirstSeconds: number;
  readonly retryLongestSeconds: number;
  /** How long a sender that is gone keeps others from an order. */
  readonly leaseSeconds: number;
  /** After so many tries that placed nothing, or that the ERP put off, a person is asked. */
  readonly maxAttempts: number;
}
