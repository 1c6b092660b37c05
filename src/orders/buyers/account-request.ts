/** What a shop sends when a new trade customer asks for an account. Strict, as orders are. */
import { z } from "zod";
import { oneLine } from "../request.ts";

const words = (max: number, about: string) =>
  oneLine(z.string().trim().min(1).max(max)).describe(about);
const orNull = (max: number, about: string) =>
  notGiven(oneLine(z.string().trim().min(1).max(max)), about);
const notGiven = (text: z.ZodString, about: string) =>
  text.nullable().default(null).describe(`${about} Null: not given.`);

const address = z.strictObject({
  address1: words(100, "First address line."),
  address2: orNull(100, "Second address line."),
  address3: orNull(100, "Third address line."),
  town: orNull(100, "Town."),
  county: orNull(100, "County."),
  postcode: orNull(12, "Postcode."),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "expected an ISO country such as GB")
    .default("GB")
    .describe("ISO country."),
});

export const accountRequestBody = z.strictObject({
  tradingName: words(200, "Name that the business trades under."),
  legalName: orNull(200, "Name of the company or of its owner."),
  companyNumber: orNull(30, "Number in the register of companies."),
  vatNumber: orNull(30, "VAT registration."),
  address: address.describe("Address of the account, where invoices go."),
  deliverTo: z
    .array(address.extend({ name: words(200, "Name on the delivery.") }))
    .max(20)
    .default([])
    .describe("Delivery addresses besides it."),
  contact: z
    .strictObject({
      name: words(100, "Whom to ask for."),
      email: words(200, "E-mail.").regex(/^[^@\s]+@[^@\s]+$/, "expected an e-mail address"),
      telephone: orNull(40, "Telephone."),
    })
    .describe("Who asks."),
  creditLimit: z
    .string()
    .regex(/^\d{1,12}(\.\d{1,2})?$/, 'expected a decimal in quotes, such as "2500.00"')
    .nullable()
    .default(null)
    .describe("Credit limit asked for; null: none, every order is paid beforehand."),
  terms: orNull(200, "Terms asked for, in words."),
  tradeReferences: z
    .array(
      z.strictObject({
        name: words(200, "Business that knows the buyer."),
        contact: orNull(200, "How it is reached."),
      }),
    )
    .max(10)
    .default([]),
  note: notGiven(z.string().trim().min(1).max(1000), "What else there is to say, in lines."),
});

export type AccountRequestBody = z.infer<typeof accountRequestBody>;

/** Who may be the same customer. */
export interface Duplicate {
  readonly account: string;
  readonly name: string;
  /** Of 100; what is likelier comes first. */
  readonly score: number;
  /** What is the same. */
  readonly reasons: readonly string[];
  /** records: as last pulled; erp: as the ERP itself answered. */
  readonly from: "records" | "erp";
}
