// What the two clients that are JavaScript share: the loops, and the report.
const SHARE_MS = 200;

/**
 * Runs the loops until stdin ends, and prints the report. `ask(kind, name)` resolves to the body of the answer and rejects
 * for whatever is none. Busy loops ask without a pause, thoughtful ones with one of up to 200 ms, fresh ones every 10 ms.
 */
export async function run(letter, counts, ask) {
  const report = {
    requests: 0,
    failed: {},
    kept: (counts.busy ?? 0) + (counts.thoughtful ?? 0),
    ports: 0,
    fresh: 0,
    longestMs: 0,
  };
  const ports = new Set();
  let isOver = false;
  let serial = 0;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const loop = async (kind) => {
    while (!isOver) {
      const name = `${letter}${serial++}`;
      const since = performance.now();
      try {
        const [echo, , port] = (await ask(kind, name)).split(' ');
        if (echo !== name) throw new Error(`asked ${name}, answered ${echo}`);
        report.requests++;
        if (kind === 'fresh') report.fresh++;
        else ports.add(port);
      } catch (error) {
        const what = error.cause?.code ?? error.code ?? error.message;
        report.failed[what] = (report.failed[what] ?? 0) + 1;
        await pause(10);
      }
      report.longestMs = Math.max(report.longestMs, performance.now() - since);
      if (kind === 'thoughtful') await pause(Math.random() * SHARE_MS);
      if (kind === 'fresh') await pause(10);
    }
  };
  process.stdin.resume().on('end', () => {
    isOver = true;
  });
  const clock = setInterval(() => console.log(report.requests), 100);
  await Promise.all(Object.entries(counts).flatMap(([kind, count]) => Array.from({ length: count }, () => loop(kind))));
  clearInterval(clock);
  console.log(JSON.stringify({ ...report, ports: ports.size }));
  process.exit();
}
