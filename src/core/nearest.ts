/** Those of `candidates` that someone who wrote `given` may have meant, best first, at most three. */
export function nearest(given: string, candidates: readonly string[]): readonly string[] {
  const most = Math.max(2, Math.floor(given.length / 4));
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: distanceTo(given, candidate) }))
    .filter(({ distance }) => distance <= most)
    .sort((left, right) => left.distance - right.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

function distanceTo(given: string, candidate: string): number {
  const [short, long] = [given.toLowerCase(), candidate.toLowerCase()];
  if (short.length >= 3 && long.includes(short)) return 0; // a part that was copied
  return editDistance(short, long);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substituted = at(row, j - 1) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, at(row, j) + 1, at(next, j - 1) + 1));
    }
    row = next;
  }
  return at(row, right.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
