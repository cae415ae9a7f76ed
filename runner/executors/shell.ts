/** Runs a shell stage's command with zx. */

/** Runs a command, its output to this process's own. @throws Error with the last line it wrote to stderr */
export async function runCommand(command: string): Promise<void> {
  const { $ } = await import("zx");
  console.log(`$ ${command}`);
  const child = $({ nothrow: true, quiet: true, stdio: ["ignore", "pipe", "pipe"] })([
    command,
  ] as unknown as TemplateStringsArray);
  child.stdout.pipe(process.stdout, { end: false });
  child.stderr.pipe(process.stderr, { end: false });
  const { exitCode, signal, stderr } = await child;
  if (exitCode !== 0)
    throw new Error(
      `its command ended with exit code ${exitCode ?? signal}: ${stderr.trim().split("\n").at(-1) || "nothing was said"}`,
    );
}
