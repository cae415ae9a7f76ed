/** Making elements. */

/** The content of an element: other elements, text, or nothing. */
export type Child = Node | string | undefined;

/**
 * An element with attributes and children. An attribute that is undefined or false is left out; true gives one
 * without a value.
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | number | boolean | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : String(value));
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A list to choose one from, with its label. @param options value → words, in their order */
export function chooser(
  label: string,
  options: [value: string, words: string][],
  onChange: () => void,
): { element: HTMLElement; select: HTMLSelectElement } {
  const select = make("select", {}, ...options.map(([value, words]) => make("option", { value }, words)));
  select.addEventListener("change", onChange);
  return { element: make("label", { class: "control" }, label, select), select };
}

/** A box to tick, with its label after it and, before that, a mark. */
export function tick(
  words: string,
  checked: boolean,
  onChange: (checked: boolean) => void,
  mark?: Node,
): HTMLElement {
  const box = make("input", { type: "checkbox", checked });
  box.addEventListener("change", () => onChange(box.checked));
  return make("label", { class: "tick" }, box, mark, words);
}
