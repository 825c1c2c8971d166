import { TokenRecorder, type TokenTimes } from "../measure/recorder.js";

/** A recorder that remembers when the run's call was made, so that its times join other clocks' events. */
export class ObservingRecorder extends TokenRecorder {
  #startNanoseconds = 0;

  /** The reading of the clock that the last run's times are relative to. */
  get startNanoseconds(): number {
    return this.#startNanoseconds;
  }

  override since(startNanoseconds: number): TokenTimes {
    this.#startNanoseconds = startNanoseconds;
    return super.since(startNanoseconds);
  }
}
