/** Broken: it reads the clock itself, where the host would have told it the time. */
export { connector } from "../../../stockroom/index.ts";

export function ageInDays(changed: string): number {
  return (Date.now() - Date.parse(changed)) / 86_400_000;
}
