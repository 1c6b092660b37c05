/**
 * What must be so besides whom, what, when and how much: "delivery=collect; channel=web|phone".
 * All of it must be, each attribute with one of its values.
 */

interface Condition {
  readonly attribute: string;
  readonly values: readonly string[];
}

/** Attribute → value as the enquiry states them; "vip|trade": any of these is so. */
export type Stated = ReadonlyMap<string, string>;

/** The same conditions as one text, however they were ordered and spaced; null: none. */
export function conditionsText(text: string | null | undefined): string | null {
  const conditions = conditionsIn(text ?? "").map(
    ({ attribute, values }) => `${attribute}=${[...new Set(values)].sort().join("|")}`,
  );
  return conditions.length === 0 ? null : [...new Set(conditions)].sort().join("; ");
}

/** How many conditions a text has. */
export function conditionCount(text: string): number {
  return conditionsIn(text).length;
}

/** Whether all conditions of a text are so; what the enquiry does not state is not. */
export function isSo(text: string, stated: Stated | null): boolean {
  return conditionsIn(text).every(({ attribute, values }) => {
    const value = stated?.get(attribute);
    return value?.split("|").some((one) => values.includes(one.trim())) ?? false;
  });
}

/** "delivery is collect and channel is web or phone". */
export function conditionsWords(text: string): string {
  return conditionsIn(text)
    .map(({ attribute, values }) => `${attribute} is ${values.join(" or ") || "(nothing)"}`)
    .join(" and ");
}

/** A part without "=" asks for the attribute to be "true". */
function conditionsIn(text: string): Condition[] {
  return text.split(";").flatMap((part) => {
    const [attribute = "", values] = part.split("=").map((word) => word.trim());
    if (attribute === "") return [];
    const listed = (values ?? "true").split("|").map((value) => value.trim());
    return { attribute, values: listed.filter((value) => value !== "") };
  });
}
