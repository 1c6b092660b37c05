/**
 * A connector outside this checkout has no `#connector` and no packages of its own: what it cannot
 * find beside itself it is lent from here, so that its code reads as if it lay in `connectors/`.
 */
import { registerHooks } from "node:module";
import { sep } from "node:path";
import { pathToFileURL } from "node:url";

const lent = new Set<string>();

/** Modules below `folder` may import the doors `#connector…` and the packages installed here. */
export function lendPackages(folder: string): void {
  if (lent.size === 0) registerHooks({ resolve: resolveLent });
  lent.add(pathToFileURL(folder + sep).href);
}

const resolveLent: NonNullable<Parameters<typeof registerHooks>[0]["resolve"]> = (
  specifier,
  context,
  next,
) => {
  const { parentURL } = context;
  try {
    return next(specifier, context);
  } catch (error) {
    const isOutside = [...lent].some((folder) => parentURL?.startsWith(folder));
    if (!isOutside || !/^[#@a-z]/i.test(specifier)) throw error;
    return next(specifier, { ...context, parentURL: import.meta.url });
  }
};
