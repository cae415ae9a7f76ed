const DISK_CODES = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS"]);

/** Whether the disk is the cause of an error. */
export const isDiskFault = ({ code = "" }: { code?: string }): boolean => DISK_CODES.has(code);

/** The messages about failures of the disk, of the runner and of the processes of its stages. */
export function diskFault({ code, message }: { code?: string; message: string }): string {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return `the disk is full (${message}). Free some space and run again: finished stages are kept.`;
    case "EIO":
      return `the disk failed (${message}). Check the disk and run again: finished stages are kept.`;
    case "EROFS":
      return `the disk is read-only (${message}). Make it writable and run again: finished stages are kept.`;
    default:
      return message;
  }
}
