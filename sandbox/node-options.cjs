/** NODE_OPTIONS, as Node reads it: options are separated by spaces; in double quotes a backslash escapes. */

/**
 * `current` with an option that loads `file` before everything else; unchanged when it is there already.
 * @param {string | undefined} current
 * @param {string} file absolute path of a CommonJS module
 * @returns {string}
 */
exports.preloading = function preloading(current, file) {
  const path = /[\s"\\]/.test(file) ? `"${file.replace(/["\\]/g, "\\$&")}"` : file;
  const option = `--require ${path}`;
  if (current === undefined || current.trim() === "") return option;
  return current.includes(option) ? current : `${current} ${option}`;
};
