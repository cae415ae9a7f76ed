import { make } from "./element.ts";

/** Sorts a table by the column whose title is pressed; numbers by their value, the rest by its words. */
export function sortable(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("thead button"))
    button.addEventListener("click", () => {
      const title = button.closest("th")!;
      const table = title.closest("table")!;
      const body = table.tBodies[0];
      const column = title.cellIndex;
      const before = title.getAttribute("aria-sort");
      const down = before !== "descending" && (title.className === "number" || before === "ascending");
      for (const other of table.tHead!.querySelectorAll("th")) other.removeAttribute("aria-sort");
      title.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row: HTMLTableRowElement) =>
        row.cells[column].dataset.sort ?? row.cells[column].textContent ?? "";
      const compare = (a: HTMLTableRowElement, b: HTMLTableRowElement) => {
        const [x, y] = [key(a), key(b)];
        const [m, n] = [Number(x), Number(y)];
        const order = Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y) : m === n ? 0 : m < n ? -1 : 1;
        return down ? -order : order;
      };
      body.append(...[...body.rows].sort(compare));
    });
}

/** Says below a table that it goes on to the side, until one has seen its end. */
export function cue(within: HTMLElement): void {
  for (const box of within.querySelectorAll<HTMLElement>(".table")) {
    if (box.dataset.cued) continue;
    box.dataset.cued = "yes";
    box.after(
      make(
        "p",
        { class: "scrolls", "aria-hidden": "true" },
        "Scroll the table sideways for more columns \u2192",
      ),
    );
    const check = () => box.classList.toggle("more", box.scrollWidth - box.clientWidth - box.scrollLeft > 2);
    box.addEventListener("scroll", check);
    new ResizeObserver(check).observe(box);
    check();
  }
}
