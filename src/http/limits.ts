/** Every limit of the API, by name. */
export const LIMITS = {
  /** Lines of one price request. */
  priceLines: 10_000,
  /** How long an answered price may be kept by a cache that does not follow the feed. */
  priceMaxAgeSeconds: 60,
  /** Body of a price request: 10,000 rows with long codes. */
  priceBodyBytes: 4 * 1024 * 1024,
  /** From this size on a price request is answered in a thread of its own … */
  bulkBytes: 8 * 1024,
  /** … and by one more for each so many bytes. */
  bulkShareBytes: 24 * 1024,
  /** Lines of one basket. */
  basketLines: 1_000,
  /** Charges and codes of one basket. */
  basketCharges: 50,
  basketCodes: 20,
  /** Body of a basket: 1,000 lines with long codes. */
  basketBodyBytes: 512 * 1024,
  /** Body of an order: 1,000 lines with every field. */
  orderBodyBytes: 1024 * 1024,
  /** Body of a decision at the desk: one row's corrections. */
  deskBodyBytes: 256 * 1024,
  /** Body of a plan that is applied: its changes, each listed one with both sides. */
  planBodyBytes: 16 * 1024 * 1024,
  /** Entries of a list in one answer. */
  listEntries: 1_000,
  /** Totals of one answer. */
  totalRows: 50_000,
  requestIdCharacters: 64,
  idempotencyKeyCharacters: 255,
  /** The whole request must have arrived by then. */
  requestTimeoutMs: 30_000,
  headersTimeoutMs: 10_000,
  /** Longer than the idle timeouts of common load balancers, so that they close first. */
  keepAliveTimeoutMs: 75_000,
  /** On closing, running requests get this long. */
  closeGraceMs: 5_000,
  /** How long readiness waits for the database. */
  readyTimeoutMs: 2_000,
} as const;
