/** Whether the demo's port is free: asked first, since a demo begins by clearing the one before. */
import { once } from "node:events";
import { createServer } from "node:net";

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
