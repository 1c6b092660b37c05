/** Whether a rule's conditions can be read: `delivery=collect; channel=web|phone`. */

/** What is wrong with them; null: they can be read. */
export function conditionProblem(text: string): string | null {
  const seen = new Set<string>();
  for (const part of text.split(";").map((each) => each.trim())) {
    const [name = "", values, ...more] = part.split("=").map((each) => each.trim());
    if (part === "") return "nothing stands between two semicolons, or after the last";
    if (values === undefined || more.length > 0) return `"${part}" is not one attribute=value`;
    if (!/^[A-Za-z][\w-]*$/.test(name)) return `"${name}" is not the name of an attribute`;
    if (values.split("|").some((value) => value.trim() === "")) return `"${part}" lacks a value`;
    if (seen.has(name)) return `"${name}" is asked for twice; write ${name}=one|other`;
    seen.add(name);
  }
  return null;
}
