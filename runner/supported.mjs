// Whether this machine can run DeepHash: asked before anything is imported that needs it.

/** The reason why not, and the next step, in one line; undefined where it can. */
export function unsupported(platform = process.platform, version = process.versions.node) {
  if (platform === "win32")
    return "DeepHash does not run on Windows, which has no process groups. Use WSL, which is Linux: https://learn.microsoft.com/windows/wsl/";
  const [major, minor] = version.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    return `Node ${version} is too old: 20.19 or newer is needed.`;
  return undefined;
}
