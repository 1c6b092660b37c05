/** What the orders module is told by the service. */
import type { Rounding } from "../model/index.ts";
import type { CheckName, Policy } from "./checks.ts";

export interface OrderSettings {
  readonly checks: Readonly<Record<CheckName, Policy>>;
  /** Least net of goods, decimal text; "0" for none. */
  readonly minimumNet: string;
  readonly answerWithinHours: number;
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
  /** After so many tries that placed nothing the order is held for a person. */
  readonly maxAttempts: number;
}
