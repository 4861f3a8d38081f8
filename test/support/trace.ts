export interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly tdur?: number;
}

/** For `page.tracing.start`. */
export const traceCategories = ['toplevel', 'devtools.timeline', 'blink.user_timing'];

/** CPU milliseconds of the tasks of a page's main thread between two of its `performance.mark`s, the longest first. */
export function tasksBetween(trace: Uint8Array, from: string, to: string): number[] {
  const { traceEvents: events } = JSON.parse(new TextDecoder().decode(trace)) as { traceEvents: TraceEvent[] };
  const mark = (name: string) => events.find((event) => event.name === name)!;
  const [start, end] = [mark(from), mark(to)];
  return events
    .filter(({ name, pid, tid, ts, tdur }) => {
      return (
        /RunTask$/.test(name) && pid === start.pid && tid === start.tid && ts >= start.ts && ts <= end.ts && tdur! > 0
      );
    })
    .map(({ tdur }) => tdur! / 1000)
    .sort((a, b) => b - a);
}
