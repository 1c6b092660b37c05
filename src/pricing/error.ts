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

export type RoundRefusal =
  | "round-unknown"
  | "round-empty"
  | "round-rows-wrong"
  | "round-too-late"
  | "round-name-taken"
  | "round-rule-twice"
  | "round-not-loaded"
  | "round-covered"
  | "round-over"
  | "round-no-differences";

/** A price round cannot be what was asked of it; nothing was changed. */
export class RoundRefused extends Error {
  override readonly name = "RoundRefused";
  readonly code: RoundRefusal;

  constructor(code: RoundRefusal, message: string) {
    super(`${message} Nothing was changed.`);
    this.code = code;
  }
}

/** A held price change cannot be decided on so; nothing was changed. */
export class HoldRefused extends Error {
  override readonly name = "HoldRefused";
  readonly code: "hold-unknown" | "hold-decided";

  constructor(code: HoldRefused["code"], message: string) {
    super(`${message} Nothing was changed.`);
    this.code = code;
  }
}

/** What was known at a moment has been deleted since. */
export class PastNotKept extends Error {
  override readonly name = "PastNotKept";
  readonly code = "past-not-kept";

  constructor(company: string, knownAt: Temporal.Instant, days: number) {
    super(
      `Telling what was known of the prices of ${company} at ${knownAt.toString()}: what changed ` +
        `more than ${days} days ago is not kept. Ask for a later moment; pricing.keepPastDays of ` +
        "the settings says how long it is kept from now on.",
    );
  }
}

/** The price rests on what is used up, and whoever asks said that it waits for nobody. */
export class LockNeeded extends Error {
  override readonly name = "LockNeeded";

  constructor(what: string) {
    super(`Pricing a basket without waiting: ${what}. Ask again in a transaction that may wait.`);
  }
}
