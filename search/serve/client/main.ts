/** The page of `deephash serve`. */
import {
  type Answer,
  type Encoded,
  encode,
  type Health,
  health,
  images,
  type Listed,
  pictureOf,
  search,
} from "./api.ts";
import { drawBits } from "./bits.ts";
import { byId, make } from "./element.ts";
import { pale, type Query, show, walkByKeys } from "./grid.ts";
import { startViewer, view } from "./viewer.ts";

/** The query of the page: none, an image of the index, or one of the person's. */
type Sought =
  | { kind: "none" }
  | { kind: "image"; image: Listed }
  | { kind: "own"; name: string; picture: string; blob: Blob; encoded?: Encoded };

/** Classes that the text field suggests. */
const SUGGESTED = 500;
/** Milliseconds that a change of a control waits for the next. */
const SETTLED = 150;
/** As the server's limit. */
const MOST_BYTES = 32 * 2 ** 20;

const filter = byId("filter", HTMLInputElement);
const radius = byId("radius", HTMLInputElement);
const order = byId("order", HTMLSelectElement);
const top = byId("top", HTMLSelectElement);
const status = byId("status");

let about: Health;
let sought: Sought = { kind: "none" };
/** All queries so far, for the browser's Back: its state holds the place in this list. */
const visited: Sought[] = [sought];
let current = new AbortController();

function say(words: string, isFault = false): void {
  status.textContent = words;
  status.classList.toggle("fault", isFault);
}

function paramsOf(): URLSearchParams {
  const params = new URLSearchParams({ top: top.value });
  if (filter.value.trim()) params.set("filter", filter.value.trim());
  if (sought.kind === "none") return params;
  params.set("order", order.value);
  if (Number(radius.value) <= about.bits) params.set("radius", radius.value);
  return params;
}

const counted = (count: number) => `${count} ${count === 1 ? "image" : "images"}`;

/** Shows the query. */
function showQuery(query?: Query): void {
  const picture = byId("query", HTMLImageElement);
  picture.hidden = sought.kind === "none";
  if (sought.kind === "image") {
    picture.src = pictureOf(sought.image, "small");
    picture.alt = sought.image.image;
  } else if (sought.kind === "own") {
    picture.src = sought.picture;
    picture.alt = sought.name;
  }
  const code = byId("code");
  code.hidden = !query;
  if (!query) return;
  byId("code-name").textContent = `Its code, ${query.bits} bits`;
  byId("code-bits").replaceChildren(drawBits(query.code, query.bits));
}

async function answer(signal: AbortSignal): Promise<void> {
  const actions = { like: (image: Listed) => go({ kind: "image", image }), open };
  if (sought.kind === "none") {
    const { images: some } = await images(paramsOf(), signal);
    showQuery();
    show(some, undefined, actions);
    say(
      some.length > 0
        ? `${counted(some.length)} of the index. Choose one to find others like it.`
        : "No class contains this text.",
    );
    return;
  }
  const { nearest, code, bits, milliseconds } =
    sought.kind === "own"
      ? await byOwn(sought, signal)
      : await search({ id: sought.image.id }, paramsOf(), signal);
  const query = { code, bits };
  last = query;
  showQuery(query);
  show(nearest, query, actions);
  say(
    nearest.length > 0
      ? `${counted(nearest.length)}, nearest first, searched in ${milliseconds.toFixed(1)} ms`
      : "No image is as near and of such a class. Allow more bits, or clear the class.",
  );
}

/** The status of outputs whose encoder was replaced with the index. */
const STALE = 409;

/** Searches by a person's image, which is encoded once, and again where the index has another encoder meanwhile. */
async function byOwn(own: { blob: Blob; encoded?: Encoded }, signal: AbortSignal): Promise<Answer> {
  const before = own.encoded;
  own.encoded ??= await encode(own.blob, signal);
  try {
    return await search(own.encoded, paramsOf(), signal);
  } catch (error) {
    if (!before || (error as { status?: number }).status !== STALE) throw error;
    own.encoded = undefined;
    return byOwn(own, signal);
  }
}

/** The code that the tiles were compared with last. */
let last: Query | undefined;
const open = (image: Listed) => view(image, last, (one) => go({ kind: "image", image: one }));

/** Asks again; an answer that is still awaited is dropped. */
async function refresh(): Promise<void> {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  pale();
  try {
    await answer(signal);
  } catch (error) {
    if (signal.aborted) return;
    show([], undefined, { like() {}, open() {} });
    say((error as Error).message, true);
  }
}

/** Searches by something else; Back returns. */
function go(next: Sought): void {
  sought = next;
  history.pushState({ place: visited.push(next) - 1 }, "");
  scrollTo({ top: 0 });
  void refresh();
}

/** Searches by an image of the person's. */
function take(file: Blob | null | undefined, name: string): void {
  if (!file) return;
  if (file.size > MOST_BYTES) {
    say(`${name} is larger than 32 MB.`, true);
    return;
  }
  last = undefined;
  go({ kind: "own", name, blob: file, picture: URL.createObjectURL(file) });
}

function startDrop(): void {
  const drop = byId("drop");
  const input = byId("file", HTMLInputElement);
  input.addEventListener("change", () => {
    take(input.files?.[0], input.files?.[0]?.name ?? "");
    input.value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
    });
  document.addEventListener("drop", ({ dataTransfer }) => {
    const file = dataTransfer?.files[0];
    if (file) take(file, file.name);
    else say("Drop an image file: other pages' images must be saved, or copied and pasted.", true);
  });
  document.addEventListener("paste", (event) => {
    const item = [...(event.clipboardData?.items ?? [])].find(({ type }) => type.startsWith("image/"));
    if (!item) return;
    event.preventDefault();
    take(item.getAsFile(), "the pasted image");
  });
}

function startControls(): void {
  radius.max = String(about.bits + 1); // the last place is "any"
  radius.value = radius.max;
  byId("classes").append(
    ...about.classes
      .filter(Boolean)
      .slice(0, SUGGESTED)
      .map((value) => make("option", { value })),
  );
  let timer = 0;
  byId("controls").addEventListener("input", () => {
    const isAny = Number(radius.value) > about.bits;
    byId("radius-value").textContent = isAny ? "any" : radius.value;
    radius.setAttribute("aria-valuetext", isAny ? "any" : `${radius.value} bits`);
    clearTimeout(timer);
    timer = setTimeout(refresh, SETTLED);
  });
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    const isTyping =
      document.activeElement instanceof HTMLInputElement && document.activeElement.type === "search";
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    filter.focus();
  });
  addEventListener("popstate", ({ state }) => {
    sought = visited[state?.place ?? 0] ?? visited[0];
    void refresh();
  });
}

async function start(): Promise<void> {
  try {
    about = await health();
  } catch (error) {
    say((error as Error).message, true);
    return;
  }
  byId("about").textContent =
    `${about.index}: ${about.images.toLocaleString("en")} images, ${about.bits} bits each`;
  document.title = `${about.index} · Image search`;
  startControls();
  startDrop();
  startViewer();
  walkByKeys();
  history.replaceState({ place: 0 }, "");
  await refresh();
}

void start();
