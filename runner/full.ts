/** What is said when the disk is full (ENOSPC), by the runner and by the processes of its stages. */
export const diskFull = (message: string): string =>
  `the disk is full (${message}). Free some space and run again: what is done is kept.`;
