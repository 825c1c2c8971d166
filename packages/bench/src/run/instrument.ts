import { measureRecording } from "../measure/recorder.js";
import { measureClock, systemClock, type Clock } from "../plan/clock.js";
import type { Instrument } from "../record/index.js";

/** Measures the measuring instrument on this machine. Blocks the thread for some milliseconds. */
export function measureInstrument(clock: Clock = systemClock): Instrument {
  return {
    clock: clock.name,
    ...measureClock(clock),
    recordingNanoseconds: measureRecording(clock),
  };
}
