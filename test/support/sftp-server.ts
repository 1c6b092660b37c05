/**
 * An SFTP server on the loopback that keeps its files in memory, with a clock of its own that goes
 * on with every change, and that misbehaves as told: a real server of another make than OpenSSH.
 */
import { createServer, connect } from "node:net";
import type { AddressInfo, Server as TcpServer, Socket } from "node:net";
import { posix } from "node:path";
import ssh2 from "ssh2";
import type { Attributes, Connection, FileEntry, SFTPWrapper } from "ssh2";
import { fingerprintOf } from "../../src/connector/sftp/connection.ts";

const { STATUS_CODE, OPEN_MODE } = ssh2.utils.sftp;

export interface Held {
  content: Buffer;
  /** In whole seconds, as SFTP tells it. */
  mtime: number;
  link?: true;
}

export interface Request {
  readonly does: string;
  readonly path: string;
  readonly offset: number;
}

export interface SftpServer extends AsyncDisposable {
  readonly port: number;
  readonly fingerprint: string;
  readonly hostKey: string;
  readonly files: Map<string, Held>;
  readonly folders: Set<string>;
  /** Who may sign in with what. */
  readonly password: string;
  /** Requests so far, as `lstat out/x.csv`. */
  readonly asked: string[];
  /** Called before each request is carried out; `cut`: the line goes dead instead. */
  before: (request: Request) => "cut" | undefined;
  /** Called after each was carried out and before it is answered. */
  after: (request: Request) => "cut" | undefined;
  /** So many bytes of one read at most. */
  readBytes: number;
  /** Writes a file; the clock goes on by a second unless told otherwise. */
  put(path: string, content: string | Buffer, seconds?: number): void;
  names(): readonly string[];
  text(path: string): string;
  connections(): number;
  /** Cuts every line that is open. */
  dropAll(): void;
}

export interface ServerOptions {
  readonly hostKey?: string;
  readonly port?: number;
  readonly files?: Map<string, Held>;
  readonly folders?: Set<string>;
  readonly clientKey?: Buffer;
  readonly fsync?: boolean;
}

export function hostKey(): string {
  // ssh2's generator of ed25519 keys is faulty now and then.
  return ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
}

export async function startSftpServer(options: ServerOptions = {}): Promise<SftpServer> {
  const key = options.hostKey ?? hostKey();
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error) throw parsed;
  const open = new Set<Connection>();
  const sockets = new Set<Socket>();
  let clock = 1_774_920_000;
  const world: Omit<SftpServer, "port" | typeof Symbol.asyncDispose> = {
    fingerprint: fingerprintOf(parsed.getPublicSSH()),
    hostKey: key,
    files: options.files ?? new Map<string, Held>(),
    folders: options.folders ?? new Set(["/", "/out", "/orders"]),
    password: "right horse",
    asked: [],
    before: () => undefined,
    after: () => undefined,
    readBytes: 32_768,
    put(path, content, seconds = 1) {
      clock += seconds;
      world.files.set(`/${path}`, { content: Buffer.from(content), mtime: clock });
    },
    names: () => [...world.files.keys()].map((name) => name.slice(1)).sort(),
    text: (path) => world.files.get(`/${path}`)?.content.toString() ?? "",
    connections: () => open.size,
    dropAll() {
      for (const socket of sockets) socket.destroy();
    },
  };
  const tick = () => ++clock;
  const ssh = new ssh2.Server({ hostKeys: [key] }, (client) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => open.delete(client));
    client.on("authentication", (context) => {
      const isPassword = context.method === "password" && context.password === world.password;
      const isKey =
        context.method === "publickey" && options.clientKey?.equals(context.key.data) === true;
      if (isPassword || isKey) context.accept();
      else context.reject(["password", "publickey"]);
    });
    client.on("session", (accept) => {
      accept().on("sftp", (acceptSftp) => serve(acceptSftp(), world, tick, client));
    });
  });
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    ssh.injectSocket(socket);
  });
  await listening(listener, options.port ?? 0);
  return Object.assign(world, {
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      world.dropAll();
      await new Promise((resolve) => listener.close(resolve));
    },
  });
}

