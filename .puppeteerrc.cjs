// Browsers are found or installed by the test command (test/support/browsers.ts), never by `npm install`.
module.exports = { skipDownload: true };
