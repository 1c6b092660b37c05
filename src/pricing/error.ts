/** Asked for prices before the first book was published. */
export class PricesNotReady extends Error {
  override readonly name = "PricesNotReady";
  readonly code = "prices-not-ready";
  readonly company: string;

  constructor(company: string) {
    super(
      `Pricing for ${company}: no price book has been published yet. Pull its customers, products and ` +
        "prices first; the book is published by itself after the run.",
    );
    this.company = company;
  }
}
