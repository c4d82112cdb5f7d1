// Whether other programs ran during a measurement. Read from /proc; elsewhere the machine counts as quiet.
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const ticksPerSecond = 100; // of /proc, on every architecture that Linux reports to user space
const known = existsSync("/proc/stat");
/** Cores' worth of other programs from which on a measurement is disturbed. */
const disturbing = 0.1;

/** Starts watching; the answer is how many cores other programs than this one, its ended children and `pids` have used since. */
export function watchOthers(pids = []) {
  const start = snapshot(pids);
  return () => {
    const end = snapshot(pids);
    const seconds = (end.ms - start.ms) / 1000;
    return Math.max(0, end.busy - start.busy - (end.own - start.own)) / ticksPerSecond / seconds;
  };
}

/**
 * Measures while the machine is otherwise idle: waits for that, and measures again when other programs ran meanwhile.
 * Once `patience.seconds` are used up, what is measured counts, and `patience.disturbed` says how often that was so.
 */
export async function undisturbed(patience, pids, measure) {
  for (;;) {
    const before = performance.now();
    for (let quiet = false; !quiet && patience.seconds > 0; ) {
      const others = watchOthers(pids);
      await sleep(300);
      quiet = others() < disturbing;
      if (!quiet) patience.seconds -= 0.3;
    }
    const others = watchOthers(pids);
    const result = await measure();
    if (others() < disturbing) return result;
    patience.seconds -= (performance.now() - before) / 1000;
    if (patience.seconds > 0) continue;
    patience.disturbed++;
    return result;
  }
}

function snapshot(pids) {
  if (!known) return { ms: performance.now(), busy: 0, own: 0 };
  // user nice system idle iowait irq softirq steal
  const [user, nice, system, , , irq, softirq, steal] = readFileSync("/proc/stat", "utf8")
    .split("\n", 1)[0]
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const own = [["self", 4], ...pids.map((pid) => [pid, 2])].map(([pid, fields]) => used(pid, fields));
  return {
    ms: performance.now(),
    busy: user + nice + system + irq + softirq + steal,
    own: own.reduce((a, b) => a + b),
  };
}

/** utime + stime, and with four fields cutime + cstime: those of ended children. */
function used(pid, fields) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const after = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  return after.slice(11, 11 + fields).reduce((a, b) => a + b);
}
