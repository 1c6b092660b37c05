/**
 * A folder on an SFTP server for the kit of files, the door `#connector/sftp`. Promises that
 * nothing is read or sent before the server's key is one of those that the settings pin, that a
 * file cut off at any byte is fetched on from there or not at all, and that no file of others is
 * overwritten. Never shows a secret, never follows a link.
 *
 *     const folder = openSftpFolder(settings.sftp, host);
 *     return openFileSession({ folder, … }, host);
 */
export { openSftpFolder } from "./folder.ts";
export type { SftpOptions } from "./folder.ts";
export { sftpSettings } from "./settings.ts";
export type { SftpSettings } from "./settings.ts";
