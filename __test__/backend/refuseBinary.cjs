// Loaded before anything else: the operating system cannot load our binary in this process.
const { dlopen } = process;

process.dlopen = function refuse(module, file, ...flags) {
  if (file.includes('backstage-azure-devops-native.')) {
    throw new Error(`${file}: cannot open shared object file`);
  }
  return dlopen.call(this, module, file, ...flags);
};
