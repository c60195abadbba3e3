/** Keeps a map at `most` entries: of one too many, the one that was put in first goes. */
export function dropOldest(map: Map<unknown, unknown>, most: number): void {
  if (map.size <= most) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
