/** The same work on several cores: the stage's own bundle, loaded once more in each worker thread. */
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";

/** Work in blocks. A block writes only to memory that the threads share. */
export type BlockWork<Job> = (job: Job) => Promise<(block: number) => void>;

interface Shared<Job> {
  work: string;
  job: Job;
  blocks: number;
  /** Next block to take; blocks done. */
  counters: Int32Array;
}

/** A typed array of `length` zeros in memory that threads share. */
export function shared<T>(
  array: { new (buffer: SharedArrayBuffer): T; BYTES_PER_ELEMENT: number },
  length: number,
): T {
  return new array(new SharedArrayBuffer(array.BYTES_PER_ELEMENT * length));
}

const works = new Map<string, BlockWork<never>>();

async function take<Job>(work: BlockWork<Job>, { job, blocks, counters }: Shared<Job>): Promise<void> {
  const run = await work(job);
  for (let block = Atomics.add(counters, 0, 1); block < blocks; block = Atomics.add(counters, 0, 1)) {
    run(block);
    Atomics.add(counters, 1, 1);
  }
}

/**
 * Registers work under a name. Call it at the top level of a module: in a worker thread, it starts the work.
 * @param prepare called once in each thread, gives what does one block
 */
export function defineWork<Job>(name: string, prepare: BlockWork<Job>): void {
  works.set(name, prepare as BlockWork<never>);
  if (!isMainThread && workerData?.work === name) void take(prepare, workerData as Shared<Job>);
}

/** A thread loads the bundle and its packages once more: half a second of a core before its first block. */
const START_SECONDS = 0.5;

/**
 * How many threads are worth it: each has more to do than its start takes.
 * @param seconds that all blocks take on one core, roughly; @param most cores that may be used
 */
export const threadsFor = (seconds: number, most: number): number =>
  Math.max(1, Math.min(most, Math.floor(seconds / START_SECONDS)));

/**
 * Does all blocks, each once, in any order.
 * @param job is copied to each thread; a SharedArrayBuffer in it is shared
 * @param url of the bundle that holds the work: `import.meta.url`
 * @param threads 1: in this thread
 */
export async function inThreads<Job>(
  name: string,
  job: Job,
  blocks: number,
  threads: number,
  url: string,
  onProgress: (blocks: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const counters = new Int32Array(new SharedArrayBuffer(8));
  const shared: Shared<Job> = { work: name, job, blocks, counters };
  if (threads === 1) {
    const run = await (works.get(name) as BlockWork<Job>)(job);
    for (let block = 0; block < blocks; block++) {
      signal.throwIfAborted();
      run(block);
      onProgress(block + 1);
    }
    return;
  }
  const workers = Array.from({ length: threads }, () => new Worker(new URL(url), { workerData: shared }));
  let running = true;
  const ends = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        worker.once("error", reject);
        worker.once("exit", (code) => (code ? reject(new Error(`a thread ended with ${code}`)) : resolve()));
      }),
  );
  const watch = async () => {
    while (running) {
      onProgress(Atomics.load(counters, 1));
      await Promise.race([sleep(250), Promise.all(ends)]);
    }
  };
  const cancel = () => Atomics.store(counters, 0, blocks); // every thread ends after its block
  signal.addEventListener("abort", cancel, { once: true });
  try {
    await Promise.all([
      Promise.all(ends).finally(() => {
        running = false;
      }),
      watch(),
    ]);
  } finally {
    signal.removeEventListener("abort", cancel);
    for (const worker of workers) void worker.terminate();
  }
  signal.throwIfAborted();
  onProgress(blocks);
}
