/** What an order may be: charges, limits, days of delivery, and how much alike is too much. */
import { z } from "zod";

const decimalText = z.string().regex(/^\d+(\.\d{1,2})?$/, 'an amount such as "7.50", not negative');
const quantityText = z.string().regex(/^\d+(\.\d{1,5})?$/, 'a quantity such as "5000"');
const chargeCode = z.string().min(1).max(40);
const vatCode = z.string().min(1).max(20).default("STANDARD").describe("VAT code of the charge.");
const weekday = z.enum([
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
]);

/** The fields of `orders:` that say so. */
export const accepting = {
  minimumNet: decimalText
    .default("0")
    .describe("Least net value of an order's goods; an account's own minimum counts before it."),
  smallOrderCharge: z
    .strictObject({
      charge: chargeCode.describe("Charge code."),
      net: decimalText.describe("Net of the charge."),
      vatCode,
    })
    .optional()
    .describe("With this charge an order below the minimum is taken; absent: not at all."),
  charges: z
    .record(
      chargeCode,
      z.strictObject({ about: z.string().min(1).describe("What it is for."), vatCode }),
    )
    .optional()
    .describe("Charges that orders may carry, by code; absent: any that is no product."),
  pennyLine: z
    .strictObject({
      charge: chargeCode.describe("Charge code that the ERP books rounding under."),
      vatCode: z.string().min(1).max(20).describe("VAT code of 0%."),
      most: decimalText.default("0.05").describe("Greatest difference that it makes up."),
    })
    .optional()
    .describe(
      "Where the shop's gross is a few pence from the ERP's, the order carries them as this charge; absent: the difference is found.",
    ),
  limits: z
    .strictObject({
      net: decimalText.optional().describe("Most net of one order."),
      lines: z.number().int().positive().optional().describe("Most lines of one order."),
      lineQuantity: quantityText.optional().describe("Most selling units of one line."),
    })
    .optional()
    .describe("Beyond them an order is held for a person; absent: no limit."),
  repeatedWithinMinutes: z
    .number()
    .int()
    .min(0)
    .max(10_080)
    .default(10)
    .describe("The same order again within so many minutes is found; 0: never."),
  deliveryDays: z
    .strictObject({
      weekdays: z
        .array(weekday)
        .min(1)
        .default(["monday", "tuesday", "wednesday", "thursday", "friday"])
        .describe("Days of the week with deliveries."),
      closed: z.array(z.iso.date()).default([]).describe("Further days without: holidays."),
    })
    .optional()
    .describe("Days on which delivery may be wanted; absent: any."),
};

interface Coded {
  readonly vatCode: string;
}
interface Stated {
  readonly smallOrderCharge?: Coded | undefined;
  readonly charges?: Readonly<Record<string, Coded>> | undefined;
  readonly pennyLine?: Coded | undefined;
}

/** VAT codes that charges name: where, which, and whether its rate has to be 0. */
export function chargeVatCodes({ smallOrderCharge, charges = {}, pennyLine }: Stated): readonly {
  readonly path: readonly string[];
  readonly code: string;
  readonly free: boolean;
}[] {
  const stated = [
    ...(smallOrderCharge === undefined
      ? []
      : [{ path: ["smallOrderCharge"], of: smallOrderCharge }]),
    ...Object.entries(charges).map(([name, of]) => ({ path: ["charges", name], of })),
    ...(pennyLine === undefined ? [] : [{ path: ["pennyLine"], of: pennyLine }]),
  ];
  return stated.map(({ path, of }) => ({
    path: ["orders", ...path, "vatCode"],
    code: of.vatCode,
    free: path[0] === "pennyLine",
  }));
}
