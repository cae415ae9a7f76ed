/** Elements of the page. */

/** The content of an element: other elements, text, or nothing. */
type Child = Node | string | undefined;

/** An element with attributes and children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** The element with this id. @param Type its class */
export function byId<T extends HTMLElement = HTMLElement>(id: string, Type?: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof (Type ?? HTMLElement))) throw new Error(`no #${id}`);
  return element as T;
}
