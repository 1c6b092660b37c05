/** How the values of a plan are shown, and which of them are money. */
import { describe, expect, test } from "vitest";
import { price } from "../../src/cli/print.ts";
import { currencyIn, records } from "../../src/model/index.ts";

describe("a price", () => {
  test("is shown in pounds with all its places, two at least", () => {
    const texts = ["25.000000", "3.443000", "1234567.5", "-0.001000", "-12.5", "7"];
    expect(texts.map((text) => price(text))).toEqual([
      "£25.00",
      "£3.443",
      "£1,234,567.50",
      "-£0.001",
      "-£12.50",
      "£7.00",
    ]);
    expect(price("2.125", "EUR")).toBe("EUR 2.125");
  });
});

describe("the value of a price rule", () => {
  const rule = records["price-rule"];

  test("is money of its currency when it is a price or an amount, and none when a percent", () => {
    expect(currencyIn(rule, "value", { kind: "fixed", currency: "EUR" })).toBe("EUR");
    expect(currencyIn(rule, "value", { kind: "amount", currency: null })).toBe("GBP");
    expect(currencyIn(rule, "value", { kind: "percent", currency: "GBP" })).toBeNull();
    expect(currencyIn(rule, "fromQuantity", { kind: "fixed", currency: "GBP" })).toBeNull();
  });
});
