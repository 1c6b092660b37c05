/** Files that a person names: from where they stand, and what is said when they cannot be used. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { standing } from "../config.ts";
import { UsageError } from "./command.ts";

/** What a file is, and what to give instead of one that cannot be used. */
export interface Named {
  /** "The plan" */
  readonly what: string;
  readonly advice: string;
}

/** The text of a file of the call. */
export async function readNamed(path: string, { what, advice }: Named): Promise<string> {
  try {
    return await readFile(standing(path), "utf8");
  } catch (error) {
    throw unreadable(path, error, { what, advice });
  }
}

export function unreadable(path: string, error: unknown, { what, advice }: Named): UsageError {
  return new UsageError(`${what} ${standing(path)} cannot be read: ${reasonOf(error)}. ${advice}`);
}

/** Writes what was asked for by --out; folders that are not there are made. */
export async function writeNamed(
  path: string,
  text: string,
  { keep = false }: { readonly keep?: boolean } = {},
): Promise<void> {
  const file = standing(path);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: keep ? "wx" : "w" });
  } catch (error) {
    if (keep && codeOf(error) === "EEXIST")
      throw new UsageError(
        `${path} is there already. Give another --out, or --force to write over it.`,
      );
    throw new UsageError(
      `--out ${file} cannot be written: ${reasonOf(error)}. Give one that can be.`,
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it is not there",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is a file, not a folder",
  EEXIST: "a part of its path is a file, not a folder",
  EACCES: "this user may not",
  EPERM: "this user may not",
  EROFS: "the disk takes no changes",
  ENOSPC: "the disk is full",
};

function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
