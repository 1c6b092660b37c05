/** Broken: importing it starts a timer. Never imported by a test itself. */
export { connector } from "../../../stockroom/index.ts";

setTimeout(() => undefined, 60_000);
