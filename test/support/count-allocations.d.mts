/** Bytes asked for since the process began. */
export const allocated: () => number;
