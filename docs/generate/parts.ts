/** The parts of stages/train/ as their files describe them: the docstring's sections and the default export. */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import type { Loss } from "../../stages/train/loss.ts";
import type { NetworkDefinition } from "../../stages/train/network.ts";
import type { SamplerDefinition } from "../../stages/train/sampler.ts";
import type { PairSelector, TripletSelector } from "../../stages/train/selector.ts";

/** The docstring at the top of a part's file. */
export interface Description {
  /** Its first line. */
  title: string;
  /** Paragraphs, each on one line. */
  text: string[];
  /** The block tag `@equation`, line by line. */
  equation: string;
  /** The block tag `@when`: when to use the part. */
  when: string;
  /** The block tag `@source`: paper and equation. */
  source: string;
}

/** A part with its name and its description. */
export interface Documented<Definition> {
  name: string;
  definition: Definition;
  description: Description;
}

/** All documented parts, each kind sorted by name. */
export interface Parts {
  losses: Documented<Loss>[];
  selectors: Documented<TripletSelector | PairSelector>[];
  samplers: Documented<SamplerDefinition>[];
  networks: Documented<NetworkDefinition>[];
}

const FOLDER = "stages/train";
const SECTIONS = ["equation", "when", "source"] as const;
const LONGEST_TITLE = 80;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

/**
 * Reads the docstring of a part's file.
 * @param file names the file in errors
 * @throws Error when the docstring or one of its sections is missing, or its first line is too long
 */
export function descriptionOf(file: string, text: string): Description {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const [doc] = source.statements.length ? ts.getJSDocCommentsAndTags(source.statements[0]) : [];
  if (!doc || !ts.isJSDoc(doc) || doc.pos !== 0)
    throw new Error(`${file}: no docstring at the top. Begin the file with /** … */.`);
  const sections = new Map(
    (doc.tags ?? []).map((tag) => [tag.tagName.text, ts.getTextOfJSDocComment(tag.comment)?.trim() ?? ""]),
  );
  for (const name of SECTIONS)
    if (!sections.get(name)) throw new Error(`${file}: the docstring has no @${name}. Add it.`);
  const [title, ...paragraphs] = (ts.getTextOfJSDocComment(doc.comment) ?? "").trim().split(/\n\s*\n/);
  if (title === "" || title.length > LONGEST_TITLE)
    throw new Error(
      `${file}: the docstring begins with ${title.length} characters before the first empty line. Write one line of 1 to ${LONGEST_TITLE}.`,
    );
  return {
    title,
    text: paragraphs.map(oneLine),
    equation: sections.get("equation")!,
    when: oneLine(sections.get("when")!),
    source: oneLine(sections.get("source")!),
  };
}

async function readKind<Definition>(kind: string): Promise<Documented<Definition>[]> {
  const files = readdirSync(`${FOLDER}/${kind}`).filter((file) => file.endsWith(".ts"));
  return Promise.all(
    files.sort().map(async (file) => {
      const path = `${FOLDER}/${kind}/${file}`;
      const { default: definition } = await import(pathToFileURL(resolve(path)).href);
      return {
        name: file.slice(0, -3),
        definition,
        description: descriptionOf(path, readFileSync(path, "utf8")),
      };
    }),
  );
}

/** Reads every loss, selector, sampler and network of the project in the current folder. */
export async function readParts(): Promise<Parts> {
  const [losses, selectors, samplers, networks] = await Promise.all([
    readKind<Loss>("losses"),
    readKind<TripletSelector | PairSelector>("selectors"),
    readKind<SamplerDefinition>("samplers"),
    readKind<NetworkDefinition>("networks"),
  ]);
  return { losses, selectors, samplers, networks };
}
