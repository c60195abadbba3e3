// Imported first: on Node 22, `node:sqlite` and type stripping announce on stderr that they are experimental.
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  if (warning.name !== "ExperimentalWarning") process.stderr.write(`${warning.stack ?? warning.message}\n`);
});
