/**
 * The worker and all that it runs, as the text of one module: the build puts it in the place of this, for pages of bundlers,
 * where the worker's file has no address of its own.
 */
export default '';