/** Stands before a server and cuts a line once so many bytes have come back over it. */
export async function startCutter(port: number, cuts: readonly number[]) {
  const left = [...cuts];
  const sockets = new Set<Socket>();
  const listener = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    const end = left.shift() ?? Infinity;
    let passed = 0;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.on("data", (bytes: Buffer) => {
      const room = end - passed;
      passed += bytes.length;
      if (bytes.length < room) near.write(bytes);
      else near.write(bytes.subarray(0, room), () => near.destroy());
    });
  });
  await listening(listener, 0);
  return {
    port: (listener.address() as AddressInfo).port,
    /** Lines not yet cut. */
    left: () => left.length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function listening(listener: TcpServer, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(port, "127.0.0.1", resolve);
  });
}

interface Opened {
  readonly path: string;
  /** The content that was opened, as on a disk: another file of the same name is another. */
  readonly held: Held | null;
  /** Of a folder, as it was when it was opened. */
  readonly names: FileEntry[];
  listed: boolean;
}

function serve(
  sftp: SFTPWrapper,
  world: Omit<SftpServer, "port" | typeof Symbol.asyncDispose>,
  tick: () => number,
  client: Connection,
): void {
  const handles = new Map<number, Opened>();
  let count = 0;
  const { files, folders } = world;
  const at = (path: string) => posix.join("/", path);
  const status = (id: number, code: number, said?: string) => sftp.status(id, code, said);
  const cut = () => (client as unknown as { _sock: Socket })._sock.destroy();
  /** What is asked is carried out unless a cut comes before, answered unless one comes after. */
  const handle = (
    does: string,
    path: string,
    offset: number,
    work: () => (() => void) | undefined,
  ) => {
    const request = { does, path: path.slice(1), offset };
    world.asked.push(`${does} ${request.path}`);
    if (world.before(request) === "cut") return cut();
    const answer = work();
    if (world.after(request) === "cut") return cut();
    answer?.();
    return undefined;
  };
  const opened = (buffer: Buffer) => handles.get(buffer.readUInt32BE(0));
  const give = (id: number, one: Opened) => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(++count);
    handles.set(count, one);
    return () => sftp.handle(id, buffer);
  };
  const look = (does: string) => (id: number, given: string) => {
    const path = at(given);
    handle(does, path, 0, () => {
      const attrs = attrsOf(world, path);
      return () => (attrs === null ? status(id, STATUS_CODE.NO_SUCH_FILE) : sftp.attrs(id, attrs));
    });
  };
  sftp.on("error", () => undefined);
  sftp.on("LSTAT", look("lstat"));
  sftp.on("STAT", look("stat"));
  sftp.on("OPEN", (id, given, flags) => {
    const path = at(given);
    handle("open", path, 0, () => {
      const isWrite = (flags & OPEN_MODE.WRITE) !== 0;
      if (isWrite && !folders.has(posix.dirname(path)))
        return () => status(id, STATUS_CODE.NO_SUCH_FILE);
      if (isWrite) files.set(path, { content: Buffer.alloc(0), mtime: tick() });
      const held = files.get(path);
      if (held === undefined) return () => status(id, STATUS_CODE.NO_SUCH_FILE);
      return give(id, { path, held, names: [], listed: false });
    });
  });
  sftp.on("READ", (id, buffer, offset, length) => {
    const one = opened(buffer);
    handle("read", one?.path ?? "", offset, () => {
      const most = Math.min(length, world.readBytes);
      // What was written into the same file since shows; what took its name does not.
      const bytes = Buffer.from(one?.held?.content.subarray(offset, offset + most) ?? []);
      return () => (bytes.length === 0 ? status(id, STATUS_CODE.EOF) : sftp.data(id, bytes));
    });
  });
  sftp.on("WRITE", (id, buffer, offset, data) => {
    const one = opened(buffer);
    const held = one?.held;
    handle("write", one?.path ?? "", offset, () => {
      if (held === undefined || held === null) return () => status(id, STATUS_CODE.FAILURE);
      held.content = Buffer.concat([held.content.subarray(0, offset), data]);
      held.mtime = tick();
      return () => status(id, STATUS_CODE.OK);
    });
  });
  sftp.on("FSTAT", (id, buffer) => {
    const one = opened(buffer);
    handle("fstat", one?.path ?? "", 0, () => {
      const { held } = one ?? {};
      return () =>
        held === undefined || held === null
          ? status(id, STATUS_CODE.FAILURE)
          : sftp.attrs(id, fileAttrs(held));
    });
  });
  sftp.on("CLOSE", (id, buffer) => {
    handles.delete(buffer.readUInt32BE(0));
    status(id, STATUS_CODE.OK);
  });
  sftp.on("OPENDIR", (id, given) => {
    const path = at(given);
    handle("list", path, 0, () => {
      if (!folders.has(path)) return () => status(id, STATUS_CODE.NO_SUCH_FILE);
      return give(id, { path, held: null, names: listing(world, path), listed: false });
    });
  });
  sftp.on("READDIR", (id, buffer) => {
    const one = opened(buffer);
    const isDone = one === undefined || one.listed;
    if (one !== undefined) one.listed = true;
    if (isDone) status(id, STATUS_CODE.EOF);
    else sftp.name(id, one.names);
  });
  sftp.on("RENAME", (id, from, to) => {
    const [source, target] = [at(from), at(to)];
    handle("rename", source, 0, () => {
      const held = files.get(source);
      if (held === undefined) return () => status(id, STATUS_CODE.NO_SUCH_FILE);
      if (files.has(target) || !folders.has(posix.dirname(target)))
        return () => status(id, STATUS_CODE.FAILURE);
      files.delete(source);
      files.set(target, held);
      return () => status(id, STATUS_CODE.OK);
    });
  });
  sftp.on("REMOVE", (id, given) => {
    const path = at(given);
    handle("remove", path, 0, () => {
      const code = files.delete(path) ? STATUS_CODE.OK : STATUS_CODE.NO_SUCH_FILE;
      return () => status(id, code);
    });
  });
  sftp.on("MKDIR", (id, given) => {
    const path = at(given);
    handle("mkdir", path, 0, () => {
      if (folders.has(path) || !folders.has(posix.dirname(path)))
        return () => status(id, STATUS_CODE.FAILURE);
      folders.add(path);
      return () => status(id, STATUS_CODE.OK);
    });
  });
  sftp.on("RMDIR", (id, given) => {
    const path = at(given);
    handle("rmdir", path, 0, () => {
      folders.delete(path);
      return () => status(id, STATUS_CODE.OK);
    });
  });
  sftp.on("REALPATH", (id, given) => {
    sftp.name(id, [{ filename: at(given), longname: "", attrs: {} as Attributes }]);
  });
}

const [FILE, FOLDER, LINK] = [0o100_644, 0o040_755, 0o120_777];

function fileAttrs({ content, mtime, link }: Held): Attributes {
  const mode = link === true ? LINK : FILE;
  return { mode, uid: 0, gid: 0, size: content.length, atime: mtime, mtime };
}

function attrsOf(
  { files, folders }: Pick<SftpServer, "files" | "folders">,
  path: string,
): Attributes | null {
  const held = files.get(path);
  if (held !== undefined) return fileAttrs(held);
  return folders.has(path) ? { mode: FOLDER, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 } : null;
}

function listing(world: Pick<SftpServer, "files" | "folders">, folder: string): FileEntry[] {
  const paths = [...world.files.keys(), ...world.folders].filter(
    (path) => path !== "/" && posix.dirname(path) === folder,
  );
  return paths.map((path) => ({
    filename: posix.basename(path),
    longname: path,
    attrs: attrsOf(world, path) ?? ({} as Attributes),
  }));
}
