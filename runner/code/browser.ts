/**
 * Scripts for a browser: `import script from "./main.ts?browser"` gives main.ts with all that it imports, packages
 * too, as one text. So a page that a stage writes holds its code, and the stage's key covers it.
 */
import { join, relative } from "node:path";
import type { Metafile, Plugin } from "esbuild";

/** How such an import ends. */
export const BROWSER = /\?browser$/;
/** esbuild's name for what it loaded by the plugin, in its list of files. */
const NAMESPACE = "browser";

/** A script and the files it was made of, paths from the project's folder; packages' files are left out. */
export interface BrowserScript {
  text: string;
  files: string[];
}

/** The files that a build read. */
export const bundledFiles = ({ inputs }: Metafile): string[] =>
  Object.keys(inputs).filter((file) => !file.startsWith(`${NAMESPACE}:`));

/** Those of them that belong to the project. */
export const projectFiles = (metafile: Metafile): string[] =>
  bundledFiles(metafile).filter((file) => !file.split("/").includes("node_modules"));

/**
 * Bundles one entry for a browser.
 * @param file absolute path of the entry
 * @throws esbuild's error, with the place of the fault
 */
export async function browserScript(file: string, root: string): Promise<BrowserScript> {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    entryPoints: [file],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    logLevel: "silent",
    outdir: "out",
  });
  return { text: outputFiles[0].text, files: projectFiles(metafile) };
}

/** Lets esbuild take such imports. @param files gains what the scripts were made of */
export function browserScripts(root: string, files: Set<string>): Plugin {
  return {
    name: NAMESPACE,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: BROWSER }, ({ path, resolveDir }) => ({
        path: relative(root, join(resolveDir, path.replace(BROWSER, ""))),
        namespace: NAMESPACE,
      }));
      onLoad({ filter: /./, namespace: NAMESPACE }, async ({ path }) => {
        try {
          const script = await browserScript(join(root, path), root);
          for (const file of script.files) files.add(file);
          return { contents: script.text, loader: "text" };
        } catch (error) {
          const { errors } = error as { errors?: [] };
          if (!errors) throw error;
          return { errors };
        }
      });
    },
  };
}
