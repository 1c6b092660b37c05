/**
 * A mail server on this machine that speaks as much SMTP as a letter needs: STARTTLS when it has a
 * certificate, AUTH PLAIN, and refusals when a test wants them.
 */
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  /** Who signed in, as "user:password"; null: nobody. */
  readonly as: string | null;
  readonly encrypted: boolean;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly Mail[];
  /** Everything that was ever said to it, unencrypted or not. */
  readonly heard: readonly string[];
  /** How many letters it refuses before it takes one. */
  refuse(count: number): void;
}

export async function startMailServer(
  options: { readonly tls?: { readonly key: string; readonly cert: string } } = {},
): Promise<MailServer> {
  const mails: Mail[] = [];
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  let refusals = 0;
  const desk: Desk = {
    tls: options.tls ?? null,
    heard,
    take: (mail) => {
      if (refusals > 0) {
        refusals -= 1;
        return "451 4.3.0 try again later";
      }
      mails.push(mail);
      return "250 2.0.0 kept";
    },
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.write("220 mail.test ESMTP\r\n");
    converse(desk, socket, false);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    heard,
    refuse: (count) => {
      refusals = count;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

interface Desk {
  readonly tls: { readonly key: string; readonly cert: string } | null;
  readonly heard: string[];
  take(mail: Mail): string;
}

function converse(desk: Desk, socket: Socket, encrypted: boolean): void {
  let pending = "";
  let body: string[] | null = null;
  let as: string | null = null;
  let from = "";
  let to: string[] = [];
  socket.on("error", () => undefined);
  const onData = (chunk: Buffer) => {
    pending += chunk.toString("latin1");
    for (let end = pending.indexOf("\r\n"); end >= 0; end = pending.indexOf("\r\n")) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 2);
      answer(line);
    }
  };
  const say = (text: string) => socket.write(`${text}\r\n`);
  const answer = (line: string) => {
    if (body !== null) {
      if (line !== ".") return void body.push(line);
      say(desk.take({ from, to, text: body.join("\n"), as, encrypted }));
      body = null;
      return;
    }
    desk.heard.push(line);
    const [verb = "", rest = ""] = line.split(/ (.*)/s);
    switch (verb.toUpperCase()) {
      case "EHLO":
        if (desk.tls !== null && !encrypted) say("250-STARTTLS");
        say("250 AUTH PLAIN");
        return;
      case "STARTTLS":
        if (desk.tls === null) return void say("502 no");
        say("220 go on");
        socket.off("data", onData);
        converse(desk, secured(socket, desk.tls), true);
        return;
      case "AUTH":
        as = Buffer.from(rest.split(" ")[1] ?? "", "base64")
          .toString()
          .split("\0")
          .slice(1)
          .join(":");
        return void say("235 welcome");
      case "MAIL":
        from = /<(.*)>/.exec(rest)?.[1] ?? "";
        to = [];
        return void say("250 ok");
      case "RCPT":
        to.push(/<(.*)>/.exec(rest)?.[1] ?? "");
        return void say("250 ok");
      case "DATA":
        body = [];
        return void say("354 go on");
      case "QUIT":
        say("221 bye");
        return void socket.end();
      default:
        say("250 ok");
    }
  };
  socket.on("data", onData);
}

function secured(socket: Socket, { key, cert }: { key: string; cert: string }): TLSSocket {
  return new TLSSocket(socket, {
    isServer: true,
    secureContext: createSecureContext({ key, cert }),
  });
}
