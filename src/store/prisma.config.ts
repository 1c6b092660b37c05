/**
 * For Prisma's CLI: `prisma generate --config src/store/prisma.config.ts`, `prisma migrate deploy
 * …`.
 */
import { defineConfig } from "prisma/config";

// The CLI looks for a native schema engine and downloads it when there is none, which fails
// offline. Generating a client does not run it, so any existing program will do.
process.env["PRISMA_SCHEMA_ENGINE_BINARY"] ??= process.execPath;
const url = process.env["DATABASE_URL"];

export default defineConfig({
  schema: "prisma/schema",
  migrations: { path: "prisma/migrations" },
  ...(url === undefined ? {} : { datasource: { url } }),
});
