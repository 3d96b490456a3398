// @ts-check
// First step of `npm start`, `npm test` and the like. It runs on whatever Node the host has, before anything is
// installed, so it must parse on old versions: the real work is imported only after the version is known to do.

const [major = 0] = process.versions.node.split('.').map(Number);

if (major < 20) {
  console.error(
    `Rowhouse needs Node 20 or newer to install itself; this is Node ${process.versions.node}. ` +
      'Install a current Node (https://nodejs.org) and run the command again.',
  );
  process.exitCode = 1;
} else {
  const { installMissingPackages } = await import('./installed-packages.mjs');
  process.exitCode = await installMissingPackages(process.cwd());
}
