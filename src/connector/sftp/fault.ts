/** What goes wrong with an SFTP server, by what the reader must do about it. */
import { ConnectorFault } from "../contract.ts";
import type { FaultKind } from "../contract.ts";
import type { SftpSettings } from "./settings.ts";

/** The connection is gone, or was never made; what was asked may have been done or not. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  readonly code = "ECONNRESET";
}

/** `server`: how messages name it: `erp@sftp.example.com:22`. */
export function serverName({ user, host, port }: SftpSettings): string {
  return `${user}@${host}${port === 22 ? "" : `:${port}`}`;
}

/** A fault of ours passes through. */
export function sftpFault(settings: SftpSettings, doing: string, error: unknown): ConnectorFault {
  if (error instanceof ConnectorFault) return error;
  const server = serverName(settings);
  const said = error instanceof Error ? error.message : String(error);
  const { kind, instruction } = adviceFor(error, server);
  return new ConnectorFault(kind, `${doing} failed: ${said}.`, instruction, { cause: error });
}

function adviceFor(error: unknown, server: string): { kind: FaultKind; instruction: string } {
  if (error instanceof ConnectionLost)
    return {
      kind: "transient",
      instruction: `See that ${server} runs and can be reached from here; the next run goes on.`,
    };
  const code = error instanceof Error && "code" in error ? error.code : null;
  switch (code) {
    case "ENOENT":
      return {
        kind: "config",
        instruction: `Correct \`sftp.folder\` in the connection's settings: ${server} has no such path.`,
      };
    case "EACCES":
      return {
        kind: "config",
        instruction: `Give ${server} the right to read and write the whole folder.`,
      };
    case "ENOSPC":
      return { kind: "transient", instruction: "Make room on the disk; the next run tries again." };
    default:
      return {
        kind: "transient",
        instruction: `Look into the log of ${server}; the next run tries again.`,
      };
  }
}

export function wrongHostKey(
  settings: SftpSettings,
  offered: { readonly fingerprint: string; readonly type: string },
): ConnectorFault {
  const { host, port, hostKeys } = settings;
  return new ConnectorFault(
    "auth",
    `${host}:${port} shows the host key ${offered.fingerprint} (${offered.type}), and the settings ` +
      `pin ${hostKeys.join(", ")}. It may be another server: we did not sign in, and nothing was read or sent.`,
    "Ask whoever runs the server for its fingerprint, over another way than this connection " +
      "(on the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub). Only if it is the one shown, " +
      "put it under `sftp.hostKeys` in the connection's settings.",
  );
}

export function refusedSignIn(settings: SftpSettings, error: unknown): ConnectorFault {
  const { passwordSecret, keySecret } = settings;
  const shown = [
    ...(keySecret === undefined ? [] : [`the key in the secret ${keySecret}`]),
    ...(passwordSecret === undefined ? [] : [`the password in the secret ${passwordSecret}`]),
  ].join(" and ");
  return new ConnectorFault(
    "auth",
    `${serverName(settings)} refused to let us in with ${shown}.`,
    "Correct the user or the secret, or let the server's administrator add the public key to the user's authorized_keys.",
    { cause: error },
  );
}

export function unreadableKey(name: string, error: Error): ConnectorFault {
  return new ConnectorFault(
    "config",
    `The secret ${name} holds no private key that can be read: ${error.message}.`,
    "Store the whole private key file (ssh-keygen -t ed25519), from BEGIN to END; if it is locked, name its passphrase with `passphraseSecret`.",
    { cause: error },
  );
}

export function noCommonAlgorithm(settings: SftpSettings, error: Error): ConnectorFault {
  return new ConnectorFault(
    "config",
    `${serverName(settings)} and we have no way of encryption in common: ${error.message}.`,
    "Update the server: it offers only what is no longer safe.",
    { cause: error },
  );
}
