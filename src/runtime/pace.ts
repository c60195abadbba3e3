/**
 * Lets so many callers go on in each turn of the event loop, in the order in which they came. The rest waits for one in
 * which timers and sockets have had their say.
 */
export function createPace(eachTurn: number): () => Promise<void> {
  let waiting: (() => void)[] = [];
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(letGoOn);
  }

  function letGoOn(): void {
    isScheduled = false;
    const first = waiting.slice(0, eachTurn);
    waiting = waiting.slice(eachTurn);
    if (waiting.length > 0) schedule();
    for (const goOn of first) goOn();
  }

  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      schedule();
    });
}
