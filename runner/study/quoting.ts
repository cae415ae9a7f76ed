/** The quoting at each place of a shell text: in quotes, in a here-document, in arithmetic. */

/**
 * The form of a value at a place: a `word` of its own, part of a text between double quotes (or of a
 * here-document), or `none`: there the shell fills in nothing, or takes a text for a sum.
 */
export type Place = { kind: "word" | "text" } | { kind: "none"; why: string };

interface Frame {
  kind: "shell" | "double" | "single" | "escaped" | "comment" | "sum" | "document";
  /** Its end; of a here-document the line. */
  end: string;
  /** Of a here-document whose delimiter is quoted; of one that begins with <<-. */
  raw?: boolean;
  tabs?: boolean;
}

const WHY: Partial<Record<Frame["kind"], string>> = {
  single: "is in single quotes, where the shell fills in nothing",
  escaped: "is in single quotes, where the shell fills in nothing",
  sum: "is in arithmetic, which would run what it holds",
  document: "is in a here-document whose delimiter is quoted, where the shell fills in nothing",
};

/** `<<WORD`, `<<-WORD`, `<<'WORD'` */
const DOCUMENT = /^<<(-?)[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|(\\?)([^\s'"\\;&|()<>]+))/;
/** No delimiter is longer. */
const LONGEST_DELIMITER = 200;

/** The openings within shell, and within double quotes as well. */
const OPENINGS: [text: string, frame: Frame][] = [
  ["$((", { kind: "sum", end: "))" }],
  ["$[", { kind: "sum", end: "]" }],
  ["$(", { kind: "shell", end: ")" }],
  ["${", { kind: "shell", end: "}" }],
  ["`", { kind: "shell", end: "`" }],
];
const SHELL_OPENINGS: [text: string, frame: Frame][] = [
  ["$'", { kind: "escaped", end: "'" }],
  ["'", { kind: "single", end: "'" }],
  ['"', { kind: "double", end: '"' }],
  ["((", { kind: "sum", end: "))" }],
  ["(", { kind: "shell", end: ")" }],
];

/**
 * Follows a text of bash from quote to quote. It knows no grammar: where it errs, a value is split into words or
 * is there as the name of its variable, but is never run (see command.ts).
 */
export class ShellText {
  private readonly frames: Frame[] = [{ kind: "shell", end: "" }];
  /** Here-documents that begin with the next line. */
  private waiting: Frame[] = [];
  private line = "";
  private before = "\n";

  private get frame(): Frame {
    return this.frames.at(-1)!;
  }

  /** The form of a value at this place; reading goes on behind it. */
  value(): Place {
    this.line += "\0";
    this.before = "\0";
    const { kind, end, raw } = this.frame;
    if (kind === "document") return raw ? { kind: "none", why: WHY.document! } : { kind: "text" };
    if (WHY[kind]) return { kind: "none", why: WHY[kind] };
    // ${x:-HERE} has the quoting around it.
    const around = end === "}" ? this.frames.findLast((one) => one.end !== "}")! : this.frame;
    return { kind: around.kind === "double" || around.kind === "document" ? "text" : "word" };
  }

  /** Reads on. */
  read(text: string): void {
    for (let at = 0; at < text.length; ) {
      const length = this.step(text, at);
      this.line = text[at] === "\n" ? "" : this.line + text.slice(at, at + length);
      this.before = text[at + length - 1];
      at += length;
    }
  }

  /** Reads the text at a place. @returns its number of characters */
  private step(text: string, at: number): number {
    const { kind, end } = this.frame;
    const starts = (word: string) => text.startsWith(word, at);
    if (starts("\n")) return this.newLine();
    if (kind === "comment") return 1;
    if (kind === "single") return this.close(starts(end), 1);
    if (starts("\\") && !(kind === "document" && this.frame.raw)) return 2;
    if (kind === "escaped" || kind === "double" || (kind === "shell" && end))
      if (starts(end)) return this.close(true, end.length);
    if (kind === "sum" && starts("(")) return this.open({ kind: "sum", end: ")" }, 1);
    if (kind === "sum") return this.close(starts(end), starts(end) ? end.length : 1);
    if (kind === "escaped" || (kind === "document" && this.frame.raw)) return 1;
    const shell = kind === "shell" && !(end === "}" && this.inText());
    if (shell && starts("#") && /[\s;&|()]/.test(this.before))
      return this.open({ kind: "comment", end: "" }, 1);
    if (shell && starts("<<<")) return 3;
    if (shell && starts("<<")) return this.openDocument(text.slice(at, at + LONGEST_DELIMITER));
    const quote: [string, Frame] = ['"', { kind: "double", end: '"' }];
    for (const [opening, frame] of [
      ...OPENINGS,
      ...(shell ? SHELL_OPENINGS : kind === "shell" ? [quote] : []),
    ])
      if (starts(opening)) return this.open(frame, opening.length);
    return 1;
  }

  private inText(): boolean {
    const around = this.frames.findLast((one) => one.end !== "}")!;
    return around.kind !== "shell";
  }
  private open(frame: Frame, length: number): number {
    this.frames.push(frame);
    return length;
  }
  private close(closes: boolean, length: number): number {
    if (closes) this.frames.pop();
    return length;
  }
  private openDocument(text: string): number {
    const [all, tabs, single, double, backslash, word] = DOCUMENT.exec(text) ?? [];
    if (all === undefined) return 2;
    const raw = word === undefined || backslash === "\\";
    this.waiting.push({ kind: "document", end: single ?? double ?? word, raw, tabs: tabs === "-" });
    return all.length;
  }
  private newLine(): number {
    if (this.frame.kind === "comment") this.frames.pop();
    const { kind, end, tabs } = this.frame;
    if (kind === "document" && (tabs ? this.line.replace(/^\t+/, "") : this.line) === end) this.frames.pop();
    else if (kind === "shell" && this.waiting.length) {
      this.frames.push(...this.waiting.reverse());
      this.waiting = [];
    }
    return 1;
  }
}
