/** Options of custom operators: a FlexBuffers map of numbers. */
import { encode } from 'flatbuffers/mjs/flexbuffers.js';

/** Written as LiteRT's converter does: whole numbers as integers, others as floats. */
export const flexOptions = (options: Readonly<Record<string, number>>): Uint8Array => encode(options);
