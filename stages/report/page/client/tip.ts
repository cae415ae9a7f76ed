/** The words beside the pointer. They say nothing that is not told elsewhere as well. */
import { make } from "./element.ts";

/** Space between the pointer and the words, in pixels. */
const APART = 14;

const box = make("div", { class: "tip", role: "tooltip", hidden: true });

/** Shows words or an element beside the pointer; nothing: hides them. */
export function showTip(event: MouseEvent, content: Node | string | undefined): void {
  if (content === undefined || content === "") {
    box.hidden = true;
    return;
  }
  if (!box.isConnected) document.body.append(box);
  box.replaceChildren(content);
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  const x =
    event.clientX + APART + width > innerWidth ? event.clientX - APART - width : event.clientX + APART;
  const y = Math.min(event.clientY + APART, innerHeight - height - 4);
  box.style.left = `${Math.max(4, x)}px`;
  box.style.top = `${Math.max(4, y)}px`;
}
