/**
 * Prices and quantities as whole numbers of their
 * smallest part, and as the texts of an export file.
 */

/** 1 pound is 10,000: prices per pricing unit have 4 places. */
export const PRICE_PLACES = 4;

/** `decimalText(12500, 4)` is "1.25"; at least `least` places are kept. */
export function decimalText(scaled: number, places: number, least = 0): string {
  const digits = Math.abs(Math.round(scaled))
    .toString()
    .padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  let fraction = digits.slice(digits.length - places);
  while (fraction.length > least && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  return `${scaled < 0 ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** "4.50", "0.0375": pounds with 2 to 4 places. */
export function priceText(price4: number): string {
  return decimalText(price4, PRICE_PLACES, 2);
}

/** "250.00" from pence. */
export function moneyText(pence: number): string {
  return decimalText(pence, 2, 2);
}
