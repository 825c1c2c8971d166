// Loaded before a process that measures: its clock and its readings of the machine are known numbers, the
// same in each process, however long anything takes.
let state = 12345;
let milliseconds = 0;

function draw() {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state / 0x7fffffff;
}

Object.defineProperty(performance, "now", {
  value: () => {
    // Whole nanoseconds, as the raw samples hold them.
    milliseconds += (200 + Math.floor(draw() * 1000)) / 1e6;
    return milliseconds;
  },
});
Object.defineProperty(performance, "eventLoopUtilization", {
  value: () => ({ idle: 0, active: 0, utilization: 0.5 }),
});
process.cpuUsage = () => ({ user: 1000, system: 100 });
process.memoryUsage = () => ({
  rss: 1e6,
  heapTotal: 1e6,
  heapUsed: 1e5,
  external: 1e4,
  arrayBuffers: 1e3,
});
