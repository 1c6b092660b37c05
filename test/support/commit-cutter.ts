/**
 * A wire to PostgreSQL that cuts a connection when it sees that a COMMIT was answered: the server
 * has committed, and whoever asked for it never hears so.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface CommitCutter extends AsyncDisposable {
  readonly url: string;
  /** So many answers were cut off. */
  readonly cuts: () => number;
  /** Share of COMMITs whose answer is lost from now on. */
  setShare(share: number): void;
}

/** `CommandComplete` of a COMMIT: its tag, with the length before and the nil behind. */
const COMMITTED = Buffer.from("C\0\0\0\u000bCOMMIT\0", "latin1");

export async function startCommitCutter(url: string, chance: () => number): Promise<CommitCutter> {
  const target = new URL(url);
  const state = { share: 0, cuts: 0 };
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const far = connect(Number(target.port), target.hostname);
    const end = () => {
      client.destroy();
      far.destroy();
      open.delete(client);
      open.delete(far);
    };
    for (const socket of [client, far]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", end).on("close", end);
    }
    client.on("data", (chunk: Buffer) => far.write(chunk));
    far.on("data", (chunk: Buffer) => {
      if (chunk.includes(COMMITTED) && chance() < state.share) {
        state.cuts += 1;
        end();
      } else client.write(chunk);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const here = new URL(url);
  here.port = String((server.address() as AddressInfo).port);
  return {
    url: here.toString(),
    cuts: () => state.cuts,
    setShare: (share) => void (state.share = share),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
