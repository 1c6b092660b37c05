/** Files for a web shop that cannot call in: laid into the folder whole, or not at all. */
import { ConnectorFault } from "../contract.ts";
import type { Folder } from "./folder.ts";
import { fileNameProblem } from "./names.ts";

/** Where files for a shop are laid. */
export const SHOP = "shop";

/** Written beside its place first, so that nobody takes half of it. */
export async function layFile(folder: Folder, name: string, content: string): Promise<void> {
  const problem = fileNameProblem(name);
  if (problem !== null)
    throw new ConnectorFault(
      "defect",
      `Laying a file: its name is "${name}", and ${problem}.`,
      "Report it: names of files are made by Tradepost itself.",
    );
  await folder.makeFolder(`${SHOP}/.staged`);
  const staged = `${SHOP}/.staged/${name}`;
  await folder.write(staged, content);
  if ((await folder.look(`${SHOP}/${name}`)) !== null) await folder.remove(`${SHOP}/${name}`);
  await folder.rename(staged, `${SHOP}/${name}`);
  await folder.settle(SHOP);
}
