/** The interface of the server, as OpenAPI 3.1 describes it. Requests are checked against its schemas. */
import { MOST_BITS } from "../../stages/shared/artifacts/codes.ts";
import { LIMITS } from "./limits.ts";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string) => ({ "application/json": { schema: ref(name) } });
const answer = (description: string, name: string) => ({ description, content: json(name) });
const faults = (...statuses: number[]) =>
  Object.fromEntries(statuses.map((status) => [status, answer(REASONS[status], "Fault")]));

const REASONS: Record<number, string> = {
  400: "The request is invalid.",
  401: "The token is missing or wrong.",
  404: "There is no such image.",
  409: "The outputs are of another encoder than the index.",
  413: "The body is too large.",
  415: "The body is neither an image nor JSON.",
  422: "The image cannot be decoded.",
  429: "Too many requests.",
  503: "Too many images wait for the encoder.",
  504: "Encoding the image took too long.",
};

const whole = (minimum: number, maximum: number, extra: object = {}) => ({
  type: "integer",
  minimum,
  maximum,
  ...extra,
});
const text = (description: string, extra: object = {}) => ({ type: "string", description, ...extra });
const ENCODER = text("The hash of the encoder that made the outputs.", { pattern: "^[0-9a-f]{64}$" });
const CODE = text("The bits in hexadecimal: bit j is bit j mod 8, the lowest first, of byte j / 8.");
const CONTENT = text("The first 16 bytes of the sha256 of the pixels, in hexadecimal.", {
  pattern: "^[0-9a-f]{32}$",
});
const OUTPUTS = {
  type: "array",
  description: "The real values whose signs are the bits.",
  items: { type: "number" },
  maxItems: MOST_BITS,
};
const IMAGE_BODY = { "image/*": {}, "application/octet-stream": {} };

const parameter = (name: string, description: string, schema: object) => ({
  name,
  in: "query",
  description,
  schema,
});
const FILTER = [
  parameter("class", "only images of this class; may be repeated", {
    type: "array",
    items: { type: "string" },
  }),
  parameter("filter", "only images whose class contains this text, in upper or lower case", {
    type: "string",
    maxLength: LIMITS.filter,
  }),
];
const TOP = parameter("top", "most images", whole(1, LIMITS.top, { default: 10 }));

const object = (properties: Record<string, object>, required = Object.keys(properties)) => ({
  type: "object",
  additionalProperties: false,
  required,
  properties,
});

const LISTED = {
  id: text("For GET /image/{id}, until the index changes."),
  image: text("The name of the image: its path below the folder of the index."),
  class: text("The folder of the image, or its label."),
};

const SCHEMAS = {
  Fault: object({ error: text("The reason, and the next step.") }),
  Health: object({
    status: { const: "ok" },
    index: text("The name of the index."),
    images: whole(0, Number.MAX_SAFE_INTEGER),
    bits: whole(1, MOST_BITS),
    classes: { type: "array", items: { type: "string" } },
    encoder: { enum: ["ready", "starting"] },
  }),
  Encoded: object({
    bits: whole(1, MOST_BITS),
    code: CODE,
    outputs: OUTPUTS,
    content: CONTENT,
    encoder: ENCODER,
  }),
  /** A query as JSON. */
  SearchBy: {
    oneOf: [
      object({ id: text("An image of the index.", { maxLength: 32 }) }),
      object({ outputs: OUTPUTS, content: CONTENT, encoder: ENCODER }, ["outputs"]),
    ],
  },
  Listed: object(LISTED),
  Found: object({
    ...LISTED,
    score: { type: "number", minimum: 0, maximum: 1, description: "1 is nearest." },
    distance: whole(0, MOST_BITS, { description: "Bits in which the codes differ." }),
    output_distance: { type: "number", description: "1 - cos of the outputs." },
    same: { type: "boolean", description: "Whether the image has exactly the query's pixels." },
    ties: whole(1, Number.MAX_SAFE_INTEGER, { description: "Images of the index at this distance." }),
    code: CODE,
  }),
  Images: object({ images: { type: "array", items: ref("Listed") } }),
  Answer: object({
    milliseconds: { type: "number", minimum: 0 },
    bits: whole(1, MOST_BITS),
    code: CODE,
    nearest: { type: "array", description: "Nearest first.", items: ref("Found") },
  }),
};

export const OPENAPI = {
  openapi: "3.1.0",
  info: {
    title: "DeepHash image search",
    version: "1",
    description:
      "Finds the images of an index that are nearest to an image. Where the server asks for a token, send it as Authorization: Bearer TOKEN.",
  },
  security: [{}, { token: [] }],
  paths: {
    "/health": {
      get: {
        summary: "The index that is served",
        responses: { 200: answer("It is.", "Health"), ...faults(401, 429) },
      },
    },
    "/search": {
      post: {
        summary: "Find the nearest images",
        parameters: [
          TOP,
          parameter("radius", "most bits in which a code may differ", whole(0, MOST_BITS)),
          ...FILTER,
          parameter("order", "by differing bits, equal ones by the outputs; or by the outputs alone", {
            enum: ["bits", "outputs"],
            default: "bits",
          }),
          parameter("all_ties", "beyond top, all images as near as the last one, up to 1000 in all", {
            type: "boolean",
            default: false,
          }),
        ],
        requestBody: { required: true, content: { ...IMAGE_BODY, ...json("SearchBy") } },
        responses: {
          200: answer("The nearest images.", "Answer"),
          ...faults(400, 401, 404, 409, 413, 415, 422, 429, 503, 504),
        },
      },
    },
    "/encode": {
      post: {
        summary: "The code of an image",
        requestBody: { required: true, content: IMAGE_BODY },
        responses: {
          200: answer("Its code, and the values behind it.", "Encoded"),
          ...faults(400, 401, 413, 415, 422, 429, 503, 504),
        },
      },
    },
    "/images": {
      get: {
        summary: "Some images of the index, evenly spaced",
        parameters: [TOP, ...FILTER],
        responses: { 200: answer("The images.", "Images"), ...faults(400, 401, 429) },
      },
    },
    "/image/{id}": {
      get: {
        summary: "A picture of an image of the index",
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          parameter("size", "at most 320 or 1600 pixels on a side", {
            enum: ["small", "large"],
            default: "large",
          }),
        ],
        responses: {
          200: { description: "The picture.", content: { "image/webp": {} } },
          ...faults(400, 401, 404, 429),
        },
      },
    },
    "/openapi.json": {
      get: {
        summary: "This description",
        responses: { 200: { description: "OpenAPI 3.1.", content: { "application/json": {} } } },
      },
    },
  },
  components: {
    schemas: SCHEMAS,
    securitySchemes: { token: { type: "http", scheme: "bearer" } },
  },
};
