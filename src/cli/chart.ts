/** A bar in a table's cell: what a row of figures says at a glance. */

const WIDTH = 20;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/** 0 to 100; "" for none. */
export function bars(percent: string | null): string {
  if (percent === null) return "";
  const eighths = Math.round((Math.max(0, Math.min(100, Number(percent))) / 100) * WIDTH * 8);
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}
