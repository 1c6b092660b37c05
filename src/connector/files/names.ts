/**
 * Names that may become part of a path. Nothing from outside reaches a path without passing here.
 */

/** Longest name that leaves room for our own endings on every file system. */
const MOST_CHARACTERS = 150;

/** What keeps the text from being the name of a file in one folder; null when nothing does. */
export function fileNameProblem(text: string): string | null {
  if (text.length > MOST_CHARACTERS) return `it is longer than ${MOST_CHARACTERS} characters`;
  return partProblem(text);
}

/** True for a path below a folder that leads nowhere else: no `..`, no root, no odd name. */
export function isInside(path: string): boolean {
  return path.split("/").every((part) => partProblem(part) === null);
}

/**
 * The archive and the part of it that a name such as `prices.zip/part.csv` means, with whatever
 * folders before it; no part: the file itself.
 */
export function partOf(path: string): { readonly path: string; readonly part: string | null } {
  const found = /^(.*\.zip)\/([^/]+)$/is.exec(path);
  return { path: found?.[1] ?? path, part: found?.[2] ?? null };
}

function partProblem(text: string): string | null {
  if (text === "") return "it is empty";
  if (/[/\\]/.test(text)) return "it has a path separator";
  if (/\p{Cc}/u.test(text)) return "it has a control character";
  if (/[<>:"|?*]/.test(text)) return 'it has one of the characters < > : " | ? *';
  if (text.startsWith(".")) return "it begins with a dot";
  return /[. ]$/.test(text) ? "it ends with a dot or a space" : null;
}

/**
 * What keeps the text from being a pattern of file names in one folder; `*`, `?`, `[…]` and `{…}`
 * may stand in it.
 */
export function patternProblem(pattern: string): string | null {
  return fileNameProblem(pattern.replaceAll(/[*?]/g, "x"));
}
