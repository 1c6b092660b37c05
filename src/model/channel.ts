/** Where a sale came from. `unknown` is a channel of its own, never telephone. */
export const CHANNELS = [
  "web",
  "telephone",
  "counter",
  "field",
  "edi",
  "other",
  "unknown",
] as const;
export type Channel = (typeof CHANNELS)[number];
