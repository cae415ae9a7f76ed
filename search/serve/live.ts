/** The index that is served: opened again when another process has replaced it, by `index update` for one. */

import { FILES, readRecipe } from "../../stages/shared/search-index.ts";
import { Nearest } from "../nearest.ts";
import { type Index, openWith } from "../opened.ts";
import { PixelTable } from "../pixels.ts";

/** An index in one version. */
export interface Opened {
  index: Index;
  nearest: Nearest;
  /** Begins the ids of its images: in another version, an image has another row. */
  version: string;
  /** Of a data set: its images. */
  table?: PixelTable;
}

/** Characters of a version. */
const VERSION = 8;
/** Milliseconds between two looks at index.json. */
const EVERY = 1000;
/** Milliseconds after which the images of an earlier version are closed. */
const CLOSED_AFTER = 30_000;

async function openAt(folder: string): Promise<Opened> {
  const [index, table] = await openWith(folder, async ({ recipe, files }) =>
    recipe.roots ? undefined : PixelTable.open(await files.path(FILES.pixels)),
  );
  return { index, nearest: new Nearest(index), version: index.recipe.files.slice(0, VERSION), table };
}

export class Live {
  readonly folder: string;
  private opened: Opened;
  private looked = performance.now();
  private opening?: Promise<void>;
  /** Why the newer index could not be opened, as told last. */
  private fault = "";
  private readonly onEncoder: () => void;

  private constructor(folder: string, opened: Opened, onEncoder: () => void) {
    this.folder = folder;
    this.opened = opened;
    this.onEncoder = onEncoder;
  }

  /**
   * Opens an index.
   * @param onEncoder called when the index has another encoder than before
   * @throws UserError as {@link openWith} does
   */
  static async open(folder: string, onEncoder: () => void): Promise<Live> {
    return new Live(folder, await openAt(folder), onEncoder);
  }

  /** The index as it is. While a newer one is opened, and if that fails, the one before. */
  get current(): Opened {
    const now = performance.now();
    if (!this.opening && now - this.looked > EVERY) {
      this.looked = now;
      this.opening = this.refresh().finally(() => {
        this.opening = undefined;
      });
    }
    return this.opened;
  }

  async close(): Promise<void> {
    await this.opening;
    await this.opened.table?.close();
  }

  private async refresh(): Promise<void> {
    try {
      const { files, encoder } = this.opened.index.recipe;
      const { table } = this.opened;
      if (readRecipe(this.folder).files === files) return;
      this.opened = await openAt(this.folder);
      setTimeout(() => void table?.close(), CLOSED_AFTER).unref(); // requests may be reading it
      if (this.opened.index.recipe.encoder !== encoder) this.onEncoder();
      this.fault = "";
      console.error(`${this.folder}: opened again, ${this.opened.index.codes.rows} images.`);
    } catch (error) {
      // It is being replaced, or removed, or it is corrupt: the open one is served on.
      const { message } = error as Error;
      if (message !== this.fault) console.error(`! serve: ${message} The index opened before is served on.`);
      this.fault = message;
    }
  }
}
