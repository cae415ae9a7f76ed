/** How long a run will still take, as its display shows it. */
import { Forecast } from "../inspect/index.ts";
import type { Plan, Task } from "../plan/index.ts";
import type { StageRecord, Store } from "../store/index.ts";
import type { RunProgress } from "./progress.ts";

/** Milliseconds that an estimate is kept: in a large study it takes some to compute. */
const FRESH_MILLISECONDS = 5000;

/** The time that the open stages of a plan need, by the records of past runs and of this one. */
export class TimeLeft {
  private readonly forecast: Forecast;
  private last?: { at: number; left: RunProgress["left"] };

  /** @param cores that the stages share */
  constructor(plan: Plan, store: Store, cores: number) {
    this.forecast = new Forecast(plan, store, cores);
  }

  learn(record: StageRecord): void {
    this.forecast.learn(record);
  }

  /**
   * The time left; undefined where no open stage was ever timed.
   * @param now milliseconds of a clock, @param spent seconds that a running stage has taken
   */
  at(now: number, spent: (task: Task) => number): RunProgress["left"] {
    if (this.last && now - this.last.at < FRESH_MILLISECONDS) {
      const { at, left } = this.last;
      return left && { ...left, seconds: Math.max(0, left.seconds - (now - at) / 1000) };
    }
    const { seconds, untimed } = this.forecast.left(spent);
    const left = seconds > 0 ? { seconds, atLeast: untimed > 0 } : undefined;
    this.last = { at: now, left };
    return left;
  }
}
