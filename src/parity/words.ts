/** Evidence as a person reads it. */
import { decimal } from "../model/index.ts";
import { TRIAL_PLACES } from "../pricing/index.ts";

/** 31/03/2026, from ISO text. */
export function dateText(iso: string): string {
  return iso.split("-").toReversed().join("/");
}

/** A price with 6 places: £4.25, £0.4375. */
export function priceText(price: number, currency: string): string {
  const text = decimal.format(decimal.integer(BigInt(price), TRIAL_PLACES));
  const short = text.replace(/(\.\d{2}\d*?)0+$/, "$1");
  return `${currency === "GBP" ? "£" : `${currency} `}${short}`;
}

/** 7.5000 → 7.5% */
export function percentText(percent: string): string {
  return `${percent.replace(/\.?0+$/, "")}%`;
}

/** Hundredths as decimal text: 1234 → 12.34. */
export function moneyText(pence: number): string {
  const digits = String(Math.abs(pence)).padStart(3, "0");
  return `${pence < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Hundredths with their sign: +£0.01, -£12.34. */
export function signedPounds(pence: number, currency: string): string {
  const sign = pence < 0 ? "-" : "+";
  return `${sign}${currency === "GBP" ? "£" : `${currency} `}${moneyText(Math.abs(pence))}`;
}

/** A price with 6 places as decimal text: 4250000 → 4.250000. */
export function unitText(price: number): string {
  const digits = String(price).padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
