/** A name with `*` for any run of characters, as a pattern that ignores case. */
export function globPattern(glob: string): RegExp {
  const escaped = glob.replace(/[\\^$.|?+()[\]{}]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${escaped}$`, "is");
}
