const DISK_CODES = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS"]);

/** Whether the disk is the cause of an error. */
export const isDiskFault = ({ code = "" }: { code?: string }): boolean => DISK_CODES.has(code);

/** What is said when the disk does not do as it should, by the runner and by the processes of its stages. */
export function diskFault({ code, message }: { code?: string; message: string }): string {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return `the disk is full (${message}). Free some space and run again: what is done is kept.`;
    case "EIO":
      return `the disk failed (${message}). Check the disk and run again: what is done is kept.`;
    case "EROFS":
      return `the disk is read-only (${message}). Make it writable and run again: what is done is kept.`;
    default:
      return message;
  }
}
