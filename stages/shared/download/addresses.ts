/** Web addresses as messages may repeat them: without what only their owner may know. */

/**
 * An address without user, password, query and fragment: these may hold a secret, and messages end in logs and
 * records.
 */
export function shownAddress(address: string | URL): string {
  const text = String(address);
  if (/^https?:/i.test(text) && URL.canParse(text)) {
    const { protocol, host, pathname, search } = new URL(text);
    return `${protocol}//${host}${pathname}${search ? "?…" : ""}`;
  }
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1…@").replace(/[?#].*/s, "?…");
}

/**
 * The address that another one redirects to.
 * @throws Error when it is no address of the web
 */
export function redirected(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw new Error("it redirects to an invalid address");
  const to = new URL(location, from);
  if (to.protocol !== "https:" && to.protocol !== "http:")
    throw new Error(`it redirects to ${to.protocol}, which is not an address of the web`);
  return to;
}
