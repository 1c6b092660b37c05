/** Broken: importing it reads a file. Never imported by a test itself. */
import { readFileSync } from "node:fs";

export { connector } from "../../../stockroom/index.ts";

export const hosts = readFileSync("/etc/hosts", "utf8");
