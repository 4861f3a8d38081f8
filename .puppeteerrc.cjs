// Browsers are found or installed by the test command (src/cli/find-browsers.ts), never by `npm install`.
module.exports = { skipDownload: true };
