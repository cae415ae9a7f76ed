/** The encoder of the server: a process of its own, so that the server goes on while an image is encoded. */
import { type ChildProcess, fork } from "node:child_process";
import { UserError } from "../../runner/stage.ts";
import { shown } from "../../stages/shared/text.ts";
import type { Answer } from "./encoder-process.ts";
import { LIMITS } from "./limits.ts";
import { Refusal } from "./refusal.ts";

export interface Encoded {
  /** `[bits]` */
  outputs: Float32Array;
  content: Uint8Array;
  /** The hash of the encoder that gave them; absent where a request brought them. */
  encoder?: string;
}

/** The command of search/cli.ts that is the process. */
export const ENCODER_COMMAND = "encode-for-server";
/** The launcher, from the folder of the package, where search/main.mjs runs. */
const LAUNCHER = "search/main.mjs";
/** Images that the process has at the same time: those of a batch, and those of the next. */
const AT_ONCE = 32;
/** Time after which a process that could not start is started again. */
const RESTART_MILLISECONDS = 1000;

interface Job {
  path: string;
  /** Times that the process ended while it had it. */
  crashes: number;
  timer: NodeJS.Timeout;
  resolve: (encoded: Encoded) => void;
  reject: (error: Error) => void;
}

/** Starts the process. */
export type Start = (folder: string) => ChildProcess;

const startProcess: Start = (folder) =>
  fork(LAUNCHER, [ENCODER_COMMAND, folder], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });

export class Encoding {
  private readonly start: Start;
  private readonly limits: typeof LIMITS;
  private folder: string;
  private child?: ChildProcess;
  private isReady = false;
  /** The hash of the encoder that the process opened. */
  private encoder?: string;
  /** Images that are received, wait or are encoded: each lies in a file. */
  private admitted = 0;
  private isClosed = false;
  private next = 0;
  private readonly waiting: Job[] = [];
  /** Images that the process has. */
  private readonly given = new Map<number, Job>();
  private settle?: { resolve: () => void; reject: (error: Error) => void };

  /** @param folder of the index */
  constructor(folder: string, start: Start = startProcess, limits = LIMITS) {
    this.folder = folder;
    this.start = start;
    this.limits = limits;
  }

  /** Starts the process. @throws UserError when it cannot open the encoder */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.launch();
    });
  }

  get state(): "ready" | "starting" {
    return this.isReady ? "ready" : "starting";
  }

  /** Does the work of one image, from its first byte on. @throws Refusal when there are as many as may wait already */
  async admit<T>(work: () => Promise<T>): Promise<T> {
    if (this.admitted >= this.limits.waiting)
      throw new Refusal(503, `${this.limits.waiting} images wait already.`, 1);
    this.admitted++;
    try {
      return await work();
    } finally {
      this.admitted--;
    }
  }

  /** Encodes the image in a file. @throws Refusal */
  encode(path: string): Promise<Encoded> {
    if (this.isClosed) throw new Refusal(503, "The server stops.");
    if (this.waiting.length + this.given.size >= this.limits.waiting)
      throw new Refusal(503, `${this.limits.waiting} images wait already.`, 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.late(job), this.limits.encode);
      const job: Job = { path, crashes: 0, timer, resolve, reject };
      this.waiting.push(job);
      this.pump();
    });
  }

  /** Ends the process and starts one for the index as it is now: its encoder is another. */
  restart(): void {
    this.child?.kill("SIGKILL");
  }

  close(): void {
    this.isClosed = true;
    if (this.child?.connected) this.child.disconnect(); // it ends by itself
    for (const job of [...this.waiting.splice(0), ...this.given.values()])
      this.end(job, () => job.reject(new Refusal(503, "The server stops.")));
    this.given.clear();
  }

  private launch(): void {
    this.child = this.start(this.folder);
    this.child.on("message", (answer: Answer) => this.take(answer));
    this.child.on("error", () => {}); // it ends as well
    this.child.once("exit", () => this.ended());
  }

  private take(answer: Answer): void {
    if (answer.kind === "ready") {
      this.isReady = true;
      this.encoder = answer.encoder;
      this.settle?.resolve();
      this.settle = undefined;
      this.pump();
      return;
    }
    if (answer.kind === "failed") {
      if (!this.settle) console.error(`! serve: ${shown(answer.fault)}`);
      this.settle?.reject(new UserError(answer.fault));
      this.settle = undefined;
      return;
    }
    const job = this.given.get(answer.id);
    this.given.delete(answer.id);
    if (job)
      this.end(job, () =>
        answer.kind === "encoded"
          ? job.resolve({ outputs: answer.outputs, content: answer.content, encoder: this.encoder })
          : job.reject(new Refusal(answer.status, answer.fault)),
      );
    this.pump();
  }

  private end(job: Job, tell: () => void): void {
    clearTimeout(job.timer);
    tell();
  }

  /** Hands images to the process. After a crash one at a time, until it is known which image it was. */
  private pump(): void {
    if (!this.isReady) return;
    const isSuspect = [...this.given.values(), ...this.waiting].some(({ crashes }) => crashes > 0);
    while (this.waiting.length > 0 && this.given.size < (isSuspect ? 1 : AT_ONCE)) {
      const job = this.waiting.shift()!;
      const id = this.next++;
      this.given.set(id, job);
      this.child!.send({ id, path: job.path });
    }
  }

  /** An image took too long: the process is busy with it, and ends. */
  private late(job: Job): void {
    const place = this.waiting.indexOf(job);
    if (place >= 0) this.waiting.splice(place, 1);
    const given = [...this.given].find(([, one]) => one === job);
    if (given) this.given.delete(given[0]);
    job.reject(new Refusal(504, `The image was not encoded within ${this.limits.encode / 1000} s.`));
    if (given) this.child?.kill("SIGKILL");
  }

  /** The process has ended: what it had is tried again, alone; an image that ended it alone is refused. */
  private ended(): void {
    if (this.isClosed) return;
    const wasReady = this.isReady;
    this.isReady = false;
    if (this.settle) {
      this.settle.reject(new UserError("serve: the process that encodes images ended at its start."));
      this.settle = undefined;
      return;
    }
    const alone = this.given.size === 1;
    for (const [id, job] of [...this.given].reverse()) {
      this.given.delete(id);
      if (++job.crashes > 1 && alone)
        this.end(job, () =>
          job.reject(new Refusal(422, "The image cannot be decoded: its decoder crashed.")),
        );
      else this.waiting.unshift(job);
    }
    setTimeout(() => this.isClosed || this.launch(), wasReady ? 0 : RESTART_MILLISECONDS);
  }
}
