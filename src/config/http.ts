/** Settings of the API. */
import { z } from "zod";

export const http = z
  .strictObject({
    host: z.string().default("127.0.0.1"),
    port: z.number().int().min(0).max(65535).default(4600),
    bulkThreads: z
      .number()
      .int()
      .min(0)
      .max(64)
      .optional()
      .describe(
        "Threads that answer large price requests beside the service's own; as many as the machine " +
          "has processors when not given. 0: none.",
      ),
  })
  .prefault({});
