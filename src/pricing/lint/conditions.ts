/** Whether a rule's conditions can be meant: `delivery=collect; channel=web|phone; trade`. */

/** What is wrong with them; null: nothing. An attribute alone asks for it to be so. */
export function conditionProblem(text: string): string | null {
  for (const part of text.split(";").map((each) => each.trim())) {
    if (part === "") continue;
    const [name = "", values = "true", ...more] = part.split("=").map((each) => each.trim());
    if (more.length > 0) return `"${part}" is not one attribute=value`;
    if (!/^[A-Za-z][\w-]*$/.test(name)) return `"${name}" is not the name of an attribute`;
    if (values.split("|").some((value) => value.trim() === "")) return `"${part}" lacks a value`;
  }
  return null;
}
