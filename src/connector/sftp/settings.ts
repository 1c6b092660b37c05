/** What the settings say of an SFTP server. */
import { z } from "zod";
import { isInside } from "../files/names.ts";

const secretName = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, "the name of a secret, in small letters, digits and underscores");

export const sftpSettings = z
  .strictObject({
    host: z.string().min(1).describe("Name or address of the server."),
    port: z.int().min(1).max(65_535).default(22).describe("Port of the server."),
    user: z.string().min(1).describe("Whom we sign in as."),
    hostKeys: z
      .array(
        z
          .string()
          .regex(
            /^SHA256:[A-Za-z0-9+/]{43}$/,
            "a fingerprint as ssh-keygen -lf shows it: SHA256:…",
          ),
      )
      .min(1)
      .describe("Fingerprints of the server's keys; a server with any other key is not spoken to."),
    passwordSecret: secretName.optional().describe("Name of the secret with the password."),
    keySecret: secretName.optional().describe("Name of the secret with the private key (PEM)."),
    passphraseSecret: secretName
      .optional()
      .describe("Name of the secret that opens the private key, if it is locked."),
    folder: z
      .string()
      .refine(isFolder, "a path on the server, absolute or from the user's own folder, without ..")
      .default(".")
      .describe("The folder on the server that holds out/."),
  })
  .refine(
    ({ passwordSecret, keySecret }) => passwordSecret !== undefined || keySecret !== undefined,
    "passwordSecret or keySecret is missing",
  )
  .refine(
    ({ keySecret, passphraseSecret }) => passphraseSecret === undefined || keySecret !== undefined,
    "passphraseSecret only beside keySecret",
  );

export type SftpSettings = Readonly<z.output<typeof sftpSettings>>;

function isFolder(path: string): boolean {
  return path === "." || path === "/" || isInside(path.replace(/^\//, "").replace(/\/$/, ""));
}
