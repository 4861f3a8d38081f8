/** Where a command writes, and the signal by which the user interrupts it. */
export interface Io {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly signal: AbortSignal;
  /** What commands are called by; `npm run COMMAND --` unless given. */
  readonly program?: string | undefined;
  /** Serves the engine's sources to pages, in the repository; the built package's engine lies beside its command. */
  readonly engine?: (() => Promise<{ readonly url: string; close(): Promise<void> }>) | undefined;
  /** Where standard output and error are a terminal. */
  readonly terminal?: { readonly columns: number } | undefined;
}
