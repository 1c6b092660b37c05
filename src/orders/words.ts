/** Amounts, prices and days as a person reads them in findings. */
import { decimal } from "../model/index.ts";

/** "£1,234.50", "EUR 12.00". */
export function amountText(amount: string, currency: string): string {
  return decimal.readable(decimal.parse<"money">(amount), currency);
}

/** With all the places that it has, two at least: "£3.10", "£0.4375". */
export function priceText(price: string, currency: string): string {
  const [whole = "0", places = ""] = decimal.canonical(decimal.parse(price)).split(".");
  const symbol = currency === "GBP" ? "£" : `${currency} `;
  return `${symbol}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${places.padEnd(2, "0")}`;
}

/** 31/03/2026. */
export function dayText(iso: string): string {
  return iso.split("-").toReversed().join("/");
}

/** "1.50000" → "1.5". */
export function quantityText(quantity: string): string {
  return decimal.canonical(decimal.parse(quantity));
}
