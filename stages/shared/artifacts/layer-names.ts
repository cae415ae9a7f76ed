/** The names that tfjs gives to layers and models: it counts all of a process, here those of one model alone are counted. */

/** Automatic names of an input, a model, and a layer (`dense_Dense3`), with the number at the end. */
const AUTOMATIC = /^((?:input|model|container|sequential_)|[a-z0-9_]+_[A-Z][A-Za-z0-9]*?)(\d+)$/;

/** Every string of a tree of JSON, changed. */
function withStrings(tree: unknown, change: (text: string, key: string) => string, key = ""): unknown {
  if (typeof tree === "string") return change(tree, key);
  if (Array.isArray(tree)) return tree.map((one) => withStrings(one, change, key));
  if (tree === null || typeof tree !== "object") return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [name, withStrings(value, change, name)]),
  );
}

/**
 * Counts the automatic names in a model's topology from 1 for each kind, in their order, as in a process that made nothing
 * else: its file then does not depend on what the process did before. Names that somebody chose stay.
 * @param weights names of its weights, `LAYER/WEIGHT`
 */
export function renumbered(topology: object, weights: string[]): { topology: object; weights: string[] } {
  const found = new Map<string, Set<number>>();
  withStrings(topology, (text, key) => {
    const [, kind, number] = (key === "name" && AUTOMATIC.exec(text)) || [];
    if (kind) found.set(kind, (found.get(kind) ?? new Set()).add(Number(number)));
    return text;
  });
  const names = new Map<string, string>();
  for (const [kind, numbers] of found)
    for (const [index, number] of [...numbers].sort((a, b) => a - b).entries())
      names.set(kind + number, kind + (index + 1));
  const renamed = (text: string) => names.get(text) ?? text;
  return {
    topology: withStrings(topology, renamed) as object,
    weights: weights.map((name) => name.replace(/^[^/]+/, renamed)),
  };
}
