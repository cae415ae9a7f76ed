/** The JSON Schema (draft-07) of a record: the same for the store's own and for those of a shared cache. */

const text = { type: "string" };
const number = { type: "number" };
const hash = { type: "string", pattern: "^[0-9a-f]{64}$" };
const map = (value: object) => ({ type: "object", additionalProperties: value });
const list = (items: object) => ({ type: "array", items });
/** Members that a later version adds are left alone. */
const object = (properties: Record<string, object>, ...optional: string[]) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

const output = object(
  {
    hash,
    bytes: { type: "integer", minimum: 0 },
    measured: { type: "boolean" },
    files: list({ type: "array", items: [text, hash, { const: "x" }], minItems: 2, additionalItems: false }),
    folders: list(text),
  },
  "files",
  "folders",
);

const origin = {
  anyOf: [
    object({ file: text }),
    object({ id: text, output: text, key: { type: "string", pattern: "^([0-9a-f]{64})?$" } }),
  ],
};

export const RECORD_SCHEMA = object(
  {
    key: hash,
    id: text,
    stage: text,
    code: text,
    packages: list(text),
    parts: map(object({ name: text, code: text, params: map({}) })),
    params: map({}),
    inputs: map(list(object({ hash, id: text }, "id"))),
    env: map({ anyOf: [text, object({ from: text })] }),
    from: map(list(origin)),
    run: object(
      {
        profile: text,
        settings: list(text),
        revision: object({ commit: text, changed: { type: "boolean" } }),
      },
      "revision",
    ),
    outputs: map(output),
    notes: map({ anyOf: [text, number, { type: "boolean" }, { type: "null" }] }),
    machine: object({ host: text, node: text, cpu: text, cores: number }),
    ended: text,
    seconds: number,
    peakMegabytes: number,
    by: { type: "string", pattern: "^ed25519:[A-Za-z0-9_-]{43}$" },
  },
  "env",
  "from",
  "run",
  "by",
);
