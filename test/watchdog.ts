// Loaded into every test process before its file. The runner's own timeout ends a test, not a process that something
// left open keeps alive; without this, one forgotten server would hold up the whole run.

const limitMs = 150_000;

setTimeout(() => {
  const open = process.getActiveResourcesInfo().join(', ') || 'nothing known';
  process.stderr.write(`${process.argv[1]} did not end within ${limitMs / 1000} s. Still open: ${open}\n`);
  process.exit(70);
}, limitMs).unref();
